package inventory

import (
	"net/url"
	"regexp"
)

// notRegistries are addresses that people copy into url: although no registry is there:
// the registry's API, or the page of a browser. Each pattern is held against host and
// path. A path that could be a base path is not here: the scan shows what is behind it.
var notRegistries = []struct {
	pattern *regexp.Regexp
	message string
}{
	// Clients add /v2/ to the base path (distribution specification v1.1, Endpoints).
	// docker login still writes /v1/ behind Docker Hub's name.
	{regexp.MustCompile(`/v2$`), "leave /v2/ out: every request adds it"},
	{regexp.MustCompile(`/v1$`), "leave /v1/ out: every request adds /v2/"},
	{regexp.MustCompile(`/v2/(_catalog|.+/(manifests|tags|blobs|referrers)/.+)$`),
		"is one request of the registry's API: end the url before /v2/"},

	{regexp.MustCompile(`^(hub|www|app)\.docker\.com(/|$)`), "is a web site of Docker: write docker.io"},
	{regexp.MustCompile(`^(www\.)?github\.com(/|$)`), "is GitHub's web site: write ghcr.io"},
	{regexp.MustCompile(`^gitlab\.com(/|$)`), "is GitLab's web site: write registry.gitlab.com"},
	{regexp.MustCompile(`^gallery\.ecr\.aws(/|$)`), "is the web site of Amazon ECR Public: write public.ecr.aws"},

	// The pages of Harbor and Artifactory. /harbor alone may be a base path behind a proxy,
	// and a repository of Artifactory may be called ui: its base path ends so.
	{regexp.MustCompile(`/harbor/projects(/|$)|/account/sign-in$`), aWebPage},
	{regexp.MustCompile(`^[^/]+(/ui$|/ui/|/artifactory/(ui|webapp)(/|$))`), aWebPage},
	{regexp.MustCompile(`/[^/]+\.(html?|php|aspx?|jsp)$`), aWebPage},

	// These serve /v2/ at the root of the host and nowhere else.
	{regexp.MustCompile(`^(registry-1\.docker\.io|ghcr\.io|quay\.io|public\.ecr\.aws|registry\.k8s\.io|` +
		`mcr\.microsoft\.com|registry\.gitlab\.com|([^/]+\.)?gcr\.io|[^/]+\.pkg\.dev|[^/]+\.azurecr\.io|` +
		`[^/]+\.dkr\.ecr\.[^/]+)/.`), "has a path, and this registry has none: write the host alone, and repositories under images:"},
}

const aWebPage = "is a page of the registry's web site: write the registry's host, and the base path if there is one"

// notRegistry returns what is wrong with a url at which no registry can be, or "". u is
// as a Registry has it.
func notRegistry(u *url.URL) string {
	for _, known := range notRegistries {
		if known.pattern.MatchString(u.Host + u.Path) {
			return known.message
		}
	}
	return ""
}
