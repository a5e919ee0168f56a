package fleet

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/token" // token auth
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory" // storage
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

// Username and Password open the registries of the fleet that ask for them.
const (
	Username = "demo"
	Password = "demo-password-on-loopback"
	// WrongPassword opens none.
	WrongPassword = "wrong-password-on-loopback"
)

// implementation is one real registry; serve is nil for one that nobody
// answers for.
type implementation struct {
	name, kind string
	serve      func(f *Fleet, r *Registry, upgraded bool) (http.Handler, error)
}

// implementations of the fleet in the order of its inventory.
var implementations = []implementation{
	{"distribution-anonymous", "CNCF Distribution", serveDistribution(nil)},
	{"distribution-basic", "CNCF Distribution", serveDistribution(htpasswd)},
	{"distribution-token", "CNCF Distribution", serveDistribution(tokenAuth)},
	{"olareg", "olareg", serveOlareg},
	{"ggcr-referrers", "go-containerregistry", serveGGCR(true)},
	{"ggcr-tags", "go-containerregistry", serveGGCR(false)},
	{"ocimem", "ociregistry", serveOcimem},
	{"olareg-tls", "olareg", serveOlaregTLS},
	{"down", "none", nil},
}

// missing is the entry that names an image which is on none of the registries.
const missing = "missing"

// Absent is an image that no registry has.
const Absent = "library/absent:1"

func init() {
	// Distribution logs to logrus's standard logger before a configuration can
	// say otherwise.
	logrus.SetOutput(io.Discard)
}

// authentication returns the auth section of a Distribution, and a handler to
// put in front of it where it needs one.
type authentication func(f *Fleet, r *Registry) (configuration.Auth, func(http.Handler) http.Handler, error)

func serveDistribution(sign authentication) func(*Fleet, *Registry, bool) (http.Handler, error) {
	return func(f *Fleet, r *Registry, _ bool) (http.Handler, error) {
		c := distributionInMemory()
		wrap := func(h http.Handler) http.Handler { return h }
		if sign != nil {
			section, inFront, err := sign(f, r)
			if err != nil {
				return nil, err
			}
			c.Auth = section
			if inFront != nil {
				wrap = inFront
			}
		}
		return wrap(f.distribution(c)), nil
	}
}

// distributionInMemory is the configuration of a Distribution that keeps everything in memory.
func distributionInMemory() *configuration.Configuration {
	return DistributionWith("inmemory", configuration.Parameters{})
}

// DistributionWith is the configuration of a Distribution that keeps everything in the storage of
// a driver, which has parameters, and logs nothing.
func DistributionWith(driver string, parameters configuration.Parameters) *configuration.Configuration {
	c := &configuration.Configuration{
		Storage: configuration.Storage{
			driver:        parameters,
			"delete":      configuration.Parameters{"enabled": true},
			"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
		},
	}
	c.Log.AccessLog.Disabled = true
	c.Log.Level = "panic"
	c.HTTP.Secret = "loopback only"
	c.Catalog.MaxEntries = 1000
	return c
}

// distribution starts a Distribution that ends with the fleet.
func (f *Fleet) distribution(c *configuration.Configuration) http.Handler {
	ctx, cancel := context.WithCancel(context.Background())
	app := handlers.NewApp(ctx, c)
	f.closers = append(f.closers, func() error {
		cancel()
		return app.Shutdown()
	})
	return app
}

func htpasswd(f *Fleet, r *Registry) (configuration.Auth, func(http.Handler) http.Handler, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(Password), bcrypt.MinCost)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(f.dir, "htpasswd")
	if err := os.WriteFile(path, fmt.Appendf(nil, "%s:%s\n", Username, hash), 0o600); err != nil {
		return nil, nil, err
	}
	r.Username, r.Password = Username, Password
	return configuration.Auth{htpasswdOnce: {"realm": "demo", "path": path}}, nil, nil
}

func serveOlareg(f *Fleet, _ *Registry, _ bool) (http.Handler, error) {
	return f.olareg(olaregInMemory()), nil
}

// olaregInMemory is the configuration of an olareg that keeps everything in memory, collects no
// garbage and deletes what it is asked to.
func olaregInMemory() config.Config {
	yes := true
	return config.Config{
		Storage: config.ConfigStorage{StoreType: config.StoreMem, GC: config.ConfigGC{Frequency: -1}},
		API:     config.ConfigAPI{DeleteEnabled: &yes, Blob: config.ConfigAPIBlob{DeleteEnabled: &yes}},
	}
}

// olareg starts an olareg that ends with the fleet.
func (f *Fleet) olareg(c config.Config) *olareg.Server {
	server := olareg.New(c)
	f.closers = append(f.closers, server.Close)
	return server
}

func serveOlaregTLS(f *Fleet, r *Registry, _ bool) (http.Handler, error) {
	r.TLS = true
	return serveOlareg(f, r, false)
}

// silent drops what go-containerregistry logs of every request.
var silent = log.New(io.Discard, "", 0)

func serveGGCR(referrers bool) func(*Fleet, *Registry, bool) (http.Handler, error) {
	return func(_ *Fleet, _ *Registry, upgraded bool) (http.Handler, error) {
		return ggcr.New(ggcr.WithReferrersSupport(referrers || upgraded), ggcr.Logger(silent)), nil
	}
}

func serveOcimem(*Fleet, *Registry, bool) (http.Handler, error) {
	return ociserver.New(ocimem.New(), nil), nil
}
