package matrix

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
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
		{"refused", Capabilities{Push: &Push{Strategy: PushRefused}}, Likely, "proved no more"},
		{"pushed to a repository without the API", Capabilities{Push: &Push{Strategy: PushTag, Accepted: true, NoList: true}}, Likely, "proved no more"},
		{"descriptors on the second page", Capabilities{Descriptors: &three}, Proven, "descriptors"},
	} {
		o := subject(index(IndexMediaType, 0))
		o.Capabilities = test.caps
		if v := Judge(o); v.Confidence != test.want || !strings.Contains(v.ConfidenceReason, test.reason) || v.Reason != ReferrersEmpty {
			t.Errorf("%s: %s %s, %s", test.name, v.Reason, v.Confidence, v.ConfidenceReason)
		}
	}
	listed := Capabilities{Push: &Push{Strategy: PushAPI, Listed: true}}
	under404 := func(descriptors int) Referrers {
		return Referrers{Answer: Answer{Status: 404}, Index: &Index{Total: descriptors}}
	}
	for _, test := range []struct {
		name   string
		seen   Referrers
		caps   Capabilities
		want   Confidence
		reason string // part of it
	}{
		{"a push that was listed elsewhere", status(410), listed, Likely, "a proxy or firewall"},
		{"descriptors under another type", index("text/plain", 1), Capabilities{}, Proven, "descriptors"},
		{"no descriptors under another type", index("text/plain", 0), Capabilities{}, Likely, "most clients refuse"},
		{"descriptors under 404", under404(1), Capabilities{}, Proven, "descriptors"},
		{"an empty list under 404, and a push refused", under404(0), Capabilities{Push: &Push{Strategy: PushRefused}}, Likely, "the specification forbids"},
	} {
		o := subject(test.seen)
		o.Capabilities = test.caps
		if v := Judge(o); v.Confidence != test.want || !strings.Contains(v.ConfidenceReason, test.reason) {
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
		{"a charset on a web page", subject(page(200, IndexMediaType+"; charset=utf-8", BodyHTML)), ""},
		{"405", subject(status(405)), "clients-fail"},
		{"406, on which cosign cannot push", subject(status(406)), "clients-fail"},
		{"a web page, on which containerd fails", subject(page(200, "text/html", BodyHTML)), "clients-fail writes-lost"},
		{"links that only the tag has", exact(tag(TagSchema{State: TagIndex, Compared: true, Descriptors: 2, OnlyTag: []string{"sha256:b"}})), "links-only-tags"},
		{"links that only the API has", exact(tag(TagSchema{State: TagIndex, Compared: true, OnlyAPI: []string{"sha256:b"}})), "links-only-api"},
		{"links that only the tag has, without the API", with(subject(status(404)), tag(TagSchema{State: TagIndex, Descriptors: 1, OnlyTag: []string{"sha256:b"}})), "sha-tag-in-use"},
		{"no tag and no API", with(subject(status(404)), tag(TagSchema{State: TagAbsent})), ""},
		{"no tag beside the API", exact(tag(TagSchema{State: TagAbsent})), ""},
		{"links of a list that was not read whole", exact(tag(TagSchema{State: TagIndex, Descriptors: 2})), "links-not-compared"},
		{"a sha512 digest", with(subject(status(404)), func(o *Observation) { o.Manifest.Digest = "sha512:" + strings.Repeat("a", 128) }), "tag-cut"},
		{"a digest that just fits", with(subject(status(404)), func(o *Observation) { o.Manifest.Digest = "sha512:" + strings.Repeat("a", 64) }), ""},
		{"a sha512 digest, and no tag beside the API", exact(func(o *Observation) { o.Manifest.Digest = "sha512:" + strings.Repeat("a", 128) }), ""},
		{"a sha512 digest, and a tag beside the API", exact(func(o *Observation) {
			o.Manifest.Digest, o.Capabilities.TagSchema = "sha512:"+strings.Repeat("a", 128), &TagSchema{State: TagIndex, Compared: true, Descriptors: 1}
		}), "tag-cut"},
		{"a filter that is announced and not applied", exact(func(o *Observation) { o.Capabilities.Filter = FilterMisstated }), "filter-misstated"},
		{"a filter that leaves out what it was asked for", exact(func(o *Observation) { o.Capabilities.Filter = FilterFails }), "filter-fails"},
		{"OCI-Subject and no list", exact(func(o *Observation) {
			o.Capabilities.Push = &Push{Strategy: PushLost, Accepted: true, OCISubject: true}
		}), "push-lost"},
		{"accepted and never listed", exact(func(o *Observation) { o.Capabilities.Push = &Push{Strategy: PushTag, Accepted: true} }), "never-listed"},
		{"accepted and never listed, where the image has no list", with(subject(status(404)), func(o *Observation) {
			o.Capabilities.Push = &Push{Strategy: PushTag, Accepted: true}
		}), ""},
		{"accepted where there is no API", exact(func(o *Observation) {
			o.Capabilities.Push = &Push{Strategy: PushTag, Accepted: true, NoList: true}
		}), "scratch-differs"},
		{"accepted where there is no API, as here", with(subject(status(404)), func(o *Observation) {
			o.Capabilities.Push = &Push{Strategy: PushTag, Accepted: true, NoList: true}
		}), ""},
		{"a blob that stays", exact(func(o *Observation) { o.Capabilities.Push = &Push{Strategy: PushAPI, LeftBlob: "sha256:b"} }), "left-behind"},
		{"the write probe without an image", with(subject(status(500)), func(o *Observation) { o.Manifest.Digest, o.WriteSkipped = "", true }), "write-skipped"},
		{"an interrupt", exact(func(o *Observation) { o.CutShort = true }), "cut-short"},
		{"Quay, not written to", exact(func(o *Observation) { o.Product = Product{Name: "Quay"} }), "no-oci-subject"},
		{"Quay, written to", exact(func(o *Observation) {
			o.Product, o.Capabilities.Push = Product{Name: "Quay"}, &Push{Strategy: PushDual, Accepted: true, Listed: true}
		}), "dual-write"},
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

// TestFindingWords: what a finding says of the case at hand.
func TestFindingWords(t *testing.T) {
	left := func(push Push) *Observation {
		return with(subject(index(IndexMediaType, 1)), func(o *Observation) { o.Capabilities.Push = &push })
	}
	product := func(answer Referrers, name string) *Observation {
		return with(subject(answer), func(o *Observation) { o.Product = Product{Name: name} })
	}
	for _, test := range []struct {
		of   *Observation
		want string // part of the only finding
	}{
		{left(Push{Repository: "scratch", LeftBehind: []string{"sha256:b"}, LeftBlob: "sha256:c"}), "left 1 manifest in scratch that the registry did not delete, or not within the time: sha256:b, and the blob sha256:c."},
		{left(Push{Repository: "scratch", LeftBehind: []string{"sha256:b", "sha256:c"}}), "2 manifests in scratch that the registry did not delete, or not within the time: sha256:b, sha256:c."},
		{subject(status(405)), "stops oras, notation, cosign, crane with an error when they read: they"},
		{subject(status(406)), "stops oras, notation with an error when they read, and cosign, crane when they attach: they"},
		{product(index(IndexMediaType, 1), "GHCR"), "GHCR is recorded as having no referrers API"},
		{product(status(404), "ECR"), "ECR should have the referrers API"},
	} {
		got := findings(test.of, Judge(test.of))
		if len(got) != 1 || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%v, want %q", got, test.want)
		}
	}
}

// TestNewRow: an expectation is of the strategy or of the support, and a row
// whose question got no answer claims no capabilities.
func TestNewRow(t *testing.T) {
	late := Referrers{Answer: Answer{Fault: &Fault{Timeout, "late"}}}
	for _, test := range []struct {
		seen   Referrers
		expect string
		differ bool
		shown  bool // it has capabilities
	}{
		{status(404), "", false, true},
		{status(404), "referrers-tag", false, true},
		{status(404), "unsupported", false, true},
		{status(404), "supported", true, true},
		{index(IndexMediaType, 1), "referrers-api", false, true},
		{index(IndexMediaType, 1), "referrers-tag", true, true},
		{late, "unknown", false, false},
		{late, "supported", true, false},
	} {
		row := NewRow(Target{Expect: test.expect}, subject(test.seen))
		if row.Unexpected != test.differ || (row.Capabilities != nil) != test.shown {
			t.Errorf("%+v, expected %q: unexpected %v, capabilities %v", test.seen, test.expect, row.Unexpected, row.Capabilities)
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

// TestLinksNotReadWhole: an assessment says that it cannot tell where the
// source's list was not read to its end, not compared with its tag, or where one
// of the places was not looked at.
func TestLinksNotReadWhole(t *testing.T) {
	three := 3
	for _, test := range []struct {
		name   string
		pages  Pagination
		tag    TagSchema
		change func(*Capabilities)
		want   string // part of the gap, "" for none
	}{
		{"a broken page", PageBroken, TagSchema{State: TagAbsent}, nil, "pagination broken"},
		{"pages in a circle", PageLoop, TagSchema{State: TagAbsent}, nil, "pagination loop"},
		{"a page elsewhere", PageForeign, TagSchema{State: TagAbsent}, nil, "pagination off-origin"},
		{"too many pages", PageBounded, TagSchema{State: TagAbsent}, nil, "pagination bounded"},
		{"a tag that was not compared", PageSingle, TagSchema{State: TagIndex, Descriptors: 2}, nil, "not looked at in full"},
		{"a tag that may not be read", PageSingle, TagSchema{State: TagUnknown}, nil, "not looked at in full"},
		{"no look at the tag", PageSingle, TagSchema{}, func(c *Capabilities) { c.TagSchema = nil }, "not looked at in full"},
		{"no look at cosign's tags", PageSingle, TagSchema{State: TagAbsent}, func(c *Capabilities) { c.CosignTags = nil }, "not looked at in full"},
		{"a list that was not counted", PageSingle, TagSchema{State: TagAbsent}, func(c *Capabilities) { c.Descriptors = nil }, "not looked at in full"},
		{"all pages and no tag", PageLinked, TagSchema{State: TagAbsent}, nil, ""},
		{"all pages and a tag", PageLinked, TagSchema{State: TagIndex, Compared: true, Descriptors: 2, OnlyTagCount: 1}, nil, ""},
	} {
		caps := &Capabilities{Descriptors: &three, Pagination: test.pages, TagSchema: &test.tag, CosignTags: []string{}}
		if test.change != nil {
			test.change(caps)
		}
		links, gap := linksOf(&Row{Referrers: Supported, Strategy: ReferrersAPI, Capabilities: caps})
		if (gap == "") != (test.want == "") || !strings.Contains(gap, test.want) || gap == "" && links.Total() != 3+test.tag.OnlyTagCount {
			t.Errorf("%s: %q with %d links, want %q", test.name, gap, links.Total(), test.want)
		}
	}
}

// TestPrintable: what a terminal could take for more than text is spelled out,
// wherever it stands, and text stays.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"a b~": "a b~", "naïve ✓ \uFFFD": "naïve ✓ \uFFFD", "\x7f": `\x7f`, "a\x1b[2J": `a\x1b[2J`, "\r\n": `\x0d\x0a`,
		"\u009b": `\u009b`, "\u202e": `\u202e`, "a\xffb": `a\xffb`, "\u00ad": `\u00ad`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
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
