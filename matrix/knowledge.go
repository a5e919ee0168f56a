package matrix

import (
	"fmt"
	"strconv"
	"strings"
)

// knowledge is what is reported of a product. It is never a verdict: it gives
// remedies their versions, and findings where the measurement contradicts it.
type knowledge struct {
	has    bool   // the product has the referrers API
	since  string // first version that has it; "" where it is a service or never had it
	note   string // when it is not there all the same, a clause
	source string // where this was reported
}

// known by product name. Versions that older lists give and that are wrong
// (Harbor 2.6, Distribution 2.8) are not here, and a test keeps them out.
var known = map[string]knowledge{
	"Harbor":            {has: true, since: "2.8.0", note: "its answers have the exact media type from 2.10", source: "harbor#17928, harbor#18865"},
	"Quay":              {has: true, since: "3.12.0", note: "the operator can switch it off", source: "quay#3071"},
	"Artifactory":       {has: true, since: "7.90.1", note: "it works in repositories of type OCI only, not Docker", source: "JFrog release notes 7.90.1, go-containerregistry#1962"},
	"zot":               {has: true, since: "1.4.3", source: "zot release notes 1.4.3"},
	"ECR":               {has: true, note: "it came in 2024-06", source: "AWS announcement, June 2024"},
	"ACR":               {has: true, note: "registries with customer-managed keys lack it", source: "Microsoft documentation, ORAS artifacts in ACR"},
	"Artifact Registry": {has: true, source: "measured reports; kubernetes/registry.k8s.io#287 for its early redirects"},
	"Alibaba ACR":       {has: true, note: "Enterprise instances only, since 2024-04", source: "Alibaba Cloud release notes, April 2024"},
	"GHCR":              {source: "actions/attest-build-provenance#91, oras-java#773"},
	"GitLab":            {source: "no release has it; oras-go#1396 for how it resolves the tag"},
	"Gitea":             {source: "no release has it"},
	"Forgejo":           {source: "no release has it"},
	"OpenShift":         {note: "its registry is CNCF Distribution", source: "distribution#4828"},
}

// expected reports whether the product should have the API in this version;
// sure is false where that is not known.
func (k knowledge) expected(version string) (has, sure bool) {
	switch {
	case !k.has:
		return false, true
	case k.since == "":
		return true, true
	case version == "":
		return true, false
	}
	return !older(version, k.since), true
}

// older compares dotted versions number by number; what follows a number in a
// part (1-02, 0+gitea) is passed over.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		if p, q := part(x, i), part(y, i); p != q {
			return p < q
		}
	}
	return false
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	digits := strings.TrimLeft(parts[i], "v")
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, _ := strconv.Atoi(digits)
	return n
}

// productRemedies are the lines that fit the product, before the general ones.
func productRemedies(o *Observation, v Verdict) []string {
	k, ok := known[o.Product.Name]
	if !ok || v.Strategy != ReferrersTag && v.Reason != WrongContentType && v.Reason != SubjectRejected {
		return nil
	}
	name := o.Product.Name
	has, sure := k.expected(o.Product.Version)
	note := ""
	if k.note != "" {
		note = "; " + k.note
	}
	switch {
	case !k.has:
		return []string{fmt.Sprintf("%s has no referrers API%s (%s): the tag schema is what there is.", name, note, k.source)}
	case k.since == "":
		return []string{fmt.Sprintf("%s has the referrers API%s (%s): look for a proxy in between or a repository type without it.", name, note, k.source)}
	case sure && !has:
		return []string{fmt.Sprintf("Upgrade %s %s to %s or later, which has the referrers API%s (%s).", name, o.Product.Version, k.since, note, k.source)}
	}
	return []string{fmt.Sprintf("%s has the referrers API since %s%s (%s): upgrade an older one, else look for a proxy that drops /referrers/.", name, k.since, note, k.source)}
}

// contradiction says where the measurement and what is known of the product
// disagree, "" where they do not.
func contradiction(o *Observation, v Verdict) string {
	k, ok := known[o.Product.Name]
	if !ok || v.Referrers == SupportUnknown {
		return ""
	}
	has, sure := k.expected(o.Product.Version)
	name := strings.TrimSpace(o.Product.Name + " " + o.Product.Version)
	switch works := v.Referrers == Supported; {
	case !sure || has == works:
		return ""
	case works:
		return fmt.Sprintf("%s is recorded as having no referrers API (%s), yet it answers here: the record may be out of date.", name, k.source)
	case k.since != "":
		return fmt.Sprintf("%s should have the referrers API since %s (%s); HTTP %d suggests a proxy in between, or a setting that hides it.", name, k.since, k.source, v.Status)
	}
	return fmt.Sprintf("%s should have the referrers API (%s); HTTP %d suggests a proxy in between, or a repository type without it.", name, k.source, v.Status)
}
