package matrix

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// subject is an observation whose image resolved, with an answer at the
// referrers endpoint.
func subject(answer Referrers) *Observation {
	return &Observation{
		Manifest:  Manifest{Answer: Answer{Status: 200}, Digest: "sha256:" + strings.Repeat("a", 64)},
		Referrers: answer,
	}
}

func status(code int) Referrers { return Referrers{Answer: Answer{Status: code}} }

func index(contentType string, descriptors int) Referrers {
	return Referrers{
		Answer: Answer{Status: 200, ContentType: contentType, Body: BodyIndex},
		Index:  &Index{Total: descriptors},
	}
}

// with returns o after change.
func with(o *Observation, change func(*Observation)) *Observation {
	change(o)
	return o
}

// TestJudgeAlways: whatever is observed, there is one verdict, and it never
// says more than was seen.
func TestJudgeAlways(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(n int) bool { return random.IntN(n) == 0 }
	statuses := []int{0, 200, 202, 204, 301, 303, 400, 401, 403, 404, 405, 406, 410, 415, 422, 429, 500, 501, 502, 503, 504, 999}
	codes := []string{"UNAUTHORIZED", "DENIED", "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "METHOD_UNKNOWN"}
	faults := []Reason{TokenError, DNS, Connect, TLS, Timeout, Protocol, Redirect, AuthRefused, Credentials}
	bodies := []BodyKind{"", BodyEmpty, BodyIndex, BodyManifest, BodyJSON, BodyHTML, BodyText, BodyBinary}
	answer := func() Answer {
		a := Answer{
			Status: statuses[random.IntN(len(statuses))], Body: bodies[random.IntN(len(bodies))], Challenge: pick(3), Token: pick(6),
			ContentType: []string{"", IndexMediaType, IndexMediaType + "; charset=utf-8", "text/html", "{"}[random.IntN(5)],
		}
		if pick(3) {
			a.Codes = []string{codes[random.IntN(len(codes))]}
		}
		if pick(5) {
			a.Status, a.Fault = 0, &Fault{faults[random.IntN(len(faults))], "a fault"}
		}
		return a
	}
	for range 50_000 {
		o := &Observation{Manifest: Manifest{Answer: answer(), NoDigest: "no header"}, Referrers: Referrers{Answer: answer()}}
		if pick(2) {
			o.Manifest.Digest = "sha256:" + strings.Repeat("a", 64)
		}
		if pick(3) {
			o.Referrers.Index = &Index{Total: random.IntN(3)}
		}
		if pick(8) {
			o.Referrers.Location = "https://elsewhere.example/"
		}
		v := Judge(o)
		says := fmt.Sprintf("%+v of %+v", v, o)
		measured := v.Strategy != StrategyUnknown
		if v.Reason == "" || v.Detail == "" || v.Rule == "" || v.ConfidenceReason == "" || strings.Contains(v.Detail, "%!") {
			t.Fatal("something is not said:", says)
		}
		if measured && (o.Referrers.Fault != nil || !o.resolved()) {
			t.Fatal("a strategy follows from no answer:", says)
		}
		if v.Referrers == Supported && o.Referrers.Index == nil {
			t.Fatal("supported without an index:", says)
		}
		if measured == (v.Confidence == Assumed) || measured == (v.Referrers == SupportUnknown) {
			t.Fatal("confidence, support and strategy disagree:", says)
		}
		if v.Strategy == ReferrersTag && slices.Contains([]int{401, 403, 429, 500, 502, 503, 504}, o.Referrers.Status) && (o.Referrers.Status != 401 || o.Referrers.Challenge) && o.Referrers.Location == "" {
			t.Fatal("a refusal of the account or a breakdown read as no API:", says)
		}
		row := NewRow(Target{Registry: "r", Image: "i"}, o)
		if row.Remedy == nil || len(row.Remedy) > maxRemedies || len(row.Remedy) == 0 && v.Severity != Pass {
			t.Fatal("what to do is not said:", says)
		}
	}
}

func coded(code int, name string) Referrers {
	return Referrers{Answer: Answer{Status: code, Codes: []string{name}}}
}

func page(code int, contentType string, kind BodyKind) Referrers {
	return Referrers{Answer: Answer{Status: code, ContentType: contentType, Body: kind}}
}

// forecastTable is what released clients do with an answer on GET referrers;
// the columns are oras, notation, cosign, regctl and containerd, reading, then
// the first four, pushing. The demo fleet's TestClients runs them.
var forecastTable = []struct {
	answer     string
	seen       Referrers
	read, push string
}{
	{"200 index, exact type", index(IndexMediaType, 0), "api api api api api", "api tag api api"},
	{"200 index, charset", index(IndexMediaType+"; charset=utf-8", 0), "tag tag tag api api", "tag tag nothing-found api"},
	{"200 index, other type", index("application/json", 0), "tag tag tag tag api", "tag tag nothing-found tag"},
	{"200 page", page(200, "text/html", BodyHTML), "tag tag tag tag error", "tag tag nothing-found tag"},
	{"200 empty", page(200, "", BodyEmpty), "tag tag tag tag error", "tag tag nothing-found tag"},
	{"200 page, index type", page(200, IndexMediaType, BodyHTML), "error error error tag error", "tag tag nothing-found tag"},
	{"200 JSON", page(200, "application/json", BodyJSON), "tag tag tag tag -", "tag tag nothing-found tag"},
	{"200 JSON, index type", page(200, IndexMediaType, BodyJSON), "- - - - -", "- - - -"},
	{"404", status(404), "tag tag tag tag tag", "tag tag tag tag"},
	{"404 with an index", Referrers{Answer: Answer{Status: 404}, Index: &Index{}}, "tag tag tag tag tag", "tag tag tag tag"},
	{"404 NAME_UNKNOWN", coded(404, "NAME_UNKNOWN"), "error error tag tag tag", "tag tag tag tag"},
	{"400", status(400), "error error tag tag tag", "tag tag tag tag"},
	{"405", status(405), "error error error tag tag", "tag tag error tag"},
	{"401", status(401), "error error error tag tag", "tag tag error tag"},
	{"500", status(500), "error error error tag tag", "tag tag error tag"},
	{"406", status(406), "error error tag tag tag", "tag tag error tag"},
	{"a redirect away", Referrers{Answer: Answer{Status: 303, Location: "https://a.example/"}}, "- - - - -", "- - - -"},
	{"a token endpoint's 403", Referrers{Answer: Answer{Status: 403, Token: true}}, "- - - - -", "- - - -"},
}

func TestForecast(t *testing.T) {
	for _, test := range forecastTable {
		f := forecast(subject(test.seen))
		dash := func(o Outcome) string {
			if o == "" {
				return "-"
			}
			return string(o)
		}
		var read, push []string
		for _, client := range []string{"oras", "notation", "cosign", "regctl", "containerd"} {
			read = append(read, dash(f[client].Read))
			if client != "containerd" {
				push = append(push, dash(f[client].Push))
			}
		}
		if got := strings.Join(read, " "); got != test.read {
			t.Errorf("%s: reading %s, want %s", test.answer, got, test.read)
		}
		if got := strings.Join(push, " "); got != test.push {
			t.Errorf("%s: pushing %s, want %s", test.answer, got, test.push)
		}
		if f["crane"] != f["cosign"] {
			t.Errorf("%s: clients of one library differ", test.answer)
		}
	}
}

// TestForecastOfPushes: what the write probe saw, or what is on record of the
// product, decides what oras, notation, cosign and regctl write.
func TestForecastOfPushes(t *testing.T) {
	exact, charset, other, none := index(IndexMediaType, 0), index(IndexMediaType+"; charset=utf-8", 0), index("application/json", 0), status(404)
	for _, test := range []struct {
		name    string
		seen    Referrers
		push    *Push
		product Product
		want    string
	}{
		{"the API and OCI-Subject", exact, &Push{Strategy: PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{}, "api tag api api"},
		{"the API without OCI-Subject", exact, &Push{Strategy: PushDual, Accepted: true, Listed: true}, Product{}, "tag tag api tag"},
		{"OCI-Subject, and an empty list", exact, &Push{Strategy: PushLost, Accepted: true, OCISubject: true}, Product{}, "nothing-found tag nothing-found nothing-found"},
		{"accepted, and an empty list", exact, &Push{Strategy: PushTag, Accepted: true}, Product{}, "tag tag nothing-found tag"},
		{"OCI-Subject, and the list was not answered", exact, &Push{Strategy: PushUnknown, Accepted: true, OCISubject: true}, Product{}, "api tag api api"},
		{"cut short before the artifact was pushed", exact, &Push{Strategy: PushUnknown}, Product{}, "api tag api api"},
		{"refused", exact, &Push{Strategy: PushRefused}, Product{}, "api tag api api"},
		{"OCI-Subject before a 404", none, &Push{Strategy: PushLost, Accepted: true, OCISubject: true}, Product{}, "nothing-found tag tag nothing-found"},
		{"OCI-Subject before a 405", status(405), &Push{Strategy: PushLost, Accepted: true, OCISubject: true}, Product{}, "nothing-found tag error nothing-found"},
		{"OCI-Subject before another type", other, &Push{Strategy: PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{}, "nothing-found tag nothing-found nothing-found"},
		{"OCI-Subject before a charset", charset, &Push{Strategy: PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{}, "nothing-found tag nothing-found api"},
		{"Quay, not written to", exact, nil, Product{Name: "Quay"}, "tag tag api tag"},
		{"Quay that sent OCI-Subject", exact, &Push{Strategy: PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{Name: "Quay"}, "api tag api api"},
		{"Harbor 2.8", exact, nil, Product{Name: "Harbor", Version: "2.8.4"}, "tag tag api tag"},
		{"Harbor 2.9", exact, nil, Product{Name: "Harbor", Version: "2.9.0"}, "api tag api api"},
		{"Harbor of no known version", exact, nil, Product{Name: "Harbor"}, "api tag api api"},
	} {
		o := subject(test.seen)
		o.Capabilities.Push, o.Product = test.push, test.product
		var got []string
		for _, client := range []string{"oras", "notation", "cosign", "regctl"} {
			got = append(got, string(forecast(o)[client].Push))
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestConfidence: what makes an empty list more than likely, and what the write
// probe says where it does not.
func TestConfidence(t *testing.T) {
	three := 3
	for _, test := range []struct {
		name   string
		caps   Capabilities
		want   Confidence
		reason string // part of it
	}{
		{"nothing else", Capabilities{}, Likely, "or use the write probe"},
		{"an announced filter", Capabilities{Filter: FilterAnnounces}, Proven, "OCI-Filters-Applied"},
		{"listed", Capabilities{Push: &Push{Strategy: PushAPI, Listed: true}}, Proven, "was listed"},
		{"never listed", Capabilities{Push: &Push{Strategy: PushTag, Accepted: true}}, Likely, "never came up"},
		{"lost", Capabilities{Push: &Push{Strategy: PushLost, Accepted: true, OCISubject: true}}, Likely, "never came up"},
		{"refused", Capabilities{Push: &Push{Strategy: PushRefused}}, Likely, "did not get far enough"},
		{"descriptors on the second page", Capabilities{Descriptors: &three}, Proven, "descriptors"},
	} {
		o := subject(index(IndexMediaType, 0))
		o.Capabilities = test.caps
		if v := Judge(o); v.Confidence != test.want || !strings.Contains(v.ConfidenceReason, test.reason) || v.Reason != ReferrersEmpty {
			t.Errorf("%s: %s %s, %s", test.name, v.Reason, v.Confidence, v.ConfidenceReason)
		}
	}
}

// TestMatchType: media types are compared in any case and with any parameters,
// and only the exact spelling is exact, for clients compare it whole.
func TestMatchType(t *testing.T) {
	for contentType, want := range map[string]TypeMatch{
		IndexMediaType: TypeExact, IndexMediaType + "; charset=utf-8": TypeParameters, IndexMediaType + "; charset": TypeParameters,
		"Application/VND.oci.image.index.v1+json": TypeParameters, "application/json": TypeOther, "": TypeOther, IndexMediaType + "x": TypeOther,
	} {
		if got := MatchType(contentType); got != want {
			t.Errorf("%q is %s, want %s", contentType, got, want)
		}
	}
}

// TestFindings: each finding, what brings it up, and that nothing else does.
func TestFindings(t *testing.T) {
	tag := func(schema TagSchema) func(*Observation) {
		return func(o *Observation) { o.Capabilities.TagSchema = &schema }
	}
	exact := func(change func(*Observation)) *Observation { return with(subject(index(IndexMediaType, 1)), change) }
	seen := map[string]bool{}
	for _, test := range []struct {
		name string
		of   *Observation
		want string
	}{
		{"nothing to say", exact(func(*Observation) {}), ""},
		{"an index under 404", subject(Referrers{Answer: Answer{Status: 404}, Index: &Index{}}), "spec-404"},
		{"a charset", subject(index(IndexMediaType+"; charset=utf-8", 0)), "type-parameters writes-lost"},
		{"405", subject(status(405)), "clients-fail"},
		{"406, on which cosign cannot push", subject(status(406)), "clients-fail"},
		{"a web page, on which containerd fails", subject(page(200, "text/html", BodyHTML)), "clients-fail writes-lost"},
		{"links that only the tag has", exact(tag(TagSchema{State: TagIndex, Compared: true, Descriptors: 2, OnlyTag: []string{"sha256:b"}})), "links-only-tags"},
		{"links that only the API has", exact(tag(TagSchema{State: TagIndex, Compared: true, OnlyAPI: []string{"sha256:b"}})), "links-only-api"},
		{"links of a list that was not read whole", exact(tag(TagSchema{State: TagIndex, Descriptors: 2})), "links-not-compared"},
		{"a sha512 digest", with(subject(status(404)), func(o *Observation) { o.Manifest.Digest = "sha512:" + strings.Repeat("a", 128) }), "tag-cut"},
		{"a filter that is announced and not applied", exact(func(o *Observation) { o.Capabilities.Filter = FilterMisstated }), "filter-misstated"},
		{"a filter that leaves out what it was asked for", exact(func(o *Observation) { o.Capabilities.Filter = FilterFails }), "filter-fails"},
		{"OCI-Subject and no list", exact(func(o *Observation) {
			o.Capabilities.Push = &Push{Strategy: PushLost, Accepted: true, OCISubject: true}
		}), "push-lost"},
		{"accepted and never listed", exact(func(o *Observation) { o.Capabilities.Push = &Push{Strategy: PushTag, Accepted: true} }), "never-listed"},
		{"a blob that stays", exact(func(o *Observation) { o.Capabilities.Push = &Push{Strategy: PushAPI, LeftBlob: "sha256:b"} }), "left-behind"},
		{"the write probe without an image", with(subject(status(500)), func(o *Observation) { o.Manifest.Digest, o.WriteSkipped = "", true }), "write-skipped"},
		{"an interrupt", exact(func(o *Observation) { o.CutShort = true }), "cut-short"},
		{"Quay, not written to", exact(func(o *Observation) { o.Product = Product{Name: "Quay"} }), "no-oci-subject"},
		{"Docker Hub, of which reports conflict", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Docker Hub"} }), ""},
		{"Distribution without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "CNCF Distribution"} }), ""},
		{"the tag is the subject", exact(tag(TagSchema{State: TagSubject})), "tag-is-subject"},
		{"no OCI-Subject", exact(func(o *Observation) { o.Capabilities.Push = &Push{Strategy: PushDual} }), "dual-write"},
		{"not deleted", exact(func(o *Observation) {
			o.Capabilities.Push = &Push{Strategy: PushAPI, LeftBehind: []string{"sha256:b"}}
		}), "left-behind"},
		{"pages in a circle", exact(func(o *Observation) { o.Capabilities.Pagination = PageLoop }), "page-loop"},
		{"pages elsewhere", exact(func(o *Observation) { o.Capabilities.Pagination = PageForeign }), "page-loop"},
		{"a broken page", exact(func(o *Observation) { o.Capabilities.Pagination = PageBroken }), "page-loop"},
		{"a filter without effect", exact(func(o *Observation) { o.Capabilities.Filter = FilterIgnored }), "filter-ignored"},
		{"tags in use without the API", with(subject(status(404)), tag(TagSchema{State: TagIndex, Descriptors: 1})), "sha-tag-in-use"},
		{"cosign's tags", exact(func(o *Observation) { o.Capabilities.CosignTags = []string{".sig"} }), "cosign-tags"},
		{"Harbor 2.11 without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Harbor", Version: "2.11.0"} }), "contradicts-record"},
		{"GHCR with the API", exact(func(o *Observation) { o.Product = Product{Name: "GHCR"} }), "contradicts-record"},
		{"ECR without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "ECR"} }), "contradicts-record"},
		{"Harbor 2.7 without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Harbor", Version: "2.7.4"} }), ""},
		{"Harbor of no known version", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Harbor"} }), ""},
		{"Harbor that was not reached", with(subject(status(500)), func(o *Observation) { o.Product = Product{Name: "Harbor", Version: "2.11.0"} }), "clients-fail"},
	} {
		var codes []string
		for _, f := range findings(test.of, Judge(test.of)) {
			codes, seen[f.Code] = append(codes, f.Code), true
			if !strings.HasSuffix(f.Text, ".") {
				t.Errorf("%s: %q is no sentence", f.Code, f.Text)
			}
		}
		if got := strings.Join(codes, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	for _, rule := range findingRules {
		if !seen[rule.code] {
			t.Errorf("nothing brings up %s", rule.code)
		}
	}
}

// TestIdentify: what each product shows of itself without being asked to sign in.
func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		name string
		e    Evidence
		want Product
		asks string
	}{
		{"nothing", Evidence{Host: "registry.example.com"}, Product{}, ""},
		{"a web server is no product", Evidence{Headers: http.Header{"Server": {"nginx/1.27.0"}}}, Product{}, ""},
		{"Nexus", Evidence{Headers: http.Header{"Server": {"Nexus/3.80.0-06 (COMMUNITY)"}}}, Product{"Nexus", "3.80.0-06", "Server: Nexus/3.80.0-06 (COMMUNITY)"}, ""},
		{"Artifactory", Evidence{Headers: http.Header{"X-Jfrog-Version": {"Artifactory/7.98.9 79809900"}}}, Product{"Artifactory", "7.98.9", "X-Jfrog-Version: Artifactory/7.98.9 79809900"}, ""},
		{"GitLab by its header", Evidence{Headers: http.Header{"Gitlab-Container-Registry-Version": {"v4.5.0-gitlab"}}}, Product{"GitLab", "4.5.0-gitlab", "Gitlab-Container-Registry-Version: v4.5.0-gitlab"}, ""},
		{"a service by its host", Evidence{Host: "ghcr.io"}, Product{"GHCR", "", "host ghcr.io"}, ""},
		{"a host that only ends like it", Evidence{Host: "notghcr.io"}, Product{}, ""},
		{"ECR", Evidence{Host: "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}, Product{"ECR", "", "host 123456789012.dkr.ecr.eu-west-1.amazonaws.com"}, ""},
		{"Artifact Registry", Evidence{Host: "europe-docker.pkg.dev"}, Product{"Artifact Registry", "", "host europe-docker.pkg.dev"}, ""},
		{"Harbor", Evidence{Realm: "https://harbor.example.com/service/token", Service: "harbor-registry"}, Product{"Harbor", "", "token realm https://harbor.example.com/service/token, service harbor-registry"}, ""},
		{"Gitea", Evidence{Realm: "https://git.example.com/v2/token", Service: "container_registry", Endpoint: map[string]Body{"/api/v1/version": {200, []byte(`{"version":"1.24.6"}`)}}},
			Product{"Gitea", "1.24.6", "token realm https://git.example.com/v2/token, service container_registry, /api/v1/version"}, "/api/v1/version"},
		{"Forgejo", Evidence{Realm: "https://git.example.com/v2/token", Service: "container_registry", Endpoint: map[string]Body{"/api/v1/version": {200, []byte(`{"version":"12.0.1+gitea-1.22.0"}`)}}},
			Product{"Forgejo", "12.0.1", "token realm https://git.example.com/v2/token, service container_registry, /api/v1/version"}, "/api/v1/version"},
		{"an endpoint that answers nonsense", Evidence{Realm: "https://git.example.com/v2/token", Service: "container_registry", Endpoint: map[string]Body{"/api/v1/version": {200, []byte(`{"version":"<script>"}`)}}},
			Product{"Gitea", "", "token realm https://git.example.com/v2/token, service container_registry"}, "/api/v1/version"},
		{"an endpoint that refuses", Evidence{Realm: "https://git.example.com/v2/token", Service: "container_registry", Endpoint: map[string]Body{"/api/v1/version": {403, nil}}},
			Product{"Gitea", "", "token realm https://git.example.com/v2/token, service container_registry"}, "/api/v1/version"},
		{"Quay", Evidence{Host: "quay.example.com", Realm: "https://quay.example.com/v2/auth", Service: "quay.example.com:8443"}, Product{"Quay", "", "token realm https://quay.example.com/v2/auth, service quay.example.com:8443"}, ""},
		{"a realm like Quay's, of another service", Evidence{Host: "r.example.com", Realm: "https://r.example.com/v2/auth", Service: "registry"}, Product{}, ""},
		{"Alibaba Enterprise", Evidence{Host: "team-registry.cn-hangzhou.cr.aliyuncs.com"}, Product{"Alibaba ACR", "", "host team-registry.cn-hangzhou.cr.aliyuncs.com"}, ""},
		{"Alibaba Personal, of old", Evidence{Host: "registry.cn-hangzhou.aliyuncs.com"}, Product{"Alibaba ACR Personal", "", "host registry.cn-hangzhou.aliyuncs.com"}, ""},
		{"Alibaba Personal", Evidence{Host: "crpi-1.cn-hangzhou.personal.cr.aliyuncs.com"}, Product{"Alibaba ACR Personal", "", "host crpi-1.cn-hangzhou.personal.cr.aliyuncs.com"}, ""},
		{"Pulp", Evidence{Headers: http.Header{"X-Registry-Supports-Signatures": {"1"}}, Realm: "https://pulp.example.com/token/", Service: "pulp.example.com"},
			Product{"Pulp", "", "X-Registry-Supports-Signatures: 1, token realm https://pulp.example.com/token/"}, ""},
		{"OpenShift, which sends that header too", Evidence{Headers: http.Header{"X-Registry-Supports-Signatures": {"1"}}, Realm: "https://r.example.com/openshift/token"}, Product{"OpenShift", "", "token realm https://r.example.com/openshift/token"}, ""},
		{"Distribution", Evidence{Headers: http.Header{"Docker-Distribution-Api-Version": {"registry/2.0"}}, NotFound: "404 page not found"},
			Product{"CNCF Distribution", "", "Docker-Distribution-Api-Version: registry/2.0, 404 with the text 404 page not found"}, ""},
		{"the header alone, which many send", Evidence{Headers: http.Header{"Docker-Distribution-Api-Version": {"registry/2.0"}}}, Product{}, ""},
		{"zot", Evidence{Realm: "https://zot.example.com/zot/auth/token", Endpoint: map[string]Body{"/v2/_zot/ext/mgmt": {200, []byte(`{"releaseTag":"v2.1.7"}`)}}},
			Product{"zot", "2.1.7", "token realm https://zot.example.com/zot/auth/token, /v2/_zot/ext/mgmt"}, "/v2/_zot/ext/mgmt"},
	} {
		if diff := cmp.Diff(test.want, Identify(test.e)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if got := WellKnown(test.e); got != test.asks {
			t.Errorf("%s: asks %q, want %q", test.name, got, test.asks)
		}
	}
}

// TestMinimumVersions: remedies name the first version that has the API. Older
// lists say Harbor 2.6 and Distribution 2.8; both are wrong.
func TestMinimumVersions(t *testing.T) {
	for _, test := range []struct {
		product Product
		first   string // of the remedies on a 404
	}{
		{Product{Name: "Harbor", Version: "2.6.0"}, "Upgrade Harbor 2.6.0 to 2.8.0 or later, which has the referrers API; its answers have the exact media type from 2.10 (harbor#17928, harbor#18865)."},
		{Product{Name: "Harbor"}, "Harbor has the referrers API since 2.8.0; its answers have the exact media type from 2.10 (harbor#17928, harbor#18865): upgrade an older one, else look for a proxy that drops /referrers/."},
		{Product{Name: "Artifactory", Version: "7.77.3"}, "Upgrade Artifactory 7.77.3 to 7.90.1 or later, which has the referrers API; repositories of type Docker lack it, those of type OCI have it (JFrog release notes 7.90.1, go-containerregistry#1962)."},
		{Product{Name: "GHCR"}, "GHCR has no referrers API (actions/attest-build-provenance#91, oras-java#773): the tag schema is what there is."},
		{Product{Name: "ECR"}, "ECR has the referrers API; it came in 2024-06 (AWS announcement, June 2024): look for a proxy in between or a repository type without it."},
		{Product{Name: "Docker Hub"}, "Go by this measurement: whether Docker Hub has the referrers API is disputed; yes since about autumn 2025, no in 2026 (reports of users)."},
		{Product{}, remediesByReason[NotFound][0]},
	} {
		o := with(subject(status(404)), func(o *Observation) { o.Product = test.product })
		if diff := cmp.Diff(test.first, remedies(o, Judge(o))[0]); diff != "" {
			t.Error(diff)
		}
	}
	if k := known["CNCF Distribution"]; k.has || k.since != "" {
		t.Error("no release of CNCF Distribution has the API (distribution#4828)")
	}
	for name, k := range known {
		if has, sure := k.expected("2.6.0"); name == "Harbor" && (has || !sure) {
			t.Error("Harbor 2.6 has no referrers API (harbor#17928)")
		}
	}
	for _, pair := range [][2]string{{"2.7.9", "2.8.0"}, {"2.9", "2.10"}, {"3.79.1-02", "3.80.0"}, {"v1.4.2", "1.4.3"}, {"7.90", "7.90.1"}} {
		if !older(pair[0], pair[1]) || older(pair[1], pair[0]) || older(pair[1], pair[1]) {
			t.Errorf("%s is not older than %s", pair[0], pair[1])
		}
	}
}

// TestRemediesByReason: what a product does under a reason comes before what
// holds for any; a row that passes says what its findings ask for.
func TestRemediesByReason(t *testing.T) {
	named := func(name string) func(*Observation) { return func(o *Observation) { o.Product = Product{Name: name} } }
	for _, test := range []struct {
		of   *Observation
		want string // the beginning of the first
	}{
		{with(subject(coded(400, "MANIFEST_INVALID")), named("Quay")), "Quay from 3.12.1 answers so"},
		{with(subject(index("application/json", 0)), named("Harbor")), "Upgrade Harbor to 2.10"},
		{with(subject(index(IndexMediaType, 1)), func(o *Observation) { o.Capabilities.Pagination = PageLoop }), "Mend the next links"},
	} {
		got := remedies(test.of, Judge(test.of))
		if len(got) == 0 || !strings.HasPrefix(got[0], test.want) {
			t.Errorf("%q, want %q first", got, test.want)
		}
	}
}

// TestContradictionNamesTheException: a record that has one does not blame a
// proxy first.
func TestContradictionNamesTheException(t *testing.T) {
	for product, want := range map[Product]string{
		{Name: "ACR"}:                            "but registries with customer-managed keys lack it; HTTP 404 suggests that, or a proxy",
		{Name: "Artifactory", Version: "7.98.9"}: "but repositories of type Docker lack it",
		{Name: "Harbor", Version: "2.11.0"}:      "HTTP 404 suggests a proxy in between",
	} {
		o := with(subject(status(404)), func(o *Observation) { o.Product = product })
		if got := contradiction(o, Judge(o)); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestLinksNotReadWhole: an assessment says that it cannot tell where the
// source's list was not read to its end, or not compared with its tag.
func TestLinksNotReadWhole(t *testing.T) {
	three := 3
	for _, test := range []struct {
		name  string
		pages Pagination
		tag   TagSchema
		want  string // part of the gap, "" for none
	}{
		{"a broken page", PageBroken, TagSchema{State: TagAbsent}, "pagination broken"},
		{"pages in a circle", PageLoop, TagSchema{State: TagAbsent}, "pagination loop"},
		{"a page elsewhere", PageForeign, TagSchema{State: TagAbsent}, "pagination off-origin"},
		{"too many pages", PageBounded, TagSchema{State: TagAbsent}, "pagination bounded"},
		{"a tag that was not compared", PageSingle, TagSchema{State: TagIndex, Descriptors: 2}, "not looked at in full"},
		{"all pages and no tag", PageLinked, TagSchema{State: TagAbsent}, ""},
		{"all pages and a tag", PageLinked, TagSchema{State: TagIndex, Compared: true, Descriptors: 2, OnlyTagCount: 1}, ""},
	} {
		links, gap := linksOf(&Row{Referrers: Supported, Strategy: ReferrersAPI,
			Capabilities: &Capabilities{Descriptors: &three, Pagination: test.pages, TagSchema: &test.tag, CosignTags: []string{}}})
		if (gap == "") != (test.want == "") || !strings.Contains(gap, test.want) || gap == "" && links.Total() != 3+test.tag.OnlyTagCount {
			t.Errorf("%s: %q with %d links, want %q", test.name, gap, links.Total(), test.want)
		}
	}
}

// TestSummary: rows are counted, gates hold from their severity upwards.
func TestSummary(t *testing.T) {
	m := &Matrix{Rows: []Row{{Registry: "a", Severity: Pass}, {Registry: "a", Severity: Warn, Unexpected: true}, {Registry: "b", Severity: Info}}}
	m.Summary = Summarise(m.Rows)
	if want := (Summary{Registries: 2, Rows: 3, Pass: 1, Warn: 1, Info: 1, Unexpected: 1}); m.Summary != want {
		t.Errorf("%+v, want %+v", m.Summary, want)
	}
	for floor, want := range map[Severity]bool{Fail: false, Warn: true, Info: true} {
		if m.Gates(floor) != want {
			t.Errorf("--fail-on %s is %v", floor, !want)
		}
	}
	for _, s := range Severities {
		if m.Summary.Count(s) > 1 || s.AtLeast(Fail) != (s == Fail) || !s.AtLeast(Pass) {
			t.Errorf("%s is counted or ordered wrongly", s)
		}
	}
}
