package fleet

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// refusingFronts answer as proxies, firewalls and registries under pressure do, in front of a real
// registry.
var refusingFronts = []difficultRegistry{
	{
		name:   "first-accept",
		kind:   "front",
		about:  "reads only the first Accept line of a request; a manifest of a type that is not in it is 404",
		source: "mulgadc/spinifex#399",
		serve:  behind(withAPI, firstAccept),
	},
	{
		name:   "gzip-unasked",
		kind:   "front",
		about:  "a CDN that sends gzip, whatever Accept-Encoding says: containerd does not decode it at /referrers/",
		source: "measured with containerd 2.4.2",
		serve:  behind(withAPI, gzipUnasked),
	},
	{
		name:   "waf",
		kind:   "front",
		about:  "a firewall for web applications refuses /referrers/ with 403 and HTML",
		source: "scripted clients: oras and cosign end with an error on 403",
		serve: behind(withoutAPI, atReferrers(func(w http.ResponseWriter, _ *http.Request) {
			send(w, http.StatusForbidden, "text/html", "<html><head><title>Request blocked</title></head></html>")
		})),
	},
	{
		name:   "sign-in-proxy",
		kind:   "front",
		about:  "every request is 302 to a login page, which is HTML and 200",
		source: "cloudflare/cloudflared#165",
		serve:  behind(withAPI, everywhere(loginPage)),
	},
	{
		name:   "empty-always",
		kind:   "front",
		about:  "a list that is always empty, and no OCI-Subject: clients write the tag and find nothing",
		source: "scripted clients: oras writes the tag, then reads the API",
		serve: behind(withoutAPI, atReferrers(func(w http.ResponseWriter, r *http.Request) {
			sendList(w, r, nil)
		})),
	},
	{
		name:   "ignores-digest",
		kind:   "front",
		about:  "the same list whatever the digest",
		source: "distribution-spec, \"Listing Referrers\": descriptors whose subject is the digest",
		serve:  behind(withAPI, ignoresDigest),
	},
	refusesHead(http.StatusForbidden, "registry.centos.org"),
	refusesHead(http.StatusNotFound, "Nexus"),
	refusesHead(http.StatusMethodNotAllowed, "GitHub Enterprise Server"),
	refusesHead(http.StatusInternalServerError, "any registry"),
	{
		name:   "head-cut",
		kind:   "front",
		about:  "the connection ends at HEAD of a manifest, GET works",
		source: "a fault of proxies",
		serve:  behind(withAPI, atHead(func(http.ResponseWriter) { panic(http.ErrAbortHandler) })),
	},
	refusesReferrers(http.StatusPaymentRequired, "RFC 9110, section 15.5.3"),
	refusesReferrers(http.StatusMisdirectedRequest, "RFC 9110, section 15.5.20"),
	refusesReferrers(http.StatusUpgradeRequired, "RFC 9110, section 15.5.22"),
	refusesReferrers(http.StatusUnavailableForLegalReasons, "RFC 7725"),
	{
		name:   "retry-after-time",
		kind:   "front",
		about:  "429 whose Retry-After is a unix time",
		source: "APIs that copy their X-RateLimit-Reset; RFC 9110, section 10.2.3, has seconds or a date",
		serve:  behind(withAPI, retryAfterTime),
	},
}

func refusesReferrers(status int, source string) difficultRegistry {
	return difficultRegistry{
		name:   "referrers-" + strconv.Itoa(status),
		kind:   "front",
		about:  "GET referrers is " + strconv.Itoa(status) + " " + http.StatusText(status),
		source: source,
		serve: behind(withoutAPI, atReferrers(func(w http.ResponseWriter, _ *http.Request) {
			send(w, status, "text/plain; charset=utf-8", http.StatusText(status)+"\n")
		})),
	}
}

func refusesHead(status int, seen string) difficultRegistry {
	return difficultRegistry{
		name:   "head-" + strconv.Itoa(status),
		kind:   "front",
		about:  "HEAD of a manifest is " + strconv.Itoa(status) + ", GET works",
		source: "seen at " + seen,
		serve:  behind(withAPI, atHead(func(w http.ResponseWriter) { w.WriteHeader(status) })),
	}
}

// atHead answers HEAD of a manifest in place of the registry.
func atHead(answer func(w http.ResponseWriter)) front {
	return func(_ string, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, kind, _ := endpoint(r); kind == "manifests" && r.Method == http.MethodHead {
				answer(w)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// firstAccept hides a manifest from a request whose first Accept line lacks its type.
func firstAccept(_ string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		repository, kind, reference := endpoint(r)
		if kind == "manifests" && reads(r) {
			d, there := described(next, r, repository, reference)
			if there && !strings.Contains(r.Header.Get("Accept"), d.MediaType) {
				refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// gzipUnasked packs every body.
func gzipUnasked(_ string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answerOf(next, r)
		if answer.Body.Len() > 0 {
			var packed bytes.Buffer
			writer := gzip.NewWriter(&packed)
			_, _ = writer.Write(answer.Body.Bytes()) // into memory
			_ = writer.Close()
			answer.Body = &packed
			answer.Header().Set("Content-Length", strconv.Itoa(packed.Len()))
			answer.Header().Set("Content-Encoding", "gzip")
		}
		relay(w, answer)
	})
}

// loginPage sends everybody to the page it also is.
func loginPage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/login" {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	send(w, http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><html><head><title>Sign in</title></head></html>")
}

// ignoresDigest lists the referrers of the linked image for every digest of its repository.
func ignoresDigest(_ string, next http.Handler) http.Handler {
	return atReferrers(func(w http.ResponseWriter, r *http.Request) {
		repository, _, _ := endpoint(r)
		if d, there := described(next, r, repository, LinkedTag); there {
			r.URL.Path = "/v2/" + repository + "/referrers/" + d.Digest.String()
		}
		next.ServeHTTP(w, r)
	})("", next)
}

const (
	// throttleTime is how long retry-after-time refuses, rounded up to a whole second.
	throttleTime = 500 * time.Millisecond
	// openTime is how long it answers after that.
	openTime = 30 * time.Second
)

// retryAfterTime refuses the first request for referrers, and all others until the time that it
// named has come.
func retryAfterTime(_ string, next http.Handler) http.Handler {
	var mu sync.Mutex
	var opens time.Time
	refused := func() (until time.Time, is bool) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.Sub(opens) > openTime {
			opens = now.Add(throttleTime).Truncate(time.Second).Add(time.Second)
		}
		return opens, now.Before(opens)
	}
	return atReferrers(func(w http.ResponseWriter, r *http.Request) {
		if until, is := refused(); is {
			w.Header().Set("Retry-After", strconv.FormatInt(until.Unix(), 10))
			refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "too many requests")
			return
		}
		next.ServeHTTP(w, r)
	})("", next)
}
