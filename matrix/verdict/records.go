package verdict

import (
	"fmt"
	"strconv"
	"strings"

	"refmatrix/matrix"
)

// record is what is reported about a product. It is never a verdict. Remedies take
// their versions from it, a finding compares it with the measurement, and forecasts
// use it for what only a push would show.
type record struct {
	has      bool   // the product has the referrers API
	disputed bool   // reports conflict, so nothing is expected
	since    string // first version that has it; "" for a service, or if it never had it
	unless   string // exception to that, a clause
	note     string // what else to know, a clause
	source   string // where this was reported

	noSubject       string                   // PUT answers no OCI-Subject: always, or before this version; "" = not reported
	noSubjectSource string                   // source of noSubject
	byReason        map[matrix.Reason]string // the remedy of a reason, in place of the general one
}

// never is a noSubject of every version.
const never = "always"

// records by product name. Wrong versions of older lists (Harbor 2.6) are not here, and a
// test keeps them out.
var records = map[string]record{
	"Harbor": {has: true, since: "2.8.0", note: "its answers have the exact media type from 2.10", source: "harbor#17928, harbor#18865",
		noSubject: "2.9.0", noSubjectSource: "harbor#18865",
		byReason: map[matrix.Reason]string{matrix.WrongContentType: "Upgrade Harbor to 2.10 or later, whose answers have the exact media type; before 2.9 it sends no OCI-Subject either (harbor#18865)."}},
	"Quay": {has: true, since: "3.12.0", unless: "the operator can switch it off", source: "quay#3071",
		noSubject: never, noSubjectSource: "quay#3071",
		byReason: map[matrix.Reason]string{matrix.SubjectRejected: "Quay from 3.12.1 answers so for a subject that it does not know (quay#3071), so the API is there: test with an image that was pushed to this very repository."}},
	"Artifactory":                    {has: true, since: "7.90.1", unless: "repositories of type Docker lack it, those of type OCI have it", source: "JFrog release notes 7.90.1, go-containerregistry#1962"},
	"zot":                            {has: true, since: "1.4.3", source: "zot release notes 1.4.3"},
	"ECR":                            {has: true, note: "it came in 2024-06", source: "AWS announcement, June 2024"},
	"ACR":                            {has: true, unless: "registries with customer-managed keys lack it", source: "Microsoft documentation, ORAS artifacts in ACR"},
	"Artifact Registry":              {has: true, source: "measured reports; kubernetes/registry.k8s.io#287 for its early redirects"},
	"Alibaba ACR":                    {has: true, note: "Enterprise instances have it since 2024-04", source: "Alibaba Cloud release notes, April 2024"},
	"Alibaba ACR Personal":           {disputed: true, note: "only Enterprise instances are reported to have it", source: "Alibaba Cloud release notes, April 2024"},
	"Artifact Keeper":                {has: true, since: "1.8.0", source: "Artifact Keeper release notes 1.8.0"},
	"Cloudflare serverless-registry": {has: true, note: "it came in 2026-04", source: "cloudflare/serverless-registry, April 2026"},
	"Docker Hub":                     {disputed: true, note: "yes since about autumn 2025, no in 2026", source: "reports of users"},
	"GHCR":                           {source: "actions/attest-build-provenance#91, oras-java#773"},
	"GitLab":                         {source: "no release has it; oras-go#1396 for how it resolves the tag"},
	"Gitea":                          {source: "no release has it"},
	"Forgejo":                        {source: "no release has it"},
	giteaOrForgejo:                   {source: "no release of either has it"},
	"Pulp":                           {source: "no release has it"},
	"OpenShift":                      {note: "its registry is CNCF Distribution", source: "distribution#4828"},
}

// withoutSubject reports whether the product is on record for sending no
// OCI-Subject. If that depends on a version that is not known, it is not.
func withoutSubject(p Product) bool {
	r := records[p.Name]
	return r.noSubject == never || r.noSubject != "" && p.Version != "" && older(p.Version, r.noSubject)
}

// expected reports whether the product should have the API in this version;
// sure is false if that is not known.
func (r record) expected(version string) (has, sure bool) {
	switch {
	case r.disputed:
		return false, false
	case !r.has:
		return false, true
	case r.since == "":
		return true, true
	case version == "":
		return true, false
	}
	return !older(version, r.since), true
}

// older compares dotted versions number by number; what follows a number in a
// part (1-02, 0+gitea) is skipped.
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

// clauses returns what else to know about the product, each after a semicolon.
func (r record) clauses() string {
	text := ""
	for _, clause := range []string{r.unless, r.note} {
		if clause != "" {
			text += "; " + clause
		}
	}
	return text
}

// productRemedies are the lines that fit the product, before the general ones.
func productRemedies(o *Observation, s *shown, v Verdict) []string {
	r, ok := records[o.Product.Name]
	if remedy := r.byReason[v.Reason]; remedy != "" {
		return []string{remedy}
	}
	if !ok || v.Strategy != matrix.ReferrersTag && v.Reason != matrix.WrongContentType {
		return nil
	}
	name := o.Product.Name
	has, sure := r.expected(o.Product.Version)
	switch note := r.clauses(); {
	case r.disputed:
		return []string{fmt.Sprintf("Go by this measurement: whether %s has the referrers API is disputed%s (%s).",
			name, note, r.source)}
	case !r.has:
		return []string{fmt.Sprintf("%s has no referrers API%s (%s): the tag schema is what there is.", name, note, r.source)}
	case r.since == "":
		return []string{fmt.Sprintf("%s has the referrers API%s (%s): "+
			"look for a proxy in between or a repository type without it.", name, note, r.source)}
	case sure && !has:
		return []string{fmt.Sprintf("Upgrade %s %s to %s or later, which has the referrers API%s (%s).",
			name, s.Product.Version, r.since, note, r.source)}
	default:
		return []string{fmt.Sprintf("%s has the referrers API since %s%s (%s): "+
			"upgrade an older one, else look for a proxy that drops /referrers/.", name, r.since, note, r.source)}
	}
}

// contradicts reports whether the measurement differs from the record of the
// product.
func contradicts(o *Observation, v Verdict) bool {
	r, ok := records[o.Product.Name]
	if !ok || v.Referrers == matrix.SupportUnknown {
		return false
	}
	has, sure := r.expected(o.Product.Version)
	return sure && has != (v.Referrers == matrix.Supported)
}

// contradiction returns how the measurement differs from the record of the product.
// If the record has an exception, the text names it first.
func contradiction(s *shown, v Verdict) string {
	r, name := records[s.Product.Name], s.Product.nameAndVersion()
	if v.Referrers == matrix.Supported {
		return fmt.Sprintf("%s is recorded as having no referrers API (%s), "+
			"yet it answers here: the record may be out of date.", name, r.source)
	}
	since, cause := "", "a proxy in between, or a repository type without it"
	if r.since != "" {
		since, cause = " since "+r.since, "a proxy in between, or a setting that hides it"
	}
	if r.unless != "" {
		return fmt.Sprintf("%s should have the referrers API%s (%s), but %s; HTTP %d suggests that, or %s.",
			name, since, r.source, r.unless, v.Status, cause)
	}
	return fmt.Sprintf("%s should have the referrers API%s (%s); HTTP %d suggests %s.",
		name, since, r.source, v.Status, cause)
}

// unsent reports whether the product is on record for sending no OCI-Subject and no
// push showed what it sends.
func unsent(o *Observation, v Verdict) bool {
	pushed := o.Capabilities.Push != nil && o.Capabilities.Push.Accepted
	return v.Referrers == matrix.Supported && !pushed && withoutSubject(o.Product)
}

func unsentText(s *shown, _ Verdict) string {
	return fmt.Sprintf("%s is recorded as sending no OCI-Subject on a push (%s): "+
		"oras and regctl write the referrers tag beside the API.",
		s.Product.nameAndVersion(), records[s.Product.Name].noSubjectSource)
}
