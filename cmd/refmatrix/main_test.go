package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// processName is the name under which the test binary is the shipped command, which paces
// its collector; scripts measure nothing and run it without.
const processName = "refmatrix-process"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"refmatrix": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		processName: main,
	})
}

// TestScript runs the whole command as testdata/script tells it.
func TestScript(t *testing.T) {
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("DOCKER_CONFIG", env.WorkDir)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("TESTDATA", testdata)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second for every command otherwise
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"registry": startRegistry,
			"requests": checkRequests,
			"expand":   expandFile,
		},
		RequireExplicitExec: true,
	})
}

const digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

// behaviours are the registries that scripts can start.
var behaviours = map[string]http.HandlerFunc{
	"api": func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/referrers/") {
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
			return
		}
		manifest(w, r)
	},
	"late": func(w http.ResponseWriter, r *http.Request) { // hangs once the verdict is certain
		if r.URL.Query().Has("artifactType") {
			<-r.Context().Done()
			return
		}
		if strings.Contains(r.URL.Path, "/referrers/") {
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
			return
		}
		manifest(w, r)
	},
	"tags": func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/referrers/") {
			http.NotFound(w, r)
			return
		}
		manifest(w, r)
	},
	"some": func(w http.ResponseWriter, r *http.Request) { // has no repository called gone
		if strings.HasPrefix(r.URL.Path, "/v2/gone/") || strings.Contains(r.URL.Path, "/referrers/") {
			http.NotFound(w, r)
			return
		}
		manifest(w, r)
	},
	"page": func(w http.ResponseWriter, _ *http.Request) { // a web page for every address
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in</title>")
	},
	"distribution": func(w http.ResponseWriter, r *http.Request) { // as CNCF Distribution answers, and others that send its header
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		manifest(w, r)
	},
	"fallback": func(w http.ResponseWriter, r *http.Request) { // a web page for /referrers/
		if strings.Contains(r.URL.Path, "/referrers/") {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>Registry</title>")
			return
		}
		manifest(w, r)
	},
	"denies": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`)
	},
	"absent": func(w http.ResponseWriter, _ *http.Request) { // a registry that has no image
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`)
	},
	"password": func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "canary-password" {
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		manifest(w, r)
	},
	"echoes": func(w http.ResponseWriter, r *http.Request) { // what another registry is sent
		w.Header().Set("Server", "canary-password")
		manifest(w, r)
	},
	"globs": func(w http.ResponseWriter, r *http.Request) { // redirects to what curl could read as several addresses
		if r.URL.Path == "/v2/a/manifests/latest" {
			w.Header().Set("Location", "/v2/a/manifests/[1-3]")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		manifest(w, r)
	},
	"token": func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path != "/token" && r.Header.Get("Authorization") != "Bearer canary-token":
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="tests"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path != "/token":
			manifest(w, r)
		case password == "canary-password" && r.FormValue("service") == "tests",
			r.Method == http.MethodPost && r.PostFormValue("refresh_token") == "canary-refresh" && r.PostFormValue("service") == "tests" &&
				r.PostFormValue("grant_type") == "refresh_token" && r.PostFormValue("scope") == "repository:a:pull":
			_, _ = io.WriteString(w, `{"access_token":"canary-token"}`)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	},
	"firewall": func(w http.ResponseWriter, r *http.Request) { // refuses every address, and repeats what it was sent
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":"client with IP '192.0.2.7' is not allowed access. %s"}]}`, r.Header.Get("Authorization"))
	},
	"broken": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	"hangs":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"hostile": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "\x1b[31m=cmd|' /C calc'!A0 <script>alert(1)</script>")
		w.Header().Set("Content-Type", "text/html; |pipe|")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "<script>\x1b]0;owned\x07</script>")
	},
}

func manifest(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/manifests/sha256-") || !strings.Contains(r.URL.Path, "/manifests/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	w.Header().Set("Docker-Content-Digest", digest)
}

// registries holds the counters of all servers by URL; scripts run at once.
var registries sync.Map

type counter struct{ n atomic.Int64 }

// startRegistry: registry NAME BEHAVIOUR starts a server and puts its URL into
// $NAME; the behaviour "down" is a port where nobody listens.
func startRegistry(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: registry NAME BEHAVIOUR")
	}
	if args[1] == "down" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		ts.Setenv(args[0], "http://"+listener.Addr().String())
		ts.Check(listener.Close())
		return
	}
	behaviour, ok := behaviours[args[1]]
	if !ok {
		ts.Fatalf("unknown behaviour %q", args[1])
	}
	count := &counter{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.n.Add(1)
		behaviour(w, r)
	}))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv(args[0], server.URL)
	registries.Store(server.URL, count)
}

// checkRequests: requests NAME N fails unless the registry saw N requests.
func checkRequests(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: requests NAME N")
	}
	count, ok := registries.Load(ts.Getenv(args[0]))
	if !ok {
		ts.Fatalf("no registry %q", args[0])
	}
	if got := fmt.Sprint(count.(*counter).n.Load()); got != args[1] {
		ts.Fatalf("%s saw %s requests, want %s", args[0], got, args[1])
	}
}

// expandFile: expand FILE replaces $NAME in the file by the variables.
func expandFile(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		path := ts.MkAbs(name)
		content, err := os.ReadFile(path)
		ts.Check(err)
		ts.Check(os.WriteFile(path, []byte(os.Expand(string(content), ts.Getenv)), 0o600))
	}
}
