package inventory

import (
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/address"
)

// The defaults of a registry that neither it nor defaults: sets.
func standard() Registry {
	return Registry{Rate: 10, Burst: 10, Concurrency: 4, Timeout: 10 * time.Second, Retries: 2, RetryCap: 30 * time.Second}
}

// expectations are what expect: takes: the strategies and the support values
// of the verdict.
var expectations = []string{"referrers-api", "referrers-tag", "supported", "unsupported", "invalid", "unknown"}

// requirable are the kinds that require: takes. That an image has some other artifact is
// nothing that one could ask for.
var requirable = slices.DeleteFunc(slices.Clone(matrix.LinkKinds), func(kind matrix.LinkKind) bool {
	return kind == matrix.KindOther
})

// inventory reads the document.
func (d *decoder) inventory(root *yaml.Node) *Inventory {
	inv := &Inventory{}
	base := entry{Registry: standard()}
	var entries *yaml.Node
	keys := d.mapping(root, "", []field{
		{"version", d.version},
		{"defaults", func(n *yaml.Node, path string) {
			d.mapping(n, path, d.shared(&base))
			base.images = d.withoutHosts(base.images)
		}},
		{"registries", func(n *yaml.Node, _ string) { entries = n }},
	})
	if keys == nil {
		return inv
	}
	if keys["version"] == nil {
		d.add(root, "version", "is missing: write version: 1")
	}
	if entries == nil {
		d.add(root, "registries", "is missing: list the registries to probe")
		return inv
	}
	named := map[string]int{}
	d.sequence(entries, "registries", func(n *yaml.Node, path string) {
		inv.Registries = append(inv.Registries, d.registry(n, path, base, named))
	})
	if resolved(entries).Kind == yaml.SequenceNode && len(inv.Registries) == 0 {
		d.add(entries, "registries", "is empty: list at least one registry")
	}
	inv.Whole = slices.Clone(inv.Registries)
	inv.inline, inv.Warnings = d.inline, d.warnings
	return inv
}

func (d *decoder) version(n *yaml.Node, path string) {
	if value, ok := d.text(n, path); ok && value != "1" {
		d.add(n, path, "%q is not known: this refmatrix reads version 1", value)
	}
}

// entry is a registry while its keys are read.
type entry struct {
	Registry
	images []listedImage // nil if they were left out
}

// shared are the keys that a registry and defaults: both take.
func (d *decoder) shared(r *entry) []field {
	return []field{
		{"images", func(n *yaml.Node, path string) { r.images = d.images(n, path) }},
		{"rate", func(n *yaml.Node, path string) { d.number(n, path, 0, 1e6, &r.Rate) }},
		{"burst", func(n *yaml.Node, path string) { d.integer(n, path, 1, 1e6, &r.Burst) }},
		{"concurrency", func(n *yaml.Node, path string) { d.integer(n, path, 1, 1024, &r.Concurrency) }},
		{"timeout", func(n *yaml.Node, path string) { d.duration(n, path, time.Millisecond, 10*time.Minute, &r.Timeout) }},
		{"retries", func(n *yaml.Node, path string) { d.integer(n, path, 0, 10, &r.Retries) }},
		{"retryCap", func(n *yaml.Node, path string) { d.duration(n, path, 0, time.Hour, &r.RetryCap) }},
		{"auth", func(n *yaml.Node, path string) { r.Auth = d.auth(n, path) }},
		{"tls", func(n *yaml.Node, path string) { r.TLS = d.tls(n, path) }},
		{"require", func(n *yaml.Node, path string) { r.Require = d.require(n, path) }},
		{"leavePulls", func(n *yaml.Node, path string) { d.integer(n, path, 0, 1e6, &r.LeavePulls) }},
		{"labels", func(n *yaml.Node, path string) { r.Labels = d.labels(n, path, r.Labels) }},
		{"expect", func(n *yaml.Node, path string) { d.expect(n, path, &r.Registry) }},
		{"writeProbe", func(n *yaml.Node, path string) { r.WriteProbe = d.writeProbe(n, path) }},
	}
}

// registry reads one entry over the defaults and checks what only both
// together can show.
func (d *decoder) registry(n *yaml.Node, path string, base entry, named map[string]int) Registry {
	r := base
	r.Line = n.Line
	keys := d.mapping(n, path, append(d.shared(&r),
		field{"name", func(n *yaml.Node, path string) { r.Name = d.name(n, path) }},
		field{"url", func(n *yaml.Node, path string) { d.url(n, path, &r.Registry) }},
	))
	if keys == nil {
		return r.Registry
	}
	if keys["url"] == nil {
		d.add(n, join(path, "url"), "is missing: write the registry's address")
	}
	d.checkName(n, path, keys, &r.Registry, named)
	if keys["images"] == nil { // those of defaults: what is wrong here may be right at another registry
		r.images = slices.Clone(r.images)
		for i := range r.images {
			r.images[i].node, r.images[i].path = n, join(path, "images")
		}
	}
	d.setImages(&r)
	return r.Registry
}

// checkName completes a name that was left out, host and base path, and
// refuses one that another entry has.
func (d *decoder) checkName(n *yaml.Node, path string, keys map[string]*yaml.Node, r *Registry, named map[string]int) {
	at := keys["name"]
	if at == nil && r.URL != nil {
		at = n
		r.Name = r.URL.Host + r.URL.Path
		if r.URL.Host == address.HubHost {
			r.Name = address.HubName
		}
		if tooLong(r.Name) {
			d.add(keys["url"], join(path, "url"), "makes a name of more than %d characters: give the registry a name:", maxName)
			r.Name = ""
		}
	}
	if r.Name == "" { // invalid, as reported already
		return
	}
	if line, twice := named[r.Name]; twice {
		d.add(at, join(path, "name"), "%q is the name of the registry at line %d too: give each its own name", r.Name, line)
	}
	named[r.Name] = n.Line
}

const maxName = 128 // runes

func tooLong(name string) bool { return utf8.RuneCountInString(name) > maxName }

func (d *decoder) name(n *yaml.Node, path string) string {
	value, ok := d.requiredText(n, path)
	if ok && tooLong(value) {
		d.add(n, path, "is longer than %d characters", maxName)
		return ""
	}
	return value
}

// misspelledScheme is a url that begins almost as one with a scheme. It would be the path of
// a host that is called https. A host of that name with a port is left alone.
var misspelledScheme = regexp.MustCompile(`^(https?)?//|^https?:(/?[^/0-9@]|/$|$)`)

// url reads where a registry is: https unless http is spelled out.
func (d *decoder) url(n *yaml.Node, path string, r *Registry) {
	value, ok := d.requiredText(n, path)
	if !ok {
		return
	}
	if misspelledScheme.MatchString(value) {
		d.add(n, path, "the scheme is misspelled: write https:// or http://")
		return
	}
	if !strings.Contains(value, "://") {
		value = "https://" + value
	}
	u, err := url.Parse(value)
	if err != nil {
		d.add(n, path, "is not a URL: write https://registry.example.com")
		return
	}
	switch {
	case strings.Contains(value, "@"): // in the path as well: a slash in a password ends the userinfo
		d.add(n, path, "must not carry credentials: write them under auth:")
	case u.Scheme != "https" && u.Scheme != "http":
		d.add(n, path, "the scheme %q is not known: write https:// or http://", u.Scheme)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		d.add(n, path, "must not carry a query or fragment: write the registry's host, and the base path if there is one")
	case u.Path != u.EscapedPath():
		d.add(n, path, "the base path must hold nothing that is percent-encoded or would have to be")
	case !validHost(u):
		d.add(n, path, "%q is not a host, or its port is not from 1 to 65535", u.Host)
	default:
		u.Host = address.ServingHost(strings.ToLower(u.Host))
		u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
		if wrong := notRegistry(u); wrong != "" {
			d.add(n, path, "%s", wrong)
			return
		}
		r.URL = u
	}
}

func validHost(u *url.URL) bool {
	host, port := u.Hostname(), u.Port()
	if host == "" || strings.HasSuffix(u.Host, ":") {
		return false
	}
	if port != "" {
		if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
			return false
		}
	}
	if strings.Contains(host, ":") {
		literal, _, _ := strings.Cut(host, "%")
		return net.ParseIP(literal) != nil
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return !unicode.IsPrint(r) || r < 0x80 && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '-' && r != '_'
	})
}

// labels adds to the labels of defaults, key by key. Any scalar is taken as
// its text.
func (d *decoder) labels(n *yaml.Node, path string, base map[string]string) map[string]string {
	labels := maps.Clone(base)
	if labels == nil {
		labels = map[string]string{}
	}
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		d.add(n, path, "must be a mapping of keys, not %s", kindOf(n))
		return labels
	}
	seen := map[string]bool{}
	for _, pair := range d.pairs(n, path) {
		at := join(path, pair[0].Value)
		if seen[pair[0].Value] {
			d.add(pair[0], at, "duplicate key")
			continue
		}
		seen[pair[0].Value] = true
		if pair[0].Value == "" || !isPrintable(pair[0].Value) {
			d.add(pair[0], path, "a label's key must be printable and not empty")
			continue
		}
		value, ok := d.text(pair[1], at)
		if ok && !isPrintable(value) {
			d.add(pair[1], at, "must not hold control characters")
			continue
		}
		labels[pair[0].Value] = value
	}
	return labels
}

func (d *decoder) expect(n *yaml.Node, path string, r *Registry) {
	value, ok := d.text(n, path)
	switch {
	case !ok:
	case !slices.Contains(expectations, value):
		d.add(n, path, "unknown outcome %q: choose %s", value, joined(expectations))
	default:
		r.Expect = value
	}
}

// require reads the kinds that every image must have. An empty list takes back those of
// defaults.
func (d *decoder) require(n *yaml.Node, path string) []matrix.LinkKind {
	kinds := []matrix.LinkKind{}
	d.sequence(n, path, func(n *yaml.Node, path string) {
		value, ok := d.text(n, path)
		switch kind := matrix.LinkKind(value); {
		case !ok:
		case !slices.Contains(requirable, kind):
			d.add(n, path, "unknown kind %q: choose %s", value, joined(requirable))
		case slices.Contains(kinds, kind):
			d.add(n, path, "%q is there twice", value)
		default:
			kinds = append(kinds, kind)
		}
	})
	return kinds
}

func joined[T ~string](choices []T) string {
	var out []string
	for _, one := range choices {
		out = append(out, string(one))
	}
	return strings.Join(out, ", ")
}

func (d *decoder) writeProbe(n *yaml.Node, path string) *WriteProbe {
	var probe WriteProbe
	keys := d.mapping(n, path, []field{{"repository", func(n *yaml.Node, path string) {
		value, ok := d.requiredText(n, path)
		if ok && !repositoryGrammar.MatchString(value) {
			d.add(n, path, "%q is not a repository name", value)
			return
		}
		probe.Repository = value
	}}})
	if keys != nil && keys["repository"] == nil {
		d.add(n, join(path, "repository"), "is missing: name a repository that may be written to")
	}
	return &probe
}

func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
