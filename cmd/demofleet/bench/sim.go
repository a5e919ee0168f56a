package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"refmatrix/cmd/demofleet/testca"
)

// ports of a running simulator. Each is one listener on every address of
// 127.0.0.0/8, so that a fleet is as many addresses and costs nothing.
type ports struct {
	Plain, Bearer, TLS, Mixed, Dead, Control int
	Prompt, Basic, Opaque, Unlinked          int // without latency, for what is measured in CPU, memory or requests
}

const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}`

const index = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":7,"artifactType":"application/spdx+json"}]}`

// challenge is what a registry asks for before it answers.
type challenge string

const (
	none   challenge = ""
	basic  challenge = "Basic"  // any account
	bearer challenge = "Bearer" // the token t
	opaque challenge = "opaque" // a Bearer token of the repository's own
)

// fleetHandler answers as registries with the API do, each request after the
// latency.
type fleetHandler struct {
	latency   time.Duration
	challenge challenge
	count     *atomic.Int64
}

func (h fleetHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.count.Add(1)
	time.Sleep(h.latency)
	answer(w, r, h.challenge)
}

// admits reports whether a request is signed as the challenge asks.
func (c challenge) admits(r *http.Request) bool {
	switch c {
	case basic:
		_, _, ok := r.BasicAuth()
		return ok
	case bearer, opaque:
		repository, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
		repository, _, _ = strings.Cut(repository, "/referrers/")
		return r.Header.Get("Authorization") == "Bearer "+c.token("repository:"+repository+":pull")
	}
	return true
}

// token is what the token service issues for a scope.
func (c challenge) token(scope string) string {
	if c != opaque {
		return "t"
	}
	sum := sha256.Sum256([]byte(scope))
	return base64.StdEncoding.EncodeToString(sum[:]) // + and / have other forms in a URL
}

// notice is a header value as long as those of some registries, for text in which
// secrets have to be looked for.
var notice = `299 - "` + strings.Repeat("this registry moves to another address. ", 25) + `"`

// answer is that of a registry with the API, which is its own token service where
// the challenge asks for a token.
func answer(w http.ResponseWriter, r *http.Request, c challenge) {
	if c == opaque {
		w.Header().Set("Warning", notice)
	}
	switch {
	case r.URL.Path == "/token":
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"token":%q}`, c.token(r.URL.Query().Get("scope")))
	case !c.admits(r):
		header := `Bearer realm="http://` + r.Host + `/token",service="bench"`
		if c == basic {
			header = `Basic realm="bench"`
		}
		w.Header().Set("WWW-Authenticate", header)
		w.WriteHeader(http.StatusUnauthorized)
	case strings.Contains(r.URL.Path, "/referrers/"):
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		_, _ = io.WriteString(w, index)
	case strings.Contains(r.URL.Path, "/manifests/"):
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", imageDigest(r.URL.Path))
		w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, manifest)
		}
	}
}

// imageDigest is that of the image at a path. The body is that of latest, which other clients
// read; each other tag is an image of its own, because images with one digest are one.
func imageDigest(path string) string {
	_, reference, _ := strings.Cut(path, "/manifests/")
	switch {
	case strings.HasPrefix(reference, "sha256:"):
		return reference
	case reference == "latest":
		return digestOf(manifest)
	}
	return digestOf(path)
}

// simulate serves until stdin ends: "sim LATENCY CA-FILE". It prints its ports
// as JSON.
func simulate(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: sim LATENCY CA-FILE")
	}
	latency, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	var count atomic.Int64
	var p ports
	serve := func(port *int, handler http.Handler, config *tls.Config) error {
		listener, err := net.Listen("tcp4", "0.0.0.0:0")
		if err != nil {
			return err
		}
		*port = listener.Addr().(*net.TCPAddr).Port
		server := &http.Server{Handler: loopbackOnly(handler), TLSConfig: config, ReadHeaderTimeout: 30 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
		go func() {
			if config != nil {
				_ = server.ServeTLS(listener, "", "")
				return
			}
			_ = server.Serve(listener)
		}()
		return nil
	}
	signed, err := newCertificates(args[1])
	if err != nil {
		return err
	}
	if p.Dead, err = blackHole(); err != nil {
		return err
	}
	all := &mixed{latency: latency, count: &count, hosts: map[string]*visits{}}
	control := http.NewServeMux()
	control.HandleFunc("/gentle", all.report)
	control.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, count.Swap(0)) })
	err = errors.Join(
		serve(&p.Mixed, all, nil),
		serve(&p.Plain, fleetHandler{latency, none, &count}, nil),
		serve(&p.Bearer, fleetHandler{latency, bearer, &count}, nil),
		serve(&p.TLS, fleetHandler{latency, none, &count}, &tls.Config{GetCertificate: signed.get}),
		serve(&p.Prompt, fleetHandler{0, none, &count}, nil),
		serve(&p.Basic, fleetHandler{0, basic, &count}, nil),
		serve(&p.Opaque, fleetHandler{0, opaque, &count}, nil),
		serve(&p.Unlinked, unlinkedHandler{&count}, nil),
		serve(&p.Control, control, nil))
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(p); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// loopbackOnly refuses whoever comes from elsewhere.
func loopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.RemoteAddr, "127.") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// blackHole returns a port where nobody answers at all: its queue of connections
// is full, so the system drops every further one without a word.
func blackHole() (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{}), syscall.Listen(fd, 0)); err != nil {
		return 0, err
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	port := address.(*syscall.SockaddrInet4).Port
	for range 4 {
		go func() { _, _ = net.DialTimeout("tcp4", fmt.Sprintf("127.0.0.1:%d", port), time.Hour) }()
	}
	time.Sleep(200 * time.Millisecond) // the queue fills; nothing depends on when
	return port, nil
}

// certificates are the servers' own, each made when its address is first asked.
type certificates struct {
	of        sync.Map
	authority *testca.Authority
}

// newCertificates makes an authority and writes its certificate to path.
func newCertificates(path string) (*certificates, error) {
	authority, err := testca.New("bench")
	if err != nil {
		return nil, err
	}
	return &certificates{authority: authority}, os.WriteFile(filepath.Clean(path), authority.PEM(), 0o600)
}

func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	if known, ok := c.of.Load(host); ok {
		return known.(*tls.Certificate), nil
	}
	made, err := c.authority.Sign(host)
	if err != nil {
		return nil, err
	}
	c.of.Store(host, made)
	return made, nil
}
