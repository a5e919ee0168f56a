package main

import (
	"crypto/sha256"
	"crypto/tls"
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
type ports struct{ Plain, Bearer, TLS, Mixed, Dead, Control int }

const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}`

var manifestDigest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest)))

const index = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":7,"artifactType":"application/spdx+json"}]}`

// fleetHandler answers as registries with the API do, each request after the
// latency.
type fleetHandler struct {
	latency time.Duration
	bearer  bool
	count   *atomic.Int64
}

func (h fleetHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.count.Add(1)
	time.Sleep(h.latency)
	answer(w, r, h.bearer)
}

// answer is that of a registry with the API, behind its own token service where
// bearer is set.
func answer(w http.ResponseWriter, r *http.Request, bearer bool) {
	switch {
	case r.URL.Path == "/token":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"token":"t"}`)
	case bearer && r.Header.Get("Authorization") != "Bearer t":
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="bench"`)
		w.WriteHeader(http.StatusUnauthorized)
	case strings.Contains(r.URL.Path, "/referrers/"):
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		_, _ = io.WriteString(w, index)
	case strings.Contains(r.URL.Path, "/manifests/"):
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", manifestDigest)
		w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, manifest)
		}
	}
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
		serve(&p.Plain, fleetHandler{latency, false, &count}, nil),
		serve(&p.Bearer, fleetHandler{latency, true, &count}, nil),
		serve(&p.TLS, fleetHandler{latency, false, &count}, &tls.Config{GetCertificate: signed.get}),
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
