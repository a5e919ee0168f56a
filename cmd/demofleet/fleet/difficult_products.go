package fleet

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// productFronts answer as products do that are not to be had as a Go module, in front of a registry
// that is.
var productFronts = []difficultRegistry{
	{
		name:   "harbor",
		kind:   "Harbor 2.15.2",
		about:  "Bearer, then Basic once a request was signed; lists .sig manifests among the referrers",
		source: "measured on Harbor 2.15.2",
		serve:  withAccount(withAPI, harbor(listed(http.StatusNotFound, harborSignature))),
		image:  Signed + ":" + SignedTag,
	},
	{
		name:   "harbor-proxy",
		kind:   "Harbor 2.15.2",
		about:  "a proxy project: its list is always empty with the filter announced, PUT is 403",
		source: "measured on Harbor 2.15.2",
		serve:  withAccount(withAPI, harbor(harborProxyProject)),
		image:  Signed + ":" + SignedTag,
	},
	{
		name:   "harbor-policy",
		kind:   "Harbor",
		about:  "412 PROJECTPOLICYVIOLATION for a manifest that is not signed",
		source: "goharbor/harbor#22650, #15885",
		serve:  withAccount(withAPI, harbor(harborPolicy)),
	},
	{
		name:   "gitea",
		kind:   "Gitea 1.26.0",
		about:  "two challenges with scope=\"*\"; its version is 401 with a registry token; no referrers API",
		source: "measured on Gitea 1.26.0",
		serve:  withAccount(withoutAPI, gitea),
	},
	{
		name:   "zot",
		kind:   "zot 2.1.20",
		about:  "names itself in Access-Control-Allow-Headers of every answer",
		source: "measured on zot 2.1.20",
		serve:  behind(withAPI, zot),
	},
	{
		name:   "subject-first",
		kind:   "Cloudflare serverless-registry",
		about:  "an artifact that comes before its subject is refused with 400 BLOB_UNKNOWN",
		source: "measured on serverless-registry @5f97b0e",
		serve:  behind(withAPI, subjectFirst),
	},
	{
		name:   "ghcr-404",
		kind:   "GHCR",
		about:  "GET referrers is 303 to a web page, which is 404",
		source: "actions/attest-build-provenance#91, artifacthub/hub#4785",
		serve:  behind(withoutAPI, ghcr(http.StatusNotFound)),
	},
	{
		name:   "ghcr-429",
		kind:   "GHCR",
		about:  "GET referrers is 303 to a web page, which is 429: cosign cannot sign",
		source: "artifacthub/hub#4785",
		serve:  behind(withoutAPI, ghcr(http.StatusTooManyRequests)),
	},
	{
		name:   "ghcr-200",
		kind:   "GHCR",
		about:  "GET referrers is 303 to a web page, which is 200: cosign signs and the signature is lost",
		source: "kubernetes/registry.k8s.io#287",
		serve:  behind(withoutAPI, ghcr(http.StatusOK)),
	},
	{
		name:   "ecr-expired",
		kind:   "Amazon ECR",
		about:  "403 DENIED to a password that is older than 12 hours",
		source: "awslabs/amazon-ecr-credential-helper#679",
		serve:  withAccount(withAPI, everywhere(ecrExpired)),
	},
	{
		name:   "acr-firewall",
		kind:   "Azure ACR",
		about:  "403 DENIED to an address that the firewall does not know",
		source: "Azure/acr#633",
		serve: behind(withAPI, everywhere(refusal(http.StatusForbidden, "DENIED",
			"client with IP '192.0.2.7' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."))),
	},
}

// harborSignature is the .sig manifest of the subject: Harbor takes it for a referrer, typed by its
// config.
func harborSignature(next http.Handler, r *http.Request) []ocispec.Descriptor {
	repository, _, subject := endpoint(r)
	d, ok := described(next, r, repository, cosignTag(subject, ".sig"))
	if !ok {
		return nil
	}
	d.ArtifactType = ocispec.MediaTypeImageConfig
	return []ocispec.Descriptor{d}
}

// harborProxyProject lists nothing, whatever its upstream has, and takes nothing.
func harborProxyProject(origin string, next http.Handler) http.Handler {
	listing := listed(http.StatusNotFound, nothing)(origin, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := answerOf(next, r); answer.Code != http.StatusOK {
			relay(w, answer)
			return
		}
		http.NotFound(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, kind, _ := endpoint(r)
		switch {
		case !reads(r) && r.Method != http.MethodDelete:
			refuse(w, http.StatusForbidden, "DENIED", "can not push artifact to a proxy project")
		case kind == "referrers":
			listing.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// harborPolicy refuses every pull of a manifest.
func harborPolicy(_ string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, kind, _ := endpoint(r); kind == "manifests" && reads(r) {
			refuse(w, http.StatusPreconditionFailed, "PROJECTPOLICYVIOLATION", "The image is not signed by cosign.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// giteaVersion is what /api/v1/version answers.
const giteaVersion = `{"version":"1.26.0"}`

// gitea has no referrers API, and a page of tags links to a next one even if it is the last.
func gitea(origin string, next http.Handler) http.Handler {
	accounts := newAccounts()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		repository, kind, _ := endpoint(r)
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		switch who := accounts.of(r); {
		case r.URL.Path == "/api/v1/version" && who.bearer:
			send(w, http.StatusUnauthorized, "application/json", `{"message":"invalid username, password or token"}`)
		case r.URL.Path == "/api/v1/version":
			send(w, http.StatusOK, "application/json", giteaVersion)
		case kind == "referrers":
			http.NotFound(w, r)
		case r.URL.Path == "/v2/token" && who.known:
			send(w, http.StatusOK, "application/json", accounts.grant())
		case !who.known:
			w.Header().Add("WWW-Authenticate", `Bearer realm="`+origin+`/v2/token",service="container_registry",scope="*"`)
			w.Header().Add("WWW-Authenticate", `Basic realm="Gitea Container Registry"`)
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		case kind == "tags" && r.Method == http.MethodGet:
			answer := answerOf(next, r)
			var page struct{ Tags []string }
			if json.Unmarshal(answer.Body.Bytes(), &page) == nil && len(page.Tags) > 0 {
				query := url.Values{"last": page.Tags[len(page.Tags)-1:]}
				w.Header().Set("Link", `</v2/`+repository+`/tags/list?`+query.Encode()+`>; rel="next"`)
			}
			relay(w, answer)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// zot is named by a header of every answer.
func zot(origin string, next http.Handler) http.Handler {
	next = listed(http.StatusMethodNotAllowed, nothing)(origin, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Headers", "Authorization,content-type,X-ZOT-API-CLIENT")
		next.ServeHTTP(w, r)
	})
}

// subjectFirst wants the subject before what refers to it, although registries must take both
// orders (distribution-spec, "Pushing Manifests with Subject").
func subjectFirst(origin string, next http.Handler) http.Handler {
	next = listed(http.StatusNotFound, nothing)(origin, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		repository, kind, _ := endpoint(r)
		if kind == "manifests" && r.Method == http.MethodPut {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", err.Error())
				return
			}
			var manifest struct{ Subject *ocispec.Descriptor }
			if json.Unmarshal(body, &manifest) == nil && manifest.Subject != nil {
				if _, there := described(next, r, repository, manifest.Subject.Digest.String()); !there {
					refuse(w, http.StatusBadRequest, "BLOB_UNKNOWN", "unknown blob "+manifest.Subject.Digest.String())
					return
				}
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		next.ServeHTTP(w, r)
	})
}

// ghcr sends GET referrers to its web site, with a digest that is cut off; status is what that
// answers.
func ghcr(status int) front {
	return func(origin string, next http.Handler) http.Handler {
		redirect := func(w http.ResponseWriter, r *http.Request) {
			repository, _, subject := endpoint(r)
			w.Header().Set("Location", origin+"/web/"+repository+"/"+subject[:min(len(subject), 19)])
			w.WriteHeader(http.StatusSeeOther)
		}
		next = atReferrers(redirect)(origin, next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/web/") {
				next.ServeHTTP(w, r)
				return
			}
			if status == http.StatusTooManyRequests {
				w.Header().Set("Retry-After", "880.092µs") // as GHCR sends it; RFC 9110 wants seconds or a date
			}
			send(w, status, "text/html; charset=utf-8", "<!DOCTYPE html><html><head><title>Packages</title></head></html>")
		})
	}
}

// ecrExpired wants an account, and refuses it.
func ecrExpired(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="https://ecr.example.com/",service="ecr.amazonaws.com"`)
		send(w, http.StatusUnauthorized, "text/plain; charset=utf-8", "Not Authorized\n")
		return
	}
	refuse(w, http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
}
