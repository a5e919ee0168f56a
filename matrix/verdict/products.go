package verdict

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Evidence is what a registry shows of itself, signed in or not, in all its rows.
type Evidence struct {
	Headers  map[string]Text // those of its answers that IsSign, by name
	Host     string          // of its url, without port
	Realm    Text            // of its Bearer challenge
	Service  Text            // of its Bearer challenge
	Endpoint string          // path of the well-known endpoint that was requested; "" = none
	Version  Text            // that this endpoint has
}

// Text is a text that a registry sent. It is kept when the row is over that met it, and the
// tokens that it may repeat are forgotten with the row. So it is redacted while they are
// known.
type Text struct {
	Raw      string // as it came: rules judge it
	Redacted string // without secrets: rows show it, cleaned
}

// Product is the registry software as it showed itself.
type Product struct {
	Name    string // of the table of signatures, ours; empty if nothing shows one
	Version string // as the registry sent it; empty if it did not
	Signs   []Sign // what shows it

	// VersionIn is the header or field that Version is a part of, without secrets. A part
	// of a secret is not known for one, the whole is.
	VersionIn string
}

// Sign is one thing that showed a product.
type Sign struct {
	Label string // what it is, ours: "token realm "
	Value string // what the registry sent, without secrets; empty if the label says it all
}

func (p Product) nameAndVersion() string {
	return matrix.Product{Name: p.Name, Version: p.Version}.NameAndVersion()
}

// evidence lists the signs in one line.
func (p Product) evidence() string {
	parts := make([]string, len(p.Signs))
	for i, sign := range p.Signs {
		parts[i] = sign.Label + sign.Value
	}
	return strings.Join(parts, ", ")
}

// signature is one way a product shows itself. Every part that is set has to
// hold; a group in header's pattern is the version.
type signature struct {
	product       string
	header        string
	pattern       *regexp.Regexp // of the header's value
	realm         *regexp.Regexp
	service       *regexp.Regexp
	serviceIsHost bool // the service is the registry's own host
	host          *regexp.Regexp
	versionPath   string // path of the endpoint that has the version, or ""
	source        string
}

func re(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// signatures of products, the strongest first: a header with a version, the host of a
// service, the shape of the challenge or a header of the product's own. Each is what no
// other product sends. CNCF Distribution, olareg, go-containerregistry's registry and
// ociregistry have none: all that they send is Docker-Distribution-Api-Version, as a dozen
// others do, and Gitea, nvcr.io and others answer with the plain 404 of Go's router too.
var signatures = []signature{
	{product: "Nexus", header: "Server", pattern: re(`^Nexus/([0-9][0-9A-Za-z.-]*)`), source: "Server header of Nexus Repository 3"},
	{product: "Artifactory", header: "X-Jfrog-Version", pattern: re(`^Artifactory/([0-9][0-9A-Za-z.-]*)`), source: "X-JFrog-Version header, sent on 401 too"},
	{product: "Artifactory", header: "X-Artifactory-Id", pattern: re(`.`), source: "X-Artifactory-Id header"},
	{product: "GitLab", header: "Gitlab-Container-Registry-Version", pattern: re(`^v?([0-9][0-9A-Za-z.-]*)`), source: "header of the GitLab container registry, on authorised answers"},
	{product: "Docker Hub", host: re(`^registry-1\.docker\.io$`), source: "host"},
	{product: "GHCR", host: re(`^ghcr\.io$`), source: "host"},
	{product: "Quay", host: re(`^quay\.io$`), source: "host"},
	{product: "ECR Public", host: re(`^public\.ecr\.aws$`), source: "host"},
	{product: "ECR", host: re(`\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws)$`), source: "host"},
	{product: "ACR", host: re(`\.azurecr\.(io|cn|us)$`), source: "host"},
	{product: "MCR", host: re(`^mcr\.microsoft\.com$`), source: "host"},
	{product: "Artifact Registry", host: re(`(-docker\.pkg\.dev|^([a-z]+\.)?gcr\.io)$`), source: "host; gcr.io is served by Artifact Registry"},
	{product: "registry.k8s.io", host: re(`^registry\.k8s\.io$`), source: "host; redirects to Artifact Registry"},
	{product: "GitLab", host: re(`^registry\.gitlab\.com$`), source: "host"},
	{product: "DigitalOcean", host: re(`^registry\.digitalocean\.com$`), source: "host"},
	{product: "OCIR", host: re(`\.ocir\.io$|^ocir\.[a-z0-9-]+\.oci\.oraclecloud\.com$`), source: "host"},
	{product: "Alibaba ACR Personal", host: re(`^registry(-vpc|-internal)?\.[a-z0-9-]+\.aliyuncs\.com$|\.personal\.cr\.aliyuncs\.com$`), source: "host; Enterprise instances have their own name in it"},
	{product: "Alibaba ACR", host: re(`-registry(-vpc|-internal)?\.[a-z0-9-]+\.cr\.aliyuncs\.com$`), source: "host of an Enterprise instance"},
	{product: "IBM Container Registry", host: re(`(^|\.)icr\.io$`), source: "host"},
	{product: "Cloudsmith", host: re(`^docker\.cloudsmith\.io$`), source: "host"},
	{product: "NVIDIA NGC", host: re(`^nvcr\.io$`), source: "host"},
	{product: "Red Hat registry", host: re(`^registry\.(access\.redhat\.com|redhat\.io)$`), source: "host"},
	{product: "Harbor", realm: re(`/service/token$`), service: re(`^harbor-registry$`), source: "challenge of Harbor's token service"},
	{product: "GitLab", realm: re(`/jwt/auth$`), service: re(`^container_registry$`), source: "challenge of GitLab's token service"},
	{product: giteaOrForgejo, realm: re(`/v2/token$`), service: re(`^container_registry$`), versionPath: "/api/v1/version", source: "challenge of Gitea and of Forgejo; their version says which of the two it is"},
	{product: "Quay", realm: re(`/v2/auth$`), serviceIsHost: true, source: "challenge of Quay's token service, whose service is its own host"},
	{product: "OpenShift", realm: re(`/openshift/token$`), source: "challenge of the OpenShift image registry"},
	{product: "zot", header: "Access-Control-Allow-Headers", pattern: re(`(?i)(?:^|[ ,])X-ZOT-API-CLIENT(?:[ ,]|$)`), versionPath: "/v2/_zot/ext/mgmt", source: "zot 2.1.20, measured: the header on every answer names the header of its web page; the mgmt extension has the version"},
	{product: "zot", realm: re(`/zot/auth/token$`), versionPath: "/v2/_zot/ext/mgmt", source: "challenge of zot's token service; the mgmt extension has the version"},
	{product: "Pulp", header: "X-Registry-Supports-Signatures", pattern: re(`^1$`), realm: re(`/token/$`), source: "pulp_container registry_api.py: the header on every answer, the realm with a closing slash"},
}

// giteaOrForgejo is what their common challenge shows.
const giteaOrForgejo = "Gitea or Forgejo"

// SignHeaders returns the names of the headers that can be a sign of a product.
func SignHeaders() []string {
	var names []string
	for i := range signatures {
		if name := signatures[i].header; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// IsSign reports whether a header with this value is a sign of a product, alone or beside
// others. A proxy may answer some requests itself, with a Server of its own.
func IsSign(name, value string) bool {
	return slices.ContainsFunc(signatures, func(s signature) bool {
		return s.header == name && s.pattern.MatchString(value)
	})
}

// match reports whether the signature holds, its version and what was seen.
func (s *signature) match(e Evidence) (version string, signs []Sign, ok bool) {
	check := func(pattern *regexp.Regexp, value Text, label string) bool {
		if pattern == nil {
			return true
		}
		m := pattern.FindStringSubmatch(value.Raw)
		if m == nil {
			return false
		}
		if len(m) > 1 && s.header != "" {
			version = m[1]
		}
		signs = append(signs, Sign{Label: label, Value: value.Redacted})
		return true
	}
	ok = check(s.pattern, e.Headers[s.header], s.header+": ") && check(s.realm, e.Realm, "token realm ") &&
		check(s.service, e.Service, "service ")
	if s.host != nil && ok {
		ok = s.host.MatchString(e.Host)
		signs = append(signs, Sign{Label: "host " + e.Host}) // the inventory's
	}
	if s.serviceIsHost && ok {
		service, _, _ := strings.Cut(e.Service.Raw, ":")
		ok = service != "" && strings.EqualFold(service, e.Host)
		signs = append(signs, Sign{Label: "service ", Value: e.Service.Redacted})
	}
	return version, signs, ok && len(signs) > 0
}

// Identify returns the product that e shows, or the zero one. A version is only
// ever one that the registry itself named.
func Identify(e Evidence) Product {
	for i := range signatures {
		s := &signatures[i]
		version, signs, ok := s.match(e)
		if !ok {
			continue
		}
		found := Product{Name: s.product, Version: version, Signs: signs}
		if version != "" {
			found.VersionIn = e.Headers[s.header].Redacted
		}
		if e.Version.Raw != "" && e.Endpoint == s.versionPath {
			found.refine(e)
		}
		return found
	}
	return Product{}
}

// refine takes version and name from the answer of the well-known endpoint.
func (p *Product) refine(e Evidence) {
	version := e.Version.Raw
	if p.Name == giteaOrForgejo {
		// Forgejo counts its own versions and names the Gitea it is compatible with.
		own, _, isForgejo := strings.Cut(version, "+gitea-")
		if p.Name = "Gitea"; isForgejo {
			p.Name, version = "Forgejo", own
		}
	}
	p.Version, p.VersionIn = strings.TrimPrefix(version, "v"), e.Version.Redacted
	p.Signs = append(p.Signs, Sign{Label: e.Endpoint})
}

// versionShape is what a version may look like before it is believed: numbers with dots,
// or one number, and then anything that releases are named by. A word that only begins
// with a digit, such as a hash or a password, is not a version.
var versionShape = re(`^v?[0-9]+(\.[0-9][0-9A-Za-z.+_-]*|[+_-][0-9A-Za-z.+_-]*)?$`)

// ReadVersion returns the version in the answer of a well-known endpoint, as it was sent.
// It is "" if the answer does not have one, or has something that does not look like one.
func ReadVersion(content []byte) string {
	var answer struct {
		Version    string `json:"version"`
		ReleaseTag string `json:"releaseTag"`
	}
	if json.Unmarshal(content, &answer) != nil {
		return ""
	}
	version := answer.Version
	if version == "" {
		version = answer.ReleaseTag
	}
	if !versionShape.MatchString(version) || len(version) > 64 {
		return ""
	}
	return version
}

// VersionEndpoint returns the path of the one endpoint that may have the version. It
// is "" if nothing seen so far points at a product with such an endpoint.
func VersionEndpoint(e Evidence) string {
	for i := range signatures {
		if version, _, ok := signatures[i].match(e); ok {
			if version != "" {
				return ""
			}
			return signatures[i].versionPath
		}
	}
	return ""
}
