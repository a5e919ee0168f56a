package verdict

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"refmatrix/matrix"
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
	faults := []matrix.Reason{matrix.TokenError, matrix.DNS, matrix.Connect, matrix.TLS, matrix.Timeout, matrix.Protocol, matrix.Redirect, matrix.AuthRefused, matrix.Credentials, matrix.TooLarge}
	bodies := []BodyKind{"", BodyEmpty, BodyIndex, BodyManifest, BodyJSON, BodyHTML, BodyText, BodyBinary}
	answer := func() Answer {
		a := Answer{
			Status: statuses[random.IntN(len(statuses))], Body: bodies[random.IntN(len(bodies))], Challenge: pick(3), Token: pick(6),
			ContentType: []string{"", matrix.IndexMediaType, matrix.IndexMediaType + "; charset=utf-8", "text/html", "{"}[random.IntN(5)],
		}
		if pick(3) {
			a.Codes = []string{codes[random.IntN(len(codes))]}
		}
		if pick(5) {
			a.Status, a.Fault = 0, &Fault{Kind: faults[random.IntN(len(faults))], Text: "a fault"}
		}
		return a
	}
	for range 50_000 {
		o := &Observation{Manifest: Manifest{Answer: answer(), NoDigest: NoDigest{Before: "no header"}}, Referrers: Referrers{Answer: answer()}}
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
		measured := v.Strategy != matrix.StrategyUnknown
		if v.Reason == "" || v.Detail == "" || v.Rule == "" || v.ConfidenceReason == "" || strings.Contains(v.Detail, "%!") {
			t.Fatal("something is not said:", says)
		}
		if measured && (o.Referrers.Fault != nil || !o.resolved()) {
			t.Fatal("a strategy follows from no answer:", says)
		}
		if v.Referrers == matrix.Supported && o.Referrers.Index == nil {
			t.Fatal("supported without an index:", says)
		}
		if measured == (v.Confidence == matrix.Assumed) || measured == (v.Referrers == matrix.SupportUnknown) {
			t.Fatal("confidence, support and strategy disagree:", says)
		}
		ofEndpoint := !o.Referrers.Challenge && (o.Referrers.Status == 401 || o.Referrers.Status == 403 && o.Referrers.Body == BodyHTML)
		if v.Strategy == matrix.ReferrersTag && slices.Contains([]int{401, 403, 429, 500, 502, 503, 504}, o.Referrers.Status) && !ofEndpoint && o.Referrers.Location == "" {
			t.Fatal("a refusal of the account or a breakdown read as no API:", says)
		}
		row := NewRow(Target{Registry: "r", Image: "i"}, o)
		if row.Remedy == nil || len(row.Remedy) > maxRemedies || len(row.Remedy) == 0 && v.Severity != matrix.Pass {
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

// TestConfidence: what makes a list more than likely, and what the write probe says if
// it does not.
func TestConfidence(t *testing.T) {
	three := 3
	for _, test := range []struct {
		name   string
		caps   matrix.Capabilities
		want   matrix.Confidence
		reason string // part of it
	}{
		{"nothing else", matrix.Capabilities{}, matrix.Likely, "or use the write probe"},
		{"an announced filter", matrix.Capabilities{Filter: matrix.FilterAnnounces}, matrix.Likely, "OCI-Filters-Applied; whether"},
		{"an announced filter, and nothing for an absent digest", matrix.Capabilities{Filter: matrix.FilterAnnounces, AbsentSubject: "empty-index"}, matrix.Proven, "OCI-Filters-Applied, and"},
		{"nothing for an absent digest either", matrix.Capabilities{AbsentSubject: "empty-index"}, matrix.Likely, "or use the write probe"},
		{"listed", matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushAPI, Listed: true}}, matrix.Proven, "was listed"},
		{"never listed", matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushTag, Accepted: true}}, matrix.Likely, "never came up"},
		{"lost", matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}}, matrix.Likely, "never came up"},
		{"refused", matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushRefused}}, matrix.Likely, "proved no more"},
		{"pushed to a repository without the API", matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true}}, matrix.Likely, "proved no more"},
		{"descriptors on the second page", matrix.Capabilities{Descriptors: &three, AbsentSubject: "http-404"}, matrix.Proven, "descriptors"},
	} {
		o := subject(index(matrix.IndexMediaType, 0))
		o.Capabilities = test.caps
		if v := Judge(o); v.Confidence != test.want || !strings.Contains(v.ConfidenceReason, test.reason) || v.Reason != matrix.ReferrersEmpty {
			t.Errorf("%s: %s %s, %s", test.name, v.Reason, v.Confidence, v.ConfidenceReason)
		}
	}
	harbor := subject(index(matrix.IndexMediaType, 0))
	harbor.Product = Product{Name: "Harbor"}
	harbor.Capabilities = matrix.Capabilities{Filter: matrix.FilterAnnounces, AbsentSubject: "empty-index"}
	if v := Judge(harbor); v.Confidence != matrix.Proven || !strings.HasSuffix(v.ConfidenceReason, "has none; it is about the endpoint, and not about what is attached upstream of a proxy project") {
		t.Errorf("an empty list of Harbor: %s, %s", v.Confidence, v.ConfidenceReason)
	}
	listed := matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushAPI, Listed: true}}
	none := matrix.Capabilities{AbsentSubject: "empty-index"}
	lost := matrix.Capabilities{AbsentSubject: "empty-index", Push: &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}}
	over := index(matrix.IndexMediaType, 1)
	over.Bound = 8 << 20
	under404 := func(descriptors int) Referrers {
		return Referrers{Answer: Answer{Status: 404}, Index: &Index{Total: descriptors}}
	}
	same := under404(1)
	same.SameForAbsent = true
	for _, test := range []struct {
		name   string
		seen   Referrers
		caps   matrix.Capabilities
		want   matrix.Confidence
		reason string // part of it
	}{
		{"a push that was listed elsewhere", status(410), listed, matrix.Likely, "a proxy or firewall"},
		{"descriptors", index(matrix.IndexMediaType, 1), matrix.Capabilities{}, matrix.Likely, "was not measured"},
		{"descriptors, and none for an absent digest", index(matrix.IndexMediaType, 1), none, matrix.Proven, "and a digest that cannot exist has none"},
		{"descriptors, and an absent digest is refused", index(matrix.IndexMediaType, 1), matrix.Capabilities{AbsentSubject: "http-403"}, matrix.Likely, "was not measured"},
		{"descriptors, and others for an absent digest", index(matrix.IndexMediaType, 1), matrix.Capabilities{AbsentSubject: "index"}, matrix.Likely, "has descriptors too"},
		{"descriptors, and a push that was listed", index(matrix.IndexMediaType, 1), listed, matrix.Proven, "by the write probe"},
		{"descriptors, and a push that was lost", index(matrix.IndexMediaType, 1), lost, matrix.Likely, "never came up"},
		{"descriptors over the bound", over, none, matrix.Likely, "over refmatrix's bound"},
		{"descriptors under another type", index("text/plain", 1), none, matrix.Proven, "descriptors"},
		{"no descriptors under another type", index("text/plain", 0), matrix.Capabilities{}, matrix.Likely, "most clients refuse"},
		{"descriptors under 404", under404(1), none, matrix.Proven, "descriptors"},
		{"descriptors under 404, and the same for an absent digest", same, none, matrix.Likely, "has descriptors too"},
		{"an empty list under 404, and a push refused", under404(0), matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushRefused}}, matrix.Likely, "the specification forbids"},
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
	for contentType, want := range map[string]matrix.TypeMatch{
		matrix.IndexMediaType: matrix.TypeExact, matrix.IndexMediaType + "; charset=utf-8": matrix.TypeParameters, matrix.IndexMediaType + "; charset": matrix.TypeParameters,
		"Application/VND.oci.image.index.v1+json": matrix.TypeParameters, "application/json": matrix.TypeOther, "": matrix.TypeOther, matrix.IndexMediaType + "x": matrix.TypeOther,
	} {
		if got := MatchType(contentType); got != want {
			t.Errorf("%q is %s, want %s", contentType, got, want)
		}
	}
}

// TestFindings: each finding, what brings it up, and that nothing else does.
func TestFindings(t *testing.T) {
	tag := func(schema matrix.TagSchema) func(*Observation) {
		return func(o *Observation) { o.Capabilities.TagSchema = &schema }
	}
	exact := func(change func(*Observation)) *Observation {
		return with(subject(index(matrix.IndexMediaType, 1)), change)
	}
	seen := map[string]bool{}
	for _, test := range []struct {
		name string
		of   *Observation
		want string
	}{
		{"nothing to say", exact(func(*Observation) {}), ""},
		{"an index under 404", subject(Referrers{Answer: Answer{Status: 404}, Index: &Index{}}), "spec-404"},
		{"a charset", subject(index(matrix.IndexMediaType+"; charset=utf-8", 0)), "type-parameters writes-lost"},
		{"a charset on a web page", subject(page(200, matrix.IndexMediaType+"; charset=utf-8", BodyHTML)), ""},
		{"405", subject(status(405)), "clients-fail"},
		{"a list over 4 MiB", subject(ofSize(index(matrix.IndexMediaType, 1), 4194305, true)), "list-over-limit"},
		{"a redirect to a page of 404", subject(away(page(404, "text/html", BodyHTML))), ""},
		{"a redirect to a page of 429", subject(away(page(429, "text/html", BodyHTML))), "clients-fail"},
		{"a redirect to a page of 200", subject(away(page(200, "text/html", BodyHTML))), "clients-fail writes-lost"},
		{"a refused push", pushed(index(matrix.IndexMediaType, 1), &matrix.Push{Strategy: matrix.PushRefused, Repository: "scratch", Detail: "The registry answered HTTP 405."}), "push-refused"},
		{"a refused push under 405", pushed(status(405), &matrix.Push{Strategy: matrix.PushRefused, Repository: "scratch", Detail: "The registry answered HTTP 405."}), "clients-fail push-refused"},
		{"406, on which cosign cannot push", subject(status(406)), "clients-fail"},
		{"a web page, on which containerd fails", subject(page(200, "text/html", BodyHTML)), "clients-fail writes-lost"},
		{"links that only the tag has", exact(tag(matrix.TagSchema{State: matrix.TagIndex, Compared: true, Descriptors: 2, OnlyTag: []string{"sha256:b"}})), "links-only-tags"},
		{"links that only the API has", exact(tag(matrix.TagSchema{State: matrix.TagIndex, Compared: true, OnlyAPI: []string{"sha256:b"}})), "links-only-api"},
		{"links that only the tag has, without the API", with(subject(status(404)), tag(matrix.TagSchema{State: matrix.TagIndex, Descriptors: 1, OnlyTag: []string{"sha256:b"}})), "sha-tag-in-use"},
		{"no tag and no API", with(subject(status(404)), tag(matrix.TagSchema{State: matrix.TagAbsent})), ""},
		{"no tag beside the API", exact(tag(matrix.TagSchema{State: matrix.TagAbsent})), ""},
		{"links of a list that was not read whole", exact(tag(matrix.TagSchema{State: matrix.TagIndex, Descriptors: 2})), "links-not-compared"},
		{"a sha512 digest", with(subject(status(404)), func(o *Observation) { o.Manifest.Digest = "sha512:" + strings.Repeat("a", 128) }), "tag-cut"},
		{"a digest that just fits", with(subject(status(404)), func(o *Observation) { o.Manifest.Digest = "sha512:" + strings.Repeat("a", 64) }), ""},
		{"a sha512 digest, and no tag beside the API", exact(func(o *Observation) { o.Manifest.Digest = "sha512:" + strings.Repeat("a", 128) }), ""},
		{"a sha512 digest, and a tag beside the API", exact(func(o *Observation) {
			o.Manifest.Digest, o.Capabilities.TagSchema = "sha512:"+strings.Repeat("a", 128), &matrix.TagSchema{State: matrix.TagIndex, Compared: true, Descriptors: 1}
		}), "tag-cut"},
		{"a filter that is announced and not applied", exact(func(o *Observation) { o.Capabilities.Filter = matrix.FilterMisstated }), "filter-misstated"},
		{"a filter that leaves out what it was asked for", exact(func(o *Observation) { o.Capabilities.Filter = matrix.FilterFails }), "filter-fails"},
		{"OCI-Subject and no list", exact(func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}
		}), "push-lost"},
		{"accepted and never listed", exact(func(o *Observation) { o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushTag, Accepted: true} }), "never-listed"},
		{"accepted and never listed, where the image has no list", with(subject(status(404)), func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushTag, Accepted: true}
		}), ""},
		{"refused", exact(func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushRefused, Repository: "scratch", Detail: "The registry answered HTTP 405 to starting an upload."}
		}), "push-refused"},
		{"refused, where clients fail anyway", with(subject(status(405)), func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushRefused, Detail: "The registry answered HTTP 405 to starting an upload."}
		}), "clients-fail push-refused"},
		{"refused, where cosign alone fails to push", with(subject(status(406)), func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushRefused, Detail: "The registry answered HTTP 405 to starting an upload."}
		}), "clients-fail push-refused"},
		{"accepted where there is no API", exact(func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true}
		}), "scratch-differs"},
		{"accepted where there is no API, as here", with(subject(status(404)), func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true}
		}), ""},
		{"a blob that stays", exact(func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushAPI, LeftBlob: "sha256:b"}
		}), "left-behind"},
		{"the write probe without an image", with(subject(status(500)), func(o *Observation) { o.Manifest.Digest, o.WriteSkipped = "", true }), "write-skipped"},
		{"an image that nobody named", exact(func(o *Observation) { o.DefaultImage = true }), "default-image"},
		{"an interrupt", exact(func(o *Observation) { o.CutShort = true }), "cut-short"},
		{"Quay, not written to", exact(func(o *Observation) { o.Product = Product{Name: "Quay"} }), "no-oci-subject"},
		{"Quay, written to", exact(func(o *Observation) {
			o.Product, o.Capabilities.Push = Product{Name: "Quay"}, &matrix.Push{Strategy: matrix.PushDual, Accepted: true, Listed: true}
		}), "dual-write"},
		{"Docker Hub, of which reports conflict", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Docker Hub"} }), ""},
		{"Gitea without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Gitea"} }), ""},
		{"descriptors without a digest", exact(func(o *Observation) { o.Capabilities.Invalid = 1 }), "invalid-descriptors"},
		{"descriptors without a digest, by the tag", exact(tag(matrix.TagSchema{State: matrix.TagAbsent, Invalid: 2})), "invalid-descriptors"},
		{"the tag is the subject", exact(tag(matrix.TagSchema{State: matrix.TagSubject})), "tag-is-subject"},
		{"no OCI-Subject", exact(func(o *Observation) { o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushDual} }), "dual-write"},
		{"not deleted", exact(func(o *Observation) {
			o.Capabilities.Push = &matrix.Push{Strategy: matrix.PushAPI, LeftBehind: []string{"sha256:b"}}
		}), "left-behind"},
		{"a list that came for another digest too", exact(func(o *Observation) { o.Referrers.SameForAbsent = true }), "list-misleads"},
		{"a list over the bound", exact(func(o *Observation) { o.Referrers.Bound = 8 << 20 }), "list-bounded"},
		{"pages in a circle", exact(func(o *Observation) { o.Capabilities.Pagination = matrix.PageLoop }), "page-loop"},
		{"pages elsewhere", exact(func(o *Observation) { o.Capabilities.Pagination = matrix.PageForeign }), "page-loop"},
		{"a broken page", exact(func(o *Observation) { o.Capabilities.Pagination = matrix.PageBroken }), "page-loop"},
		{"a filter without effect", exact(func(o *Observation) { o.Capabilities.Filter = matrix.FilterIgnored }), "filter-ignored"},
		{"tags in use without the API", with(subject(status(404)), tag(matrix.TagSchema{State: matrix.TagIndex, Descriptors: 1})), "sha-tag-in-use"},
		{"listed under the empty type", exact(func(o *Observation) {
			o.Links = &Links{Found: []matrix.Link{{Digest: "sha256:b", TypedAway: true}, {Digest: "sha256:b", TypedAway: true}, {Digest: "sha256:c"}}}
		}), "typed-away"},
		{"an index that is signed alone", exact(func(o *Observation) { o.Links = linksFrom("signature", "amd64", "arm64") }), "signed-index-alone"},
		{"a platform that is signed alone", exact(func(o *Observation) { o.Links = linksFrom("signature@amd64", "amd64", "arm64") }), "signed-platforms-alone"},
		{"a signature under its tag", exact(func(o *Observation) { o.Links = linksFrom("tagged") }), "signed-by-tag-alone"},
		{"links whose types are listed", exact(func(o *Observation) { o.Links = &Links{Found: []matrix.Link{{Digest: "sha256:b"}}} }), ""},
		{"more than is read", exact(func(o *Observation) {
			o.Links = &Links{Bounds: LinkBounds{Links: 4, Platforms: 1, Nested: 2, Manifests: 3, Long: 4}}
		}), "links-bounded"},
		{"an attestation of no platform", exact(func(o *Observation) { o.Links = &Links{Bounds: LinkBounds{Misplaced: 1}} }), "in-index-misplaced"},
		{"a mirror of one platform", exact(func(o *Observation) {
			o.Links = &Links{Platforms: []matrix.Platform{{Digest: "sha256:b"}, {Digest: "sha256:c", Absent: true}}}
		}), "sparse-index"},
		{"few pulls left", exact(func(o *Observation) { o.QuotaKept = true }), "quota-kept"},
		{"cosign's tags", exact(func(o *Observation) { o.Capabilities.CosignTags = []string{".sig"} }), "cosign-tags"},
		{"Harbor 2.11 without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Harbor", Version: "2.11.0"} }), "contradicts-record"},
		{"GHCR with the API", exact(func(o *Observation) { o.Product = Product{Name: "GHCR"} }), "contradicts-record"},
		{"ECR without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "ECR"} }), "contradicts-record"},
		{"Harbor 2.7 without the API", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Harbor", Version: "2.7.4"} }), ""},
		{"Harbor of no known version", with(subject(status(404)), func(o *Observation) { o.Product = Product{Name: "Harbor"} }), ""},
		{"Harbor that was not reached", with(subject(status(500)), func(o *Observation) { o.Product = Product{Name: "Harbor", Version: "2.11.0"} }), "clients-fail"},
	} {
		var codes []string
		for _, f := range findingsOn(test.of, show(test.of, nil), Judge(test.of)) {
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
	left := func(push matrix.Push) *Observation {
		return with(subject(index(matrix.IndexMediaType, 1)), func(o *Observation) { o.Capabilities.Push = &push })
	}
	tagged := func(descriptors int, listed ...string) *Observation {
		return with(subject(index(matrix.IndexMediaType, descriptors)), func(o *Observation) {
			o.Capabilities = matrix.Capabilities{Descriptors: &descriptors, CosignTags: []string{".sig", ".att"}, CosignListed: listed}
		})
	}
	product := func(answer Referrers, name string) *Observation {
		return with(subject(answer), func(o *Observation) { o.Product = Product{Name: name} })
	}
	for _, test := range []struct {
		of   *Observation
		want string // part of the only finding
	}{
		{left(matrix.Push{Repository: "scratch", LeftBehind: []string{"sha256:b"}, LeftBlob: "sha256:c"}), "left 1 manifest in scratch that the registry did not delete, or not within the time: sha256:b, and the blob sha256:c."},
		{left(matrix.Push{Repository: "scratch", LeftBehind: []string{"sha256:b", "sha256:c"}}), "2 manifests in scratch that the registry did not delete, or not within the time: sha256:b, sha256:c."},
		{with(subject(status(404)), func(o *Observation) { o.Capabilities.TagSchema = &matrix.TagSchema{State: matrix.TagSubject} }),
			"The referrers tag names the image itself. `cosign copy`, which is deprecated, leaves such a tag; else the registry may resolve"},
		{tagged(1, ".sig"), "(.sig, .att): the API lists .sig and nothing else, which is the same artifact and not a second one, and oras cp -r exits 1 and copies nothing."},
		{tagged(2, ".sig"), "the API lists .sig as well, which is the same artifact and not a second one."},
		{tagged(1), "clients of the referrers API do not see them."},
		{left(matrix.Push{Strategy: matrix.PushRefused, Repository: "scratch", Detail: "The registry answered HTTP 405 to starting an upload."}),
			"fail, as the write probe did in scratch: the registry answered HTTP 405 to starting an upload."},
		{subject(status(405)), "reading fails for oras, notation, cosign, crane: these"},
		{subject(ofSize(index(matrix.IndexMediaType, 1), 4393217, true)), "The list has 4393217 bytes, over the limit of some clients: reading fails for oras, notation; containerd finds nothing in it."},
		{subject(ofSize(index(matrix.IndexMediaType, 1), 4393217, false)), "reading fails for oras, notation, containerd."},
		{subject(status(406)), "reading fails for oras, notation, and attaching for cosign, crane: these"},
		{product(index(matrix.IndexMediaType, 1), "GHCR"), "GHCR is recorded as having no referrers API"},
		{product(status(404), "ECR"), "ECR should have the referrers API"},
	} {
		got := findingsOn(test.of, show(test.of, nil), Judge(test.of))
		if len(got) != 1 || !strings.Contains(got[0].Text, test.want) {
			t.Errorf("%v, want %q", got, test.want)
		}
	}
}

// TestNewRow: an expectation is of the strategy or of the support, and a row
// whose question got no answer claims no capabilities.
func TestNewRow(t *testing.T) {
	late := Referrers{Answer: Answer{Fault: &Fault{Kind: matrix.Timeout, Text: "late"}}}
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
		{index(matrix.IndexMediaType, 1), "referrers-api", false, true},
		{index(matrix.IndexMediaType, 1), "referrers-tag", true, true},
		{late, "unknown", false, false},
		{late, "supported", true, false},
	} {
		row := NewRow(Target{Expect: test.expect}, subject(test.seen))
		if row.Unexpected != test.differ || (row.Capabilities != nil) != test.shown {
			t.Errorf("%+v, expected %q: unexpected %v, capabilities %v", test.seen, test.expect, row.Unexpected, row.Capabilities)
		}
	}
}
