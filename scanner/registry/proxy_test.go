package registry_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

// TestProxyFaults: what a proxy does wrong is a matter of the connection, told
// with the proxy's name and without its password.
func TestProxyFaults(t *testing.T) {
	const password = "canary-proxy-pass"
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	refusing := serve(t, func(w http.ResponseWriter, q *http.Request) {
		conn, stream, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(stream, "HTTP/1.1 407 you sent %s %s\r\nContent-Length: 0\r\n\r\n", q.Header.Get("Proxy-Authorization"), password)
		stream.Flush()
	})
	breaking := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	through := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "not here")
	})
	tests := []struct {
		name, proxy, registry string
		want                  string // words of the fault; "" for the registry's own answer
		requests              int
	}{
		{"407 to CONNECT", refusing.URL, "https://registry.inside", "answered HTTP 407", 1},
		{"407 to a request", refusing.URL, "http://registry.inside", "answered HTTP 407", 1},
		{"502 to CONNECT", breaking.URL, "https://registry.inside", "answered HTTP 502 to CONNECT", 2},
		{"nobody listens", "http://" + closed.Addr().String(), "https://registry.inside", "cannot be reached", 2},
		{"no such proxy", "http://proxy.invalid:3128", "http://registry.inside", "cannot be reached", 1},
		{"nobody listens to SOCKS", "socks5://" + closed.Addr().String(), "http://registry.inside", "cannot be reached", 2},
		{"it lets through", through.URL, "http://registry.inside", "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address, err := url.Parse(test.proxy)
			if err != nil {
				t.Fatal(err)
			}
			address.User = url.UserPassword("user", password)
			pool := registry.NewPool(registry.Options{Proxy: http.ProxyURL(address)})
			t.Cleanup(pool.Close)
			e := entry(t, test.registry)
			e.Retries, e.RetryCap = 1, time.Second
			resp, session := ask(t, pool.Client(e))
			if n := len(session.Exchanges()); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			if test.want == "" {
				if resp.Status != http.StatusNotFound {
					t.Errorf("%+v", resp.Fault)
				}
				return
			}
			if resp.Fault == nil || resp.Fault.Kind != matrix.Connect || !strings.Contains(resp.Fault.Text, test.want) || !strings.Contains(resp.Fault.Text, address.Host) {
				t.Errorf("%+v, want %s of %s", resp.Fault, test.want, address.Host)
			}
			told, err := json.Marshal(session.Exchanges())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(told), password) || resp.Fault != nil && strings.Contains(resp.Fault.Text, password) {
				t.Errorf("the password is told: %s %+v", told, resp.Fault)
			}
		})
	}
}
