package registry_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// TestWrongPassword: however many images of however many entries use a wrong
// password at an origin, it is sent twice.
func TestWrongPassword(t *testing.T) {
	for name, rule := range map[string]func(string, string) reply{
		"Basic": wantsBasic("robot:right"), "Bearer": wantsToken("robot:right"),
	} {
		t.Run(name, func(t *testing.T) {
			s := script(t, rule)
			pool := registry.NewPool(registry.Options{})
			t.Cleanup(pool.Close)
			var all sync.WaitGroup
			for range 3 {
				e := entry(t, s.URL)
				e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "wrong"}, 10*time.Second, 8
				c := pool.Client(e)
				for i := range 10 {
					all.Go(func() {
						resp := manifest(t, c, fmt.Sprintf("team/app%d", i))
						if resp.Account != verdict.AccountRefused {
							t.Errorf("%+v", resp.Answer)
						}
					})
				}
			}
			all.Wait()
			sent := 0
			for _, one := range s.take() {
				if strings.HasSuffix(one, "robot:wrong") {
					sent++
				}
			}
			if sent != 2 {
				t.Errorf("the password was sent %d times", sent)
			}
		})
	}
}

// TestWrongPasswordUnderTrouble: nor is it sent more often where the first answer to
// it shows nothing, and many images were waiting for that.
func TestWrongPasswordUnderTrouble(t *testing.T) {
	troubles := map[string]func() reply{
		"503":      func() reply { return reply{status: 503} },
		"403":      func() reply { return reply{status: 403} },
		"200":      func() reply { return reply{status: 200} },
		"a page":   func() reply { return reply{status: 302, location: "{origin}/page"} },
		"too late": func() reply { time.Sleep(700 * time.Millisecond); return reply{status: 200} },
	}
	for _, scheme := range []string{"Basic", "Bearer"} {
		for name, trouble := range troubles {
			if scheme == "Basic" && name == "200" {
				continue // that accepts the account
			}
			t.Run(scheme+" "+name, func(t *testing.T) {
				var sent atomic.Int32
				rule := map[string]func(string, string) reply{"Basic": wantsBasic("robot:right"), "Bearer": wantsToken("robot:right")}[scheme]
				s := script(t, func(request, by string) reply {
					switch {
					case strings.Contains(request, "/page"):
						return reply{status: 200}
					case by == "robot:wrong" && sent.Add(1) == 1:
						return trouble()
					}
					time.Sleep(5 * time.Millisecond)
					return rule(request, by)
				})
				e := entry(t, s.URL)
				e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "wrong"}, 500*time.Millisecond, 32
				c := client(t, e)
				var all sync.WaitGroup
				for i := range 32 {
					all.Go(func() { manifest(t, c, fmt.Sprintf("app%d", i)) })
				}
				all.Wait()
				if n := sent.Load(); n != 2 {
					t.Errorf("the password was sent %d times", n)
				}
			})
		}
	}
}

// TestGoodAccountUnderTrouble: an account is not taken for a wrong one because
// GET /v2/ failed once while repositories that are not there were asked for.
func TestGoodAccountUnderTrouble(t *testing.T) {
	absent := func(request string) bool {
		return strings.Contains(request, "/absent") || strings.Contains(request, "%3Aabsent")
	}
	for name, rule := range map[string]func(request, by string, first bool) reply{
		"/v2/ answers 503": func(request, by string, first bool) reply {
			switch {
			case request == "GET /v2/" && first:
				return reply{status: 503}
			case absent(request):
				return reply{status: 401, challenge: basicChallenge}
			}
			return wantsBasic("robot:right")(request, by)
		},
		"/v2/ answers late": func(request, by string, first bool) reply {
			switch {
			case request == "GET /v2/" && first:
				time.Sleep(700 * time.Millisecond)
			case absent(request):
				return reply{status: 401, challenge: basicChallenge}
			}
			return wantsBasic("robot:right")(request, by)
		},
		"the token service answers 500": func(request, by string, first bool) reply {
			switch {
			case request == "GET /token?service=s" && first:
				return reply{status: 500}
			case absent(request) && strings.Contains(request, " /token"):
				return reply{status: 401}
			}
			return wantsToken("robot:right")(request, by)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			times := map[string]int{}
			s := script(t, func(request, by string) reply {
				mu.Lock()
				times[request]++
				first := times[request] == 1
				mu.Unlock()
				return rule(request, by, first)
			})
			e := entry(t, s.URL)
			e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "right"}, 500*time.Millisecond
			c := client(t, e)
			for _, repository := range []string{"absent1", "absent2", "there"} {
				resp := manifest(t, c, repository)
				if resp.Account == verdict.AccountRefused || repository == "there" && resp.Status != 200 {
					t.Errorf("%s: %s", repository, outcome(resp))
				}
			}
		})
	}
}

// TestRowsOfASilentSignIn: where the requests that sign in are never answered, the
// images of a registry do not wait for each other one by one.
func TestRowsOfASilentSignIn(t *testing.T) {
	for name, rule := range map[string]struct {
		silent string
		status int
		asks   string
	}{
		"token service":            {" /token", 401, bearerChallenge},
		"signed":                   {" robot:right", 401, basicChallenge},
		"/v2/ after 401":           {"GET /v2/ ", 401, basicChallenge},
		"/v2/ of hidden manifests": {"GET /v2/ ", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := script(t, func(request, by string) reply {
				if strings.Contains(request+" "+by, rule.silent) {
					time.Sleep(400 * time.Millisecond)
				}
				return reply{status: rule.status, challenge: rule.asks}
			})
			e := entry(t, s.URL)
			e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "right"}, 200*time.Millisecond, 32
			c := client(t, e)
			began := time.Now()
			var all sync.WaitGroup
			for i := range 32 {
				all.Go(func() { manifest(t, c, fmt.Sprintf("app%d", i)) })
			}
			all.Wait()
			if took := time.Since(began); took > 16*e.Timeout {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestRedirectsAcceptNoAccount: a redirect that answers a wrong password shows nothing
// of the account, whether it is followed or not, and wherever it leads.
func TestRedirectsAcceptNoAccount(t *testing.T) {
	other := script(t, func(string, string) reply { return reply{status: 200} })
	for name, redirect := range map[string]struct{ location, pinned string }{
		"that is not followed": {"{origin}/login", "/manifests/"},
		"to another origin":    {other.URL + "/login", ""},
		"to nowhere":           {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := script(t, func(request, by string) reply {
				if strings.Contains(request, "/v2/a/") && by != "" {
					return reply{status: 302, location: redirect.location}
				}
				return wantsBasic("robot:right")(request, by)
			})
			e := entry(t, s.URL)
			e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "wrong"}, 5*time.Second
			c := client(t, e)
			for _, repository := range []string{"a", "b", "c"} {
				_, err := c.NewSession().Do(t.Context(), registry.Request{
					Step:   "resolve",
					Method: http.MethodGet,
					URL:    c.URL(repository + "/manifests/x"),
					Scope:  "repository:" + repository + ":pull",
					Pinned: redirect.pinned,
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			want := []string{
				"GET /v2/a/manifests/x", "GET /v2/a/manifests/x robot:wrong",
				"GET /v2/b/manifests/x", "GET /v2/", "GET /v2/ robot:wrong", "GET /v2/c/manifests/x",
			}
			if sent := s.take(); !slices.Equal(sent, want) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestOneLoginPerRow: a row signs in at /v2/ once, however many of its requests are
// refused, and the next row tries again if that was not answered.
func TestOneLoginPerRow(t *testing.T) {
	s := script(t, func(request, _ string) reply {
		if request == "GET /v2/" {
			return reply{status: 503}
		}
		return reply{status: 401, challenge: basicChallenge}
	})
	e := entry(t, s.URL)
	e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "right"}, 5*time.Second
	c := client(t, e)
	for row, want := range []int{1, 1, 0} {
		session := c.NewSession()
		for i := range 3 {
			name := fmt.Sprintf("row%d/app%d", row, i)
			_, err := session.Do(t.Context(), registry.Request{
				Step: "resolve", Method: http.MethodGet, URL: c.URL(name + "/manifests/x"), Scope: "repository:" + name + ":pull",
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		logins := 0
		for _, one := range s.take() {
			if one == "GET /v2/" {
				logins++
			}
		}
		if logins != want {
			t.Errorf("row %d requested /v2/ %d times, want %d", row, logins, want)
		}
	}
}

// TestAccountsKeepNoRow: what is known of an account lasts as long as the scan, and holds
// no row and no client of it in memory.
func TestAccountsKeepNoRow(t *testing.T) {
	public := script(t, func(_, _ string) reply { return reply{status: 200} })
	e := entry(t, public.URL)
	e.Auth = inventory.Auth{Token: "a-token-of-the-registry"} // is sent with the first request, which shows nothing of it
	pool := registry.NewPool(registry.Options{})
	t.Cleanup(pool.Close)
	gone := make(chan struct{})
	func() {
		c := pool.Client(e)
		if got := outcome(manifest(t, c, "a")); got != "200 accepted" {
			t.Fatal(got)
		}
		runtime.AddCleanup(c, func(gone chan struct{}) { close(gone) }, gone)
		c.Close()
	}()
	for range 20 {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(50 * time.Millisecond): // the cleanup has a goroutine of its own
		}
	}
	t.Error("the client is still in memory")
}
