package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// TestRenewal: a token that is refused is renewed once, at the realm that the
// registry named to an unsigned request, whatever it names now.
func TestRenewal(t *testing.T) {
	for _, later := range []string{basicChallenge, `Bearer realm="https://169.254.169.254/token"`, `Bearer realm="{origin}/other"`, ""} {
		valid := "token-1"
		issued := 0
		s := script(t, func(request, by string) reply {
			switch {
			case strings.HasPrefix(request, "GET /token"):
				issued++
				return reply{status: 200, body: fmt.Sprintf(`{"token":"token-%d"}`, issued)}
			case by == valid:
				return reply{status: 200}
			case by != "":
				return reply{status: 401, challenge: later}
			}
			return reply{status: 401, challenge: bearerChallenge}
		})
		e := entry(t, s.URL)
		e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "right"}, 5*time.Second
		c := client(t, e)
		if got := outcome(manifest(t, c, "a")); got != "200 accepted" {
			t.Fatal(got)
		}
		s.take()
		valid = "token-2"
		got := outcome(manifest(t, c, "a"))
		want := []string{
			"GET /v2/a/manifests/x token-1", "GET /token?scope=repository%3Aa%3Apull&service=s robot:right", "GET /v2/a/manifests/x token-2",
		}
		if sent := s.take(); got != "200 accepted" || !slices.Equal(sent, want) {
			t.Errorf("%q: %s after %q", later, got, sent)
		}
		valid = ""
		if got := outcome(manifest(t, c, "a")); got != "401 accepted" {
			t.Errorf("%q: a token that is never good: %s", later, got)
		}
		for _, one := range s.take() {
			if strings.Contains(one, "/other") {
				t.Errorf("%q: sent %q", later, one)
			}
		}
	}
}

// TestOneRenewal: of many rows whose token has expired, one renews it.
func TestOneRenewal(t *testing.T) {
	var mu sync.Mutex
	valid, issued := 0, 0
	s := script(t, func(request, by string) reply {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.HasPrefix(request, "GET /token"):
			issued++
			return reply{status: 200, body: fmt.Sprintf(`{"token":"token-%d"}`, issued)}
		case valid > 0 && by == fmt.Sprintf("token-%d", valid):
			return reply{status: 200}
		}
		return reply{status: 401, challenge: bearerChallenge}
	})
	e := entry(t, s.URL)
	e.Timeout, e.Concurrency = 5*time.Second, 16
	c := client(t, e)
	valid = 1
	manifest(t, c, "a")
	mu.Lock()
	valid = 2
	mu.Unlock()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := outcome(manifest(t, c, "a")); got != "200" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	if issued != 2 {
		t.Errorf("%d tokens were asked for, want 2", issued)
	}
}

// TestOneChallenge: images of a private repository that start together cost one
// challenge, at a registry whose first image was public too.
func TestOneChallenge(t *testing.T) {
	s := script(t, func(request, by string) reply {
		if strings.HasPrefix(request, "GET /v2/public/") {
			return reply{status: 200}
		}
		time.Sleep(5 * time.Millisecond)
		return wantsToken("robot:right")(request, by)
	})
	e := entry(t, s.URL)
	e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "right"}, 5*time.Second, 16
	c := client(t, e)
	manifest(t, c, "public")
	s.take()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := outcome(manifest(t, c, "a")); got != "200 accepted" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	if sent := s.take(); len(sent) != 1+1+16 { // a challenge, a token, and an answer for each
		t.Errorf("%d requests:\n%s", len(sent), strings.Join(sent, "\n"))
	}
}

// TestTurnIsLeft: a request that ends while it waits to be signed holds up no other.
func TestTurnIsLeft(t *testing.T) {
	answer := make(chan struct{})
	s := script(t, func(request, _ string) reply {
		if strings.Contains(request, "/slow/") {
			<-answer
		}
		return reply{status: 200}
	})
	pool := registry.NewPool(registry.Options{})
	t.Cleanup(pool.Close)
	e := entry(t, s.URL)
	e.Auth, e.Timeout = inventory.Auth{Token: "fixed"}, 10*time.Second
	one, other := pool.Client(e), pool.Client(e)
	ask := func(ctx context.Context, c *registry.Client, repository string) error {
		_, err := c.NewSession().Do(ctx, registry.Request{
			Step: "resolve", Method: http.MethodGet, URL: c.URL(repository + "/manifests/x"), Scope: "repository:" + repository + ":pull",
		})
		return err
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := ask(t.Context(), one, "slow"); err != nil {
			t.Error(err)
		}
	})
	for len(s.take()) == 0 { // one sends the account, and other waits for what comes of that
		time.Sleep(time.Millisecond)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := ask(short, other, "a"); err == nil {
		t.Error("the account was sent by two requests at once")
	}
	close(answer)
	all.Wait()
	long, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := ask(long, other, "a"); err != nil {
		t.Error(err)
	}
}
