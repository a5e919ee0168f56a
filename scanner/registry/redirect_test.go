package registry_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// TestRedirectsDropCredentials: a redirect to another origin carries no
// Authorization, and what it answers is believed no more than that.
func TestRedirectsDropCredentials(t *testing.T) {
	var leaked atomic.Value
	other := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if value := q.Header.Get("Authorization"); value != "" {
			leaked.Store(value)
		}
		w.Header().Set("WWW-Authenticate", "Basic realm=give-me")
		w.WriteHeader(http.StatusUnauthorized)
	})
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if _, _, ok := q.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, q, other.URL+q.URL.Path, http.StatusTemporaryRedirect)
	})
	e := entry(t, s.URL)
	e.Auth = inventory.Auth{Username: "u", Password: "canary-password"}
	resp, _ := ask(t, client(t, e))
	if leaked.Load() != nil {
		t.Errorf("the other origin got %q", leaked.Load())
	}
	if resp.Status != http.StatusUnauthorized || resp.Challenge {
		t.Errorf("%+v", resp.Answer)
	}
}

// certificate gives a client certificate that nobody has signed.
func certificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "robot"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestOtherOrigins: the client certificate, what is said of the registry's own
// certificate and the address that was asked stay with the registry.
func TestOtherOrigins(t *testing.T) {
	type seen struct {
		certificates int
		referer      string
	}
	record := func(to *atomic.Pointer[seen], answer http.HandlerFunc) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			to.Store(&seen{len(q.TLS.PeerCertificates), q.Referer()})
			answer(w, q)
		}))
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	var own, foreign atomic.Pointer[seen]
	other := record(&foreign, http.NotFound)
	s := record(&own, func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, other.URL+q.URL.Path, http.StatusTemporaryRedirect)
	})
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw})
	tests := []struct {
		name   string
		tls    inventory.TLS
		status int
		fault  matrix.Reason
	}{
		{"an authority", inventory.TLS{CA: trusted}, http.StatusNotFound, ""},
		{"no verification", inventory.TLS{InsecureSkipVerify: true}, 0, matrix.TLS},
		{"both", inventory.TLS{CA: trusted, InsecureSkipVerify: true}, http.StatusNotFound, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			own.Store(nil)
			foreign.Store(nil)
			e := entry(t, s.URL)
			e.Timeout = 10 * time.Second
			e.TLS = test.tls
			e.TLS.Certificate = certificate(t)
			resp, _ := ask(t, client(t, e))
			if resp.Status != test.status || test.fault != "" && (resp.Fault == nil || resp.Fault.Kind != test.fault) {
				t.Errorf("%+v %+v", resp.Answer, resp.Fault)
			}
			if got := own.Load(); got == nil || got.certificates != 1 {
				t.Errorf("the registry saw %+v", got)
			}
			if got := foreign.Load(); test.fault == "" && (got == nil || *got != seen{}) || test.fault != "" && got != nil {
				t.Errorf("the other origin saw %+v", got)
			}
		})
	}
}

// TestRedirectWithUserinfo: an account that a redirect names is not used, not
// even at the registry's own origin.
func TestRedirectWithUserinfo(t *testing.T) {
	var asked atomic.Int32
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		w.Header().Set("Location", "http://admin:chosen-elsewhere@"+q.Host+q.URL.Path+"?again")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	resp, _ := ask(t, client(t, entry(t, s.URL)))
	if resp.Fault == nil || resp.Fault.Kind != matrix.Redirect || strings.Contains(resp.Fault.Text, "admin") || asked.Load() != 1 {
		t.Errorf("%+v after %d requests", resp.Fault, asked.Load())
	}
}

// TestWritesStay: a request that writes follows no redirect and leaves no origin.
func TestWritesStay(t *testing.T) {
	other := script(t, func(string, string) reply { return reply{status: 201} })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete} {
			for _, target := range []string{other.URL + "/v2/prod/app/manifests/latest", "/v2/prod/app/manifests/latest"} {
				s := script(t, func(string, string) reply { return reply{status: status, location: target} })
				c := client(t, entry(t, s.URL))
				resp, err := c.NewSession().Do(t.Context(), registry.Request{
					Step: "push", Method: method, URL: c.URL("scratch/manifests/x"), Body: []byte("{}"), Scope: "repository:scratch:push",
				})
				if err != nil || resp.Status != status {
					t.Errorf("%s %d: %v %+v", method, status, err, resp)
				}
				if sent := s.take(); len(sent) != 1 {
					t.Errorf("%s %d: sent %q", method, status, sent)
				}
			}
		}
	}
	c := client(t, entry(t, "http://registry.test"))
	target := c.URL("a/blobs/uploads/x")
	target.Host = strings.TrimPrefix(other.URL, "http://")
	resp, err := c.NewSession().Do(context.Background(), registry.Request{Step: "push", Method: http.MethodPut, URL: target})
	if err != nil || resp.Fault == nil || resp.Fault.Kind != matrix.Redirect {
		t.Errorf("%v %+v", err, resp)
	}
	if sent := other.take(); len(sent) > 0 {
		t.Errorf("the other origin was sent %q", sent)
	}
}

// TestReadsElsewhereAreUnsigned: what a request to another origin asks for, it asks
// for without the account.
func TestReadsElsewhereAreUnsigned(t *testing.T) {
	other := script(t, func(string, string) reply { return reply{status: 200} })
	for name, auth := range map[string]inventory.Auth{
		"Basic": {Username: "robot", Password: "right"},
		"token": {Token: "right"},
	} {
		s := script(t, func(request, by string) reply {
			if by == "right" {
				return reply{status: 200}
			}
			return wantsBasic("robot:right")(request, by)
		})
		e := entry(t, s.URL)
		e.Auth, e.Timeout = auth, 5*time.Second
		c := client(t, e)
		if got := outcome(manifest(t, c, "a")); got != "200 accepted" {
			t.Fatalf("%s: %s", name, got)
		}
		target := c.URL("a/manifests/x")
		target.Host = strings.TrimPrefix(other.URL, "http://")
		resp, err := c.NewSession().Do(t.Context(), registry.Request{
			Step: "page", Method: http.MethodGet, URL: target, Scope: "repository:a:pull",
		})
		if err != nil || resp.Status != 200 {
			t.Errorf("%s: %v %+v", name, err, resp)
		}
		if sent := other.take(); !slices.Equal(sent, []string{"GET /v2/a/manifests/x"}) {
			t.Errorf("%s: sent %q", name, sent)
		}
	}
}
