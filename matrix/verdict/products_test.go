package verdict

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
)

// product is a Product as a row has it: its name, version and evidence.
type product struct{ Name, Version, Evidence string }

// text is a text of the wire without a secret in it.
func text(raw string) Text { return Text{Raw: raw, Redacted: raw} }

func headers(name, value string) map[string]Text { return map[string]Text{name: text(value)} }

// TestIdentify: what each product shows of itself without being asked to sign in.
func TestIdentify(t *testing.T) {
	for _, test := range []struct {
		name string
		e    Evidence
		want product
		asks string
	}{
		{"nothing", Evidence{Host: "registry.example.com"}, product{}, ""},
		{"a web server is not a product", Evidence{Headers: headers("Server", "nginx/1.27.0")}, product{}, ""},
		{"Nexus", Evidence{Headers: headers("Server", "Nexus/3.80.0-06 (COMMUNITY)")}, product{"Nexus", "3.80.0-06", "Server: Nexus/3.80.0-06 (COMMUNITY)"}, ""},
		{"Artifactory", Evidence{Headers: headers("X-Jfrog-Version", "Artifactory/7.98.9 79809900")}, product{"Artifactory", "7.98.9", "X-Jfrog-Version: Artifactory/7.98.9 79809900"}, ""},
		{"GitLab by its header", Evidence{Headers: headers("Gitlab-Container-Registry-Version", "v4.5.0-gitlab")}, product{"GitLab", "4.5.0-gitlab", "Gitlab-Container-Registry-Version: v4.5.0-gitlab"}, ""},
		{"a service by its host", Evidence{Host: "ghcr.io"}, product{"GHCR", "", "host ghcr.io"}, ""},
		{"a host that only ends like it", Evidence{Host: "notghcr.io"}, product{}, ""},
		{"ECR", Evidence{Host: "123456789012.dkr.ecr.eu-west-1.amazonaws.com"}, product{"ECR", "", "host 123456789012.dkr.ecr.eu-west-1.amazonaws.com"}, ""},
		{"Artifact Registry", Evidence{Host: "europe-docker.pkg.dev"}, product{"Artifact Registry", "", "host europe-docker.pkg.dev"}, ""},
		{"Harbor", Evidence{Realm: text("https://harbor.example.com/service/token"), Service: text("harbor-registry")}, product{"Harbor", "", "token realm https://harbor.example.com/service/token, service harbor-registry"}, ""},
		{"Gitea", Evidence{Realm: text("https://git.example.com/v2/token"), Service: text("container_registry"), Endpoint: "/api/v1/version", Version: text("1.24.6")},
			product{"Gitea", "1.24.6", "token realm https://git.example.com/v2/token, service container_registry, /api/v1/version"}, "/api/v1/version"},
		{"Forgejo", Evidence{Realm: text("https://git.example.com/v2/token"), Service: text("container_registry"), Endpoint: "/api/v1/version", Version: text("12.0.1+gitea-1.22.0")},
			product{"Forgejo", "12.0.1", "token realm https://git.example.com/v2/token, service container_registry, /api/v1/version"}, "/api/v1/version"},
		{"an endpoint that has no version", Evidence{Realm: text("https://git.example.com/v2/token"), Service: text("container_registry"), Endpoint: "/api/v1/version"},
			product{"Gitea or Forgejo", "", "token realm https://git.example.com/v2/token, service container_registry"}, "/api/v1/version"},
		{"Quay", Evidence{Host: "quay.example.com", Realm: text("https://quay.example.com/v2/auth"), Service: text("quay.example.com:8443")}, product{"Quay", "", "token realm https://quay.example.com/v2/auth, service quay.example.com:8443"}, ""},
		{"a realm like Quay's, of another service", Evidence{Host: "r.example.com", Realm: text("https://r.example.com/v2/auth"), Service: text("registry")}, product{}, ""},
		{"Alibaba Enterprise", Evidence{Host: "team-registry.cn-hangzhou.cr.aliyuncs.com"}, product{"Alibaba ACR", "", "host team-registry.cn-hangzhou.cr.aliyuncs.com"}, ""},
		{"Alibaba Personal, of old", Evidence{Host: "registry.cn-hangzhou.aliyuncs.com"}, product{"Alibaba ACR Personal", "", "host registry.cn-hangzhou.aliyuncs.com"}, ""},
		{"Alibaba Personal", Evidence{Host: "crpi-1.cn-hangzhou.personal.cr.aliyuncs.com"}, product{"Alibaba ACR Personal", "", "host crpi-1.cn-hangzhou.personal.cr.aliyuncs.com"}, ""},
		{"Pulp", Evidence{Headers: headers("X-Registry-Supports-Signatures", "1"), Realm: text("https://pulp.example.com/token/"), Service: text("pulp.example.com")},
			product{"Pulp", "", "X-Registry-Supports-Signatures: 1, token realm https://pulp.example.com/token/"}, ""},
		{"OpenShift, which sends that header too", Evidence{Headers: headers("X-Registry-Supports-Signatures", "1"), Realm: text("https://r.example.com/openshift/token")}, product{"OpenShift", "", "token realm https://r.example.com/openshift/token"}, ""},
		{"the header alone, which many send", Evidence{Headers: headers("Docker-Distribution-Api-Version", "registry/2.0")}, product{}, ""},
		{"zot by its header", Evidence{Headers: headers("Access-Control-Allow-Headers", "Authorization,content-type,X-ZOT-API-CLIENT")},
			product{"zot", "", "Access-Control-Allow-Headers: Authorization,content-type,X-ZOT-API-CLIENT"}, "/v2/_zot/ext/mgmt"},
		{"a header that only begins like it", Evidence{Headers: headers("Access-Control-Allow-Headers", "Authorization, X-ZOT-API-CLIENT-ID")}, product{}, ""},
		{"the version of another endpoint", Evidence{Headers: headers("Access-Control-Allow-Headers", "X-ZOT-API-CLIENT"), Endpoint: "/api/v1/version", Version: text("1.24.6")},
			product{"zot", "", "Access-Control-Allow-Headers: X-ZOT-API-CLIENT"}, "/v2/_zot/ext/mgmt"},
		{"zot", Evidence{Realm: text("https://zot.example.com/zot/auth/token"), Endpoint: "/v2/_zot/ext/mgmt", Version: text("v2.1.7")},
			product{"zot", "2.1.7", "token realm https://zot.example.com/zot/auth/token, /v2/_zot/ext/mgmt"}, "/v2/_zot/ext/mgmt"},
	} {
		got := Identify(test.e)
		if diff := cmp.Diff(test.want, product{got.Name, got.Version, got.evidence()}); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		if got := VersionEndpoint(test.e); got != test.asks {
			t.Errorf("%s: asks %q, want %q", test.name, got, test.asks)
		}
	}
}

// TestShownEvidence: rules judge what was sent, and a product has what may be shown of it.
func TestShownEvidence(t *testing.T) {
	hidden := func(raw string) Text { return Text{Raw: raw, Redacted: "***"} }
	for name, e := range map[string]Evidence{
		"Nexus":   {Headers: map[string]Text{"Server": hidden("Nexus/3.80.0-canary (OSS)")}},
		"zot":     {Headers: map[string]Text{"Access-Control-Allow-Headers": hidden("X-ZOT-API-CLIENT,canary")}, Endpoint: "/v2/_zot/ext/mgmt", Version: hidden("2.1.20-canary")},
		"Quay":    {Host: "quay.test", Realm: hidden("https://canary.test/v2/auth"), Service: hidden("quay.test:canary")},
		"Forgejo": {Realm: hidden("https://canary.test/v2/token"), Service: text("container_registry"), Endpoint: "/api/v1/version", Version: hidden("12.0.1-canary+gitea-1.22.0")},
	} {
		p := Identify(e)
		if shown := ShowProduct(p, nil); p.Name != name || strings.Contains(shown.Version+shown.Evidence, "canary") || shown.Name != name {
			t.Errorf("%s: %+v is shown as %+v", name, p, shown)
		}
		if wantsVersion := name != "Quay"; wantsVersion != strings.Contains(p.Version, "canary") {
			t.Errorf("%s: the version is %q", name, p.Version)
		}
	}
	if got := ShowProduct(Product{}, nil); got != nil {
		t.Errorf("nothing is shown as %+v", got)
	}
}

// TestIsSign: a header is a sign by its value, and its name is among those that are looked at.
func TestIsSign(t *testing.T) {
	for _, test := range []struct {
		name, value string
		want        bool
	}{
		{"Server", "Nexus/3.80.0-06 (COMMUNITY)", true},
		{"Server", "nginx/1.27.0", false},
		{"Server", "", false},
		{"X-Artifactory-Id", "b1", true},
		{"X-Artifactory-Id", "", false},
		{"X-Registry-Supports-Signatures", "1", true},
		{"Access-Control-Allow-Headers", "Authorization", false},
		{"Docker-Distribution-Api-Version", "registry/2.0", false},
	} {
		if got := IsSign(test.name, test.value); got != test.want || got && !slices.Contains(SignHeaders(), test.name) {
			t.Errorf("%s: %s: %t, want %t of %q", test.name, test.value, got, test.want, SignHeaders())
		}
	}
	for i := range signatures {
		if name := signatures[i].header; name != http.CanonicalHeaderKey(name) {
			t.Errorf("%s is not as net/http writes it", name)
		}
	}
}

// TestReadVersion: the version in the answer of an endpoint.
func TestReadVersion(t *testing.T) {
	for content, want := range map[string]string{
		`{"version":"1.24.6"}`:                            "1.24.6",
		`{"releaseTag":"v2.1.7"}`:                         "v2.1.7",
		`{"version":"<script>"}`:                          "",
		`{"version":7}`:                                   "",
		`<html>1.24.6</html>`:                             "",
		`{"version":"1.` + strings.Repeat("2", 63) + `"}`: "",
	} {
		if got := ReadVersion([]byte(content)); got != want {
			t.Errorf("%s: %q, want %q", content, got, want)
		}
	}
}

// TestMinimumVersions: remedies name the first version that has the API. Older lists say
// Harbor 2.6, which is wrong.
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
		{Product{}, find(matrix.NotFound).remedies[0]},
	} {
		o := with(subject(status(404)), func(o *Observation) { o.Product = test.product })
		if diff := cmp.Diff(test.first, remediesFor(o, show(o, nil), Judge(o))[0]); diff != "" {
			t.Error(diff)
		}
	}
	for name, k := range records {
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

// TestContradictionNamesTheException: a record that has one does not blame a
// proxy first.
func TestContradictionNamesTheException(t *testing.T) {
	for product, want := range map[product]string{
		{Name: "ACR"}:                            "but registries with customer-managed keys lack it; HTTP 404 suggests that, or a proxy",
		{Name: "Artifactory", Version: "7.98.9"}: "but repositories of type Docker lack it",
		{Name: "Harbor", Version: "2.11.0"}:      "HTTP 404 suggests a proxy in between",
	} {
		o := with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: product.Name, Version: product.Version} })
		if got := contradiction(show(o, nil), Judge(o)); !contradicts(o, Judge(o)) || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestVersionShape: what does not look like a version is not taken for one.
func TestVersionShape(t *testing.T) {
	for version, want := range map[string]bool{
		"12": true, "v2": true, "2024-01": true, "3.80.0-06": true, "1.22.0+gitea-1.21": true, "v2.10.0-abc": true,
		"1.22rc1": true, "1.26.0-dev": true, "v2.1": true, "1_2": true,
		"": false, "v": false, "latest": false, "5f3kQ9": false, "9f86d081884c7d65": false, "63616e617279": false, "v2x": false, "1.": false, ".1": false, "1.x": false,
		"1 2": false, "1.2<b>": false, "1.2\n": false,
	} {
		if got := versionShape.MatchString(version); got != want {
			t.Errorf("%q: %t, want %t", version, got, want)
		}
	}
}
