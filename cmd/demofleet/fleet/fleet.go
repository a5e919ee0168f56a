// Package fleet runs real registry implementations on loopback, filled with
// images and what is attached to them by a real client, for the demo and the
// tests. Difficult registries are real ones in unusual settings, or scripted
// answers in front of a real one.
package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"refmatrix/cmd/demofleet/testca"
)

// Options say which fleet is started. The zero value starts all of it on
// ports that the system chooses, with its files in a temporary folder.
type Options struct {
	Dir      string   // for the inventory, the CA and the password file
	BasePort int      // registry number n listens on BasePort+n; 0 = any free port
	Upgraded []string // go-containerregistry entries that get the referrers API
	Stopped  []string // names that are listed but refuse connections
	Without  []string // names that are left out; the others keep their ports
	// Difficult adds the registries that answer in unusual or wrong ways, on the ports after the
	// others.
	Difficult bool
}

// The groups of the fleet, in the inventory's label "group".
const (
	Everyday  = "everyday"
	Difficult = "difficult"
)

// Registry is one entry of the fleet as a client sees it.
type Registry struct {
	Name     string
	Kind     string // the implementation
	Group    string // Everyday or Difficult
	About    string // what is difficult about it; empty = nothing
	URL      string
	Username string // empty = anonymous
	Password string
	TLS      bool
	Down     bool
	Image    string // in place of the usual images; for an entry that shares a server and is not filled

	// probed is the image in the inventory in place of the usual ones. It is there, unlike that in
	// Image.
	probed string
	// fill pushes the content in place of fillUsual.
	fill func(ctx context.Context, f *Fleet, r Registry) error
}

// Request is one request as a server saw it.
type Request struct {
	Method, Path, Query string
	Authorization       string // the scheme only
	At                  time.Time
}

// Fleet is a running fleet.
type Fleet struct {
	dir        string
	temporary  bool
	authority  *testca.Authority
	transport  *http.Transport // of the fleet's own clients
	registries []Registry
	servers    []*http.Server
	closers    []func() error
	serving    sync.WaitGroup
	// contents are the handlers that content is pushed to in the process, because the registry in
	// front of them refuses it or is to see none of it; by the registry's name.
	contents map[string]http.Handler

	mu       sync.Mutex
	requests map[string][]Request
	attached map[string][]Attached // to the image Platforms, by the registry's name
}

const (
	// maxRequests bounds the log kept of one registry.
	maxRequests = 100_000
	// drainTime is how long Close lets requests in flight finish.
	drainTime = 2 * time.Second
)

// Start listens, starts every implementation and seeds it. When it returns,
// every registry answers. Close the fleet to stop it.
func Start(ctx context.Context, o Options) (*Fleet, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	f := &Fleet{
		dir:      o.Dir,
		requests: map[string][]Request{},
		attached: map[string][]Attached{},
		contents: map[string]http.Handler{},
	}
	if err := f.start(ctx, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// check refuses names that would change nothing, as a misspelt one does.
func (o Options) check() error {
	for _, name := range slices.Concat(o.Upgraded, o.Stopped, o.Without) {
		if !o.has(name) {
			return fmt.Errorf("no registry is called %q", name)
		}
	}
	for _, name := range o.Upgraded {
		if name != "ggcr-tags" && name != "ggcr-referrers" {
			return fmt.Errorf("%s cannot be upgraded: only go-containerregistry has a switch for the referrers API", name)
		}
	}
	ports := len(implementations)
	if o.Difficult {
		ports += len(difficult)
	}
	if last := o.BasePort + ports - 1; o.BasePort < 0 || last > 65535 {
		return fmt.Errorf("base port %d: the fleet needs %d ports from there", o.BasePort, ports)
	}
	return nil
}

// has reports whether a registry of this fleet is called name.
func (o Options) has(name string) bool {
	if name == missing || slices.ContainsFunc(implementations, func(one implementation) bool { return one.name == name }) {
		return true
	}
	return o.Difficult && (slices.ContainsFunc(difficult, func(one difficultRegistry) bool { return one.name == name }) ||
		slices.ContainsFunc(sharing, func(one shared) bool { return one.name == name }))
}

func (f *Fleet) start(ctx context.Context, o Options) error {
	if err := f.makeDir(); err != nil {
		return err
	}
	var err error
	if f.authority, err = testca.New("demofleet authority"); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.CA())
	f.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	for n, one := range implementations {
		if err := f.serve(one, Registry{Group: Everyday}, n, o); err != nil {
			return fmt.Errorf("start %s: %w", one.name, err)
		}
	}
	f.addMissing(o)
	if o.Difficult {
		if err := f.addDifficult(o); err != nil {
			return err
		}
	}
	return f.seed(ctx)
}

func (f *Fleet) makeDir() error {
	if f.dir != "" {
		if err := os.MkdirAll(f.dir, 0o755); err != nil {
			return fmt.Errorf("make the fleet's folder: %w", err)
		}
		return nil
	}
	dir, err := os.MkdirTemp("", "demofleet")
	if err != nil {
		return fmt.Errorf("make the fleet's folder: %w", err)
	}
	f.dir, f.temporary = dir, true
	return nil
}

// loopback is the address of a port on this machine.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// serve binds the nth listener and answers on it with one implementation. The registry has what is
// known of it before.
func (f *Fleet) serve(one implementation, registry Registry, n int, o Options) error {
	if slices.Contains(o.Without, one.name) {
		return nil
	}
	port := 0
	if o.BasePort > 0 {
		port = o.BasePort + n
	}
	registry.Name, registry.Kind = one.name, one.kind
	if one.serve == nil || slices.Contains(o.Stopped, one.name) {
		refused, err := refusePort(port)
		if err != nil {
			return err
		}
		registry.Down, registry.URL = true, "http://"+loopback(refused.port)
		f.registries = append(f.registries, registry)
		f.closers = append(f.closers, refused.Close)
		return nil
	}
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return err
	}
	registry.URL = "http://" + listener.Addr().String()
	handler, err := one.serve(f, &registry, slices.Contains(o.Upgraded, one.name))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if registry.TLS {
		certificate, err := f.authority.Sign("localhost", "127.0.0.1", "::1")
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		registry.URL = strings.Replace(registry.URL, "http://", "https://", 1)
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{*certificate},
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"h2", "http/1.1"},
		})
	}
	server := &http.Server{Handler: f.logged(one.name, handler), ReadHeaderTimeout: 10 * time.Second}
	f.servers = append(f.servers, server)
	f.serving.Go(func() { _ = server.Serve(listener) })
	f.registries = append(f.registries, registry)
	return nil
}

// addMissing names an image that is nowhere, on a server that is there.
func (f *Fleet) addMissing(o Options) {
	if slices.Contains(o.Without, missing) {
		return
	}
	if olareg, ok := f.Find("olareg"); ok {
		f.registries = append(f.registries, Registry{
			Name:  missing,
			Kind:  olareg.Kind,
			Group: Everyday,
			URL:   olareg.URL,
			Image: Absent,
		})
	}
}

// Registries lists the fleet in the order of its inventory.
func (f *Fleet) Registries() []Registry { return slices.Clone(f.registries) }

// Find returns the registry called name.
func (f *Fleet) Find(name string) (Registry, bool) {
	i := slices.IndexFunc(f.registries, func(r Registry) bool { return r.Name == name })
	if i < 0 {
		return Registry{}, false
	}
	return f.registries[i], true
}

// CA is the PEM certificate that the TLS registry is signed by.
func (f *Fleet) CA() []byte { return f.authority.PEM() }

// Requests lists what the registry called name was asked since the fleet was
// seeded or its log was last cleared, at most maxRequests of them.
func (f *Fleet) Requests(name string) []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests[name])
}

// ClearRequests forgets all requests.
func (f *Fleet) ClearRequests() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.requests)
}

func (f *Fleet) logged(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		f.mu.Lock()
		if len(f.requests[name]) < maxRequests {
			f.requests[name] = append(f.requests[name], Request{r.Method, r.URL.Path, r.URL.RawQuery, scheme, time.Now()})
		}
		f.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// Close lets requests in flight finish for a moment, stops every server and
// removes the temporary folder.
func (f *Fleet) Close() error {
	var errs []error
	if f.transport != nil {
		f.transport.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	stopping := make(chan error, len(f.servers))
	for _, server := range f.servers {
		go func() {
			if server.Shutdown(ctx) != nil {
				stopping <- server.Close()
				return
			}
			stopping <- nil
		}()
	}
	for range f.servers {
		errs = append(errs, <-stopping)
	}
	f.serving.Wait()
	for _, closer := range f.closers {
		errs = append(errs, closer())
	}
	if f.temporary {
		errs = append(errs, os.RemoveAll(f.dir))
	}
	return errors.Join(errs...)
}
