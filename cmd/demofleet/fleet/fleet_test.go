package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, unstoppable) }

// unstoppable is the one goroutine that each Distribution leaves: its App
// starts a broadcaster of events and has no way to close it.
var unstoppable = goleak.IgnoreTopFunction("github.com/docker/go-events.(*Broadcaster).run")

// start starts a fleet that is closed, without an error, when the test ends.
func start(t *testing.T, o Options) *Fleet {
	t.Helper()
	f, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// find returns a registry that is in the fleet.
func find(t *testing.T, f *Fleet, name string) Registry {
	t.Helper()
	r, ok := f.Find(name)
	if !ok {
		t.Fatalf("%s is not in the fleet", name)
	}
	return r
}

// TestCloseLeavesNothing: after Close nothing listens, runs or lies around.
func TestCloseLeavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	f, err := Start(context.Background(), Options{Difficult: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before, unstoppable)
	for _, r := range f.Registries() {
		if !refuses(t, r) {
			t.Errorf("%s still answers", r.Name)
		}
	}
	if _, err := os.Stat(f.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", f.dir, err)
	}
}

// TestStartFails: a port that is taken is an error, and what was started
// before it is stopped again.
func TestStartFails(t *testing.T) {
	before := goleak.IgnoreCurrent()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := Start(context.Background(), Options{BasePort: taken.Addr().(*net.TCPAddr).Port}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v, want address in use", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Start(cancelled, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	for _, o := range []Options{
		{Stopped: []string{"nope"}}, {Without: []string{"nope"}}, {Upgraded: []string{"nope"}},
		{Upgraded: []string{"olareg"}}, {BasePort: 65530}, {BasePort: -1},
	} {
		if _, err := Start(context.Background(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	goleak.VerifyNone(t, before, unstoppable)
}

// TestToken: Distribution with its own token auth opens to the credentials and
// to nothing else, and its token server grants no more than it is asked for.
func TestToken(t *testing.T) {
	f := start(t, Options{})
	r, _ := f.Find("distribution-token")
	repository, err := f.Repository(r, Linked)
	if err != nil {
		t.Fatal(err)
	}
	image, err := repository.Resolve(t.Context(), LinkedTag)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := content.FetchAll(t.Context(), repository, image); err != nil {
		t.Fatal(err)
	}
	var schemes []string
	for _, request := range f.Requests(r.Name) {
		schemes = append(schemes, fmt.Sprintf("%s %s %q", request.Method, request.Path, request.Authorization))
	}
	manifest := "/v2/" + Linked + "/manifests/"
	want := []string{
		"HEAD " + manifest + LinkedTag + ` ""`, `GET /token "Basic"`, "HEAD " + manifest + LinkedTag + ` "Bearer"`,
		"GET " + manifest + image.Digest.String() + ` "Bearer"`,
	}
	if !slices.Equal(schemes, want) {
		t.Errorf("requests %q, want %q", schemes, want)
	}
	for what, credential := range map[string]auth.Credential{
		"anonymous": {}, "wrong password": {Username: Username, Password: "wrong"},
	} {
		client := &auth.Client{Client: &http.Client{Transport: f.transport}, Credential: auth.StaticCredential(strings.TrimPrefix(r.URL, "http://"), credential)}
		repository.Client = client
		_, err := repository.Resolve(t.Context(), LinkedTag)
		var answered *errcode.ErrorResponse
		if !errors.As(err, &answered) || answered.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got %v, want 401", what, err)
		}
	}
}

func TestGranted(t *testing.T) {
	for scope, want := range map[string]string{
		"":                                  `[]`,
		"repository":                        `[]`,
		"repository:a":                      `[]`,
		"repository:a/b:pull":               `[{"type":"repository","name":"a/b","actions":["pull"]}]`,
		"repository:h:5000/b:pull,push":     `[{"type":"repository","name":"h:5000/b","actions":["pull","push"]}]`,
		"repository:a:pull registry:cat:*":  `[{"type":"repository","name":"a","actions":["pull"]},{"type":"registry","name":"cat","actions":["*"]}]`,
		"repository:a:pull repository:b:pu": `[{"type":"repository","name":"a","actions":["pull"]},{"type":"repository","name":"b","actions":["pu"]}]`,
	} {
		got, err := json.Marshal(granted([]string{scope}))
		if err != nil || string(got) != want {
			t.Errorf("%q grants %s, %v, want %s", scope, got, err, want)
		}
	}
}

// TestTwoWeeks: the second week of a report differs from the first by what
// was upgraded, stopped and left out, and in no port or digest.
func TestTwoWeeks(t *testing.T) {
	base := freePorts(t, len(implementations))
	first := start(t, Options{BasePort: base})
	digests := map[string]string{}
	for _, r := range first.Registries() {
		if !r.Down && r.Image == "" {
			digests[r.Name] = resolve(t, first, r, Linked, LinkedTag).Digest.String()
		}
	}
	tags, _ := first.Find("ggcr-tags")
	if response, _ := get(t, first, tags, Linked, "referrers/"+digests["ggcr-tags"]); response.StatusCode != 404 {
		t.Errorf("first week: %d, want 404", response.StatusCode)
	}
	ports := first.Registries()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	first.servers, first.closers = nil, nil // closed above

	second := start(t, Options{BasePort: base, Upgraded: []string{"ggcr-tags"}, Stopped: []string{"olareg-tls"}, Without: []string{"distribution-basic"}})
	for _, was := range ports {
		r, there := second.Find(was.Name)
		if there == (was.Name == "distribution-basic") {
			t.Errorf("%s in the second week: %v", was.Name, there)
		}
		if there && r.URL[strings.LastIndexByte(r.URL, ':'):] != was.URL[strings.LastIndexByte(was.URL, ':'):] {
			t.Errorf("%s moved from %s to %s", r.Name, was.URL, r.URL)
		}
		if there && !r.Down && r.Image == "" && resolve(t, second, r, Linked, LinkedTag).Digest.String() != digests[r.Name] {
			t.Errorf("%s: the image has another digest", r.Name)
		}
	}
	if r, _ := second.Find("olareg-tls"); !refuses(t, r) {
		t.Error("olareg-tls answers, though it is stopped")
	}
	if response, body := get(t, second, tags, Linked, "referrers/"+digests["ggcr-tags"]); response.StatusCode != 200 || len(descriptors(body)) != 2 {
		t.Errorf("upgraded: %d %s, want an index of 2", response.StatusCode, body)
	}
}

// TestCosignTags: one registry holds what cosign 2 leaves beside an image.
func TestCosignTags(t *testing.T) {
	f := start(t, Options{})
	r, _ := f.Find("ggcr-tags")
	image := resolve(t, f, r, Linked, LinkedTag)
	for _, suffix := range []string{".sig", ".att"} {
		resolve(t, f, r, Linked, referrersTag(image.Digest)+suffix)
	}
}

// TestInventory: the inventory stands alone: what it names lies beside it, and
// only its owner can read the password.
func TestInventory(t *testing.T) {
	dir := t.TempDir()
	f := start(t, Options{Dir: dir})
	path, err := f.WriteInventory()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var inventory struct {
		Version    int
		Registries []struct {
			Name, URL string
			Auth, TLS map[string]any
			Labels    map[string]string
		}
	}
	if err := yaml.Unmarshal(encoded, &inventory); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(encoded), Password) {
		t.Error("the inventory spells the password out")
	}
	want := "distribution-anonymous distribution-basic distribution-token olareg ggcr-referrers ggcr-tags ocimem olareg-tls down missing"
	var names []string
	for _, r := range inventory.Registries {
		names = append(names, r.Name)
		if r.Labels["group"] != Everyday {
			t.Errorf("%s: labels %v", r.Name, r.Labels)
		}
	}
	if got := strings.Join(names, " "); inventory.Version != 1 || got != want {
		t.Errorf("version %d, %s", inventory.Version, got)
	}
	secret, err := os.Stat(filepath.Join(dir, "password"))
	if err != nil || secret.Mode().Perm() != 0o600 {
		t.Errorf("password file: %v, %v", secret, err)
	}
	checkCA(t, filepath.Join(dir, "ca.pem"), f)
}

// checkCA opens the TLS registry by both its names with nothing but the
// certificate file.
func checkCA(t *testing.T, path string, f *Fleet) {
	t.Helper()
	encoded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(encoded)
	r, _ := f.Find("olareg-tls")
	for _, host := range []string{"127.0.0.1", "localhost"} {
		connection, err := tls.Dial("tcp", strings.TrimPrefix(r.URL, "https://"), &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = connection.Close()
	}
}

// refuses says whether nothing listens at r.
func refuses(t *testing.T, r Registry) bool {
	t.Helper()
	_, address, _ := strings.Cut(r.URL, "://")
	connection, err := net.Dial("tcp", address)
	if err == nil {
		_ = connection.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// freePorts finds the first of n ports in a row that nothing listens on.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for base := 20000; base < 30000; base += n {
		free := 0
		for ; free < n; free++ {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+free))
			if err != nil {
				break
			}
			_ = listener.Close()
		}
		if free == n {
			return base
		}
	}
	t.Fatal("no ports in a row are free")
	return 0
}
