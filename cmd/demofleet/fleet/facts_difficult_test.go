package fleet

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// wireFact is one request to a difficult registry and what it answers.
type wireFact struct {
	registry string
	as       string // "" = unsigned, demo = the fleet's account, wrong = a wrong password, else the value to send
	// request is a method and a path; {linked}, {bare}, {signed} and {absent} are digests, {sig}
	// and {tag} the tags of a .sig manifest and of the tag schema.
	request     string
	status      int
	contentType string // without parameters
	contains    string // part of the body, without white space
	header      string // "Name: part of the value" of all its lines; "!Name" = the header is absent
}

const (
	list   = "application/vnd.oci.image.index.v1+json"
	oci    = "application/vnd.oci.image.manifest.v1+json"
	errs   = "application/json"
	alpine = "/v2/library/alpine/"
	signed = "/v2/team/signed/"
	// repeated in many lines below
	linkedList = "GET " + alpine + "referrers/{linked}"
	linkedHead = "HEAD " + alpine + "manifests/latest"
	linkedGet  = "GET " + alpine + "manifests/latest"
	upload     = "POST " + alpine + "blobs/uploads/"
	putTag     = "PUT " + alpine + "manifests/new"
	signedList = "GET " + signed + "referrers/{signed}"
	filtered   = "?artifactType=application%2Fspdx%2Bjson"

	harborChallenge = `WWW-Authenticate: /service/token",service="harbor-registry",scope="repository:team/signed:pull"`
	giteaChallenge  = `WWW-Authenticate: /v2/token",service="container_registry",scope="*"`
)

// someManifest is what a PUT sends: a registry that looks at it first finds nothing wrong.
const someManifest = `{"schemaVersion":2,"mediaType":"` + oci + `","layers":[],"config":{"mediaType":"` + list + `",` +
	`"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}}`

var wireFacts = []wireFact{
	{"ociserver-no-api", "", linkedList, 404, errs, `"code":"UNKNOWN"`, ""},
	{"ociserver-no-api", "", "GET " + alpine + "referrers/{absent}", 404, errs, `"code":"UNKNOWN"`, ""},
	{"ociclient-proxy", "", linkedList, 200, list, SignatureType, ""},
	{"ociclient-proxy", "", "GET /v2/team/app/referrers/{bare}", 200, list, `"manifests":null`, ""},
	{"ociclient-proxy", "", "GET /v2/team/absent/referrers/{absent}", 200, list, `"manifests":null`, ""},
	{"ociclient-proxy", "", linkedList + filtered, 200, list, SBOMType, "OCI-Filters-Applied: artifactType"},
	{"ocifilter-read-only", "", linkedList, 200, list, SignatureType, ""},
	{"ocifilter-read-only", "", upload, 400, errs, `"code":"UNSUPPORTED"`, ""},
	{"ocifilter-read-only", "", putTag, 400, errs, `"code":"UNSUPPORTED"`, ""},
	{"ocifilter-immutable", "", linkedList, 404, errs, `"code":"UNKNOWN"`, ""},
	{"ocimem-immutable", "", linkedList, 404, errs, `"code":"UNKNOWN"`, ""},
	{"distribution-proxy", "", linkedGet, 200, oci, `"schemaVersion":2`, ""},
	{"distribution-proxy", "", linkedList, 404, "text/plain", "404pagenotfound", ""},
	{"distribution-proxy", "", "GET " + alpine + "manifests/{tag}", 200, list, SignatureType, ""},
	{"distribution-proxy", "", putTag, 405, errs, `"code":"UNSUPPORTED"`, ""},
	{"olareg-no-api", "", linkedList, 404, "", "", "!Content-Type"},
	{"olareg-no-api", "", "GET " + alpine + "manifests/{tag}", 200, list, SignatureType, ""},
	{"olareg-no-delete", "", "DELETE " + alpine + "manifests/{linked}", 405, "", "", ""},
	{"olareg-read-only", "", linkedList, 200, list, SignatureType, ""},
	{"olareg-read-only", "", upload, 403, "text/plain", `"code":"DENIED"`, ""},
	{"olareg-read-only", "", putTag, 403, "text/plain", `"code":"DENIED"`, ""},
	{"olareg-gc", "", linkedList, 200, list, SignatureType, ""},
	{"olareg-pages", "", linkedList, 200, list, "", "Link: >; rel=next"},
	{"olareg-rate-limit", "", "GET /v2/", 200, "application/json", "{}", ""},
	{"ocimem-large", "", linkedList, 200, list, "org.example.padding", ""},

	{"harbor", "", "GET /v2/", 401, errs, `"code":"UNAUTHORIZED"`, `WWW-Authenticate: Bearer realm="`},
	{"harbor", "", signedList, 401, errs, "", harborChallenge},
	{"harbor", "wrong", signedList, 401, errs, "", `WWW-Authenticate: Basic realm="harbor"`},
	{"harbor", "Bearer " + anonymousToken, signedList, 401, errs, "", `WWW-Authenticate: Basic realm="harbor"`},
	{"harbor", "wrong", "GET /service/token", 200, errs, `"token":"anonymous"`, ""},
	{"harbor", "demo", "GET /v2/absent/app/manifests/1", 401, errs, "", `WWW-Authenticate: Basic realm="harbor"`},
	{"harbor", "demo", signedList, 200, list, ocispec.MediaTypeImageConfig, "!OCI-Filters-Applied"},
	{"harbor", "demo", signedList + filtered, 200, list, `"manifests":[]`, "OCI-Filters-Applied: artifactType"},
	{"harbor", "demo", "GET /v2/team/app/referrers/{bare}", 200, list, `"manifests":[]`, ""},
	{"harbor", "demo", "GET /v2/team/app/referrers/sha256:malformed", 400, errs, "", ""},
	{"harbor", "demo", "GET /v2/team/absent/referrers/{absent}", 200, list, `"manifests":[]`, ""},
	{"harbor", "demo", "HEAD " + signed + "referrers/{signed}", 404, "", "", ""},
	{"harbor-proxy", "demo", "GET /v2/team/app/referrers/sha256:malformed", 400, errs, "", ""},
	{"harbor-proxy", "demo", signedList, 200, list, `"manifests":[]`, ""},
	{"harbor-proxy", "demo", signedList + filtered, 200, list, `"manifests":[]`, "OCI-Filters-Applied: artifactType"},
	{"harbor-proxy", "demo", "GET " + signed + "manifests/{sig}", 200, oci, "", ""},
	{"harbor-proxy", "demo", putTag, 403, errs, `"code":"DENIED"`, ""},
	{"harbor-policy", "demo", linkedGet, 412, errs, "Theimageisnotsignedbycosign.", ""},
	{"harbor-policy", "demo", linkedHead, 412, errs, "", ""},
	{"gitea", "", linkedGet, 401, errs, `"code":"UNAUTHORIZED"`, giteaChallenge},
	{"gitea", "", linkedGet, 401, errs, "", `WWW-Authenticate: Basic realm="`},
	{"gitea", "", "GET /api/v1/version", 200, errs, `"version":"1.26.0"`, ""},
	{"gitea", "demo", "GET /api/v1/version", 200, errs, `"version":"1.26.0"`, ""},
	{"gitea", "Bearer of the registry", "GET /api/v1/version", 401, errs, "", ""},
	{"gitea", "demo", "GET /v2/token", 200, errs, `"token":`, ""},
	{"gitea", "demo", linkedList, 404, "text/plain", "404pagenotfound", "Docker-Distribution-Api-Version: registry/2.0"},
	{"gitea", "demo", "GET " + alpine + "tags/list", 200, "text/plain", `"latest"`, `Link: ?last=sha256-`},
	{"zot", "", "GET /v2/", 200, "", "", "Access-Control-Allow-Headers: X-ZOT-API-CLIENT"},
	{"zot", "", "HEAD " + alpine + "referrers/{linked}", 405, "", "", "Access-Control-Allow-Headers: X-ZOT-API-CLIENT"},
	{"zot", "", "GET /v2/team/app/referrers/{bare}", 200, list, `"manifests":[]`, ""},
	{"zot", "", "GET /v2/team/absent/referrers/{absent}", 200, list, `"manifests":[]`, ""},
	{"subject-first", "", linkedList, 200, list, SignatureType, ""},
	{"subject-first", "", "HEAD " + alpine + "referrers/{linked}", 404, "", "", ""},
	{"ghcr-404", "", linkedList, 303, "", "", "Location: /web/library/alpine/sha256:"},
	{"ghcr-404", "", "GET /web/library/alpine/sha256:1", 404, "text/html", "<title>", ""},
	{"ghcr-429", "", "GET /web/library/alpine/sha256:1", 429, "text/html", "<title>", "Retry-After: 880.092µs"},
	{"ghcr-200", "", "GET /web/library/alpine/sha256:1", 200, "text/html", "<title>", ""},
	{"ecr-expired", "", linkedGet, 401, "text/plain", "NotAuthorized", "WWW-Authenticate: Basic"},
	{"ecr-expired", "demo", linkedGet, 403, errs, "Yourauthorizationtokenhasexpired.", ""},
	{"acr-firewall", "", linkedGet, 403, errs, "clientwithIP'192.0.2.7'isnotallowedaccess.", ""},

	{"first-accept", "", linkedGet, 200, oci, `"schemaVersion":2`, ""},
	{"gzip-unasked", "", linkedList, 200, list, "\x1f\x8b", "Content-Encoding: gzip"},
	{"gzip-unasked", "", linkedGet, 200, oci, "\x1f\x8b", "Content-Encoding: gzip"},
	{"waf", "", linkedList, 403, "text/html", "<title>Requestblocked</title>", ""},
	{"waf", "", linkedGet, 200, oci, "", ""},
	{"sign-in-proxy", "", linkedHead, 302, "", "", "Location: /login"},
	{"sign-in-proxy", "", linkedList, 302, "text/html", "", "Location: /login"},
	{"sign-in-proxy", "", "GET /login", 200, "text/html", "<title>Signin</title>", ""},
	{"empty-always", "", linkedList, 200, list, `"manifests":[]`, ""},
	{"empty-always", "", "GET " + alpine + "manifests/{tag}", 200, list, SignatureType, ""},
	{"ignores-digest", "", "GET " + alpine + "referrers/{absent}", 200, list, SignatureType, ""},
	{"head-403", "", linkedHead, 403, "", "", ""},
	{"head-404", "", linkedHead, 404, "", "", ""},
	{"head-405", "", linkedHead, 405, "", "", ""},
	{"head-500", "", linkedHead, 500, "", "", ""},
	{"head-403", "", linkedGet, 200, oci, "", "Docker-Content-Digest: sha256:"},
	{"head-cut", "", linkedGet, 200, oci, "", "Docker-Content-Digest: sha256:"},
	{"referrers-402", "", linkedList, 402, "text/plain", "", ""},
	{"referrers-421", "", linkedList, 421, "text/plain", "", ""},
	{"referrers-426", "", linkedList, 426, "text/plain", "", ""},
	{"referrers-451", "", linkedList, 451, "text/plain", "", ""},
	{"retry-after-time", "", linkedList, 429, errs, `"code":"TOOMANYREQUESTS"`, "Retry-After: "},
}

// TestDifficultFacts holds every difficult registry against what was measured on the wire, with
// requests of its own.
func TestDifficultFacts(t *testing.T) {
	f := start(t, Options{Difficult: true})
	covered := map[string]bool{}
	for _, fact := range wireFacts {
		covered[fact.registry] = true
		checkWire(t, f, fact)
	}
	for _, r := range f.Registries() {
		if r.Group == Difficult && r.Image == "" && !covered[r.Name] {
			t.Errorf("%s: no fact is held against it", r.Name)
		}
	}
	for _, check := range []func(*testing.T, *Fleet){
		checkLostPushes, checkImmutable, checkPages, checkLarge, checkRateLimit, checkSubjectFirst, checkFirstAccept,
		checkUnixTime, checkHeadCut, checkGarbage, checkInventory,
	} {
		check(t, f)
	}
}

func checkWire(t *testing.T, f *Fleet, fact wireFact) {
	t.Helper()
	method, path, _ := strings.Cut(fact.request, " ")
	r, ok := f.Find(fact.registry)
	if !ok {
		t.Fatalf("%s is not in the fleet", fact.registry)
	}
	response, body := raw(t, f, r, method, path, fact.as, nil)
	contentType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	where := fact.registry + ": " + fact.request
	if response.StatusCode != fact.status || (contentType != fact.contentType && method != http.MethodHead) {
		t.Errorf("%s: %d %q, want %d %q", where, response.StatusCode, contentType, fact.status, fact.contentType)
	}
	if !strings.Contains(squeeze(body), fact.contains) {
		t.Errorf("%s: body %.300q, want %q in it", where, body, fact.contains)
	}
	name, value, _ := strings.Cut(fact.header, ": ")
	switch values := strings.Join(response.Header.Values(strings.TrimPrefix(name, "!")), "\n"); {
	case strings.HasPrefix(name, "!") && values != "":
		t.Errorf("%s: %s %q, want none", where, name[1:], values)
	case name != "" && name[0] != '!' && (values == "" || !strings.Contains(values, value)):
		t.Errorf("%s: %s %q, want %q in it", where, name, values, value)
	}
}

// raw sends one request as it is: it follows no redirect, signs nothing of its own and decodes
// nothing.
func raw(t *testing.T, f *Fleet, r Registry, method, path, as string, body io.Reader) (*http.Response, string) {
	t.Helper()
	if method == http.MethodPut && body == nil {
		body = strings.NewReader(someManifest)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, r.URL+named(t, f, path), body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", manifestTypes)
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("Content-Type", ocispec.MediaTypeImageManifest)
	switch as {
	case "":
	case "demo":
		request.SetBasicAuth(Username, Password)
	case "wrong":
		request.SetBasicAuth(Username, WrongPassword)
	default:
		request.Header.Set("Authorization", as)
	}
	response, err := f.transport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s: %s %s: %v", r.Name, method, path, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %s %s: %v", r.Name, method, path, err)
	}
	return response, string(content)
}

// named puts digests and tags in place of their names in braces. Images are the same at every
// registry.
func named(t *testing.T, f *Fleet, path string) string {
	t.Helper()
	everyday := find(t, f, "olareg")
	for name, value := range map[string]func() string{
		"{linked}": func() string { return resolve(t, f, everyday, Linked, LinkedTag).Digest.String() },
		"{bare}":   func() string { return resolve(t, f, everyday, Bare, BareTag).Digest.String() },
		"{signed}": func() string { return resolve(t, f, everyday, Signed, SignedTag).Digest.String() },
		"{absent}": func() string { return digest.FromString("not there").String() },
		"{tag}":    func() string { return referrersTag(resolve(t, f, everyday, Linked, LinkedTag).Digest) },
		"{sig}":    func() string { return referrersTag(resolve(t, f, everyday, Signed, SignedTag).Digest) + ".sig" },
	} {
		if strings.Contains(path, name) {
			path = strings.ReplaceAll(path, name, value())
		}
	}
	return path
}

// until looks again until ok is true, for ten seconds at the most.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again, end := time.NewTicker(10*time.Millisecond), time.After(10*time.Second)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-end:
			t.Errorf("%s: not so within ten seconds", what)
			return
		}
	}
}

func difficultNames() []string {
	var names []string
	for _, one := range difficult {
		names = append(names, one.name)
	}
	for _, one := range sharing {
		names = append(names, one.name)
	}
	return names
}

// TestDifficultTable: every line is whole, and no name is used twice.
func TestDifficultTable(t *testing.T) {
	for _, one := range difficult {
		if one.name == "" || one.kind == "" || one.about == "" || one.source == "" || one.serve == nil {
			t.Errorf("%s: the line is not whole: %+v", one.name, one)
		}
	}
	names := difficultNames()
	for _, one := range implementations {
		names = append(names, one.name)
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("a name is used twice: %s", names)
	}
	if err := (Options{Without: []string{"harbor"}}).check(); err == nil {
		t.Error("a difficult registry is left out of a fleet that has none, and this is not reported")
	}
	if err := (Options{Difficult: true, Without: []string{"harbor", "harbor-absent"}}).check(); err != nil {
		t.Error(err)
	}
	if err := (Options{Difficult: true, BasePort: 65535 - len(implementations)}).check(); err == nil {
		t.Error("the difficult registries have no port, and this is not reported")
	}
}

// TestUpstreamIsLeftOut: the proxy has nothing to be a proxy of, and says so.
func TestUpstreamIsLeftOut(t *testing.T) {
	_, err := Start(t.Context(), Options{Difficult: true, Stopped: []string{upstream}})
	if err == nil || !strings.Contains(err.Error(), upstream) {
		t.Errorf("got %v, want an error that names %s", err, upstream)
	}
	without := slices.DeleteFunc(difficultNames(), func(name string) bool {
		return name == "zot" || name == "harbor-absent"
	})
	f := start(t, Options{
		Difficult: true,
		Stopped:   []string{upstream},
		Without:   without,
	})
	var names []string
	for _, r := range f.Registries() {
		if r.Group == Difficult {
			names = append(names, r.Name)
		}
	}
	// harbor-absent shares the server of harbor, which is not there.
	if !slices.Equal(names, []string{"zot"}) {
		t.Errorf("the difficult registries are %q, want zot alone", names)
	}
}

// retryAfter is a Retry-After as a number.
func retryAfter(t *testing.T, response *http.Response) int64 {
	t.Helper()
	seconds, err := strconv.ParseInt(response.Header.Get("Retry-After"), 10, 64)
	if err != nil {
		t.Errorf("Retry-After: %v", err)
	}
	return seconds
}
