package verdict

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"refmatrix/matrix"
)

// linksFrom makes links of a text: words with blanks between them.
//
//	sbom         a link of that kind on the image itself
//	sbom@arm64   on a platform
//	?@arm64      one whose kind is not known
//	-            the image's places were not read to the end
//	-@arm64      those of a platform were not
//	-in-index    the image's own index was not read
//	deep         a link of depth 2 on the image
//	tagged       a signature under a tag of cosign on the image; the API lists it too
func linksFrom(text string, platforms ...string) *Links {
	l := &Links{Asked: matrix.Places}
	for _, name := range platforms {
		l.Platforms = append(l.Platforms, matrix.Platform{Platform: name, Digest: "sha256:" + name, Asked: matrix.Places[:3]})
	}
	for i, word := range strings.Fields(text) {
		what, platform, _ := strings.Cut(word, "@")
		link := matrix.Link{
			Digest:   fmt.Sprintf("sha256:%d", i),
			Kind:     matrix.LinkKind(what),
			Where:    []matrix.Place{matrix.PlaceAPI},
			Subject:  "sha256:" + platform,
			Depth:    1,
			Platform: platform,
		}
		switch {
		case word == "-":
			l.Asked = matrix.Places[1:]
		case word == "-in-index":
			l.Asked = matrix.Places[:3]
		case what == "-":
			at := slices.IndexFunc(l.Platforms, func(p matrix.Platform) bool { return p.Platform == platform })
			l.Platforms[at].Asked = matrix.Places[:2]
		case what == "?":
			link.Kind = ""
			l.Found = append(l.Found, link)
		case what == "deep":
			link.Kind, link.Depth = matrix.KindSBOM, 2
			l.Found = append(l.Found, link)
		case what == "tagged":
			link.Kind, link.Where = matrix.KindSignature, []matrix.Place{matrix.PlaceAPI}
			l.Found = append(l.Found, link)
			link.Where = []matrix.Place{matrix.PlaceCosignTag}
			l.Found = append(l.Found, link)
		default:
			l.Found = append(l.Found, link)
		}
	}
	return l
}

// TestCoverage: a kind is present on the image or on every platform, and nothing that could not
// be read makes it absent.
func TestCoverage(t *testing.T) {
	two := []string{"amd64", "arm64"}
	for _, test := range []struct {
		links     string
		platforms []string
		want      string
	}{
		{"sbom", nil, "present"},
		{"sbom -", nil, "present"},
		{"", nil, "absent"},
		{"signature vex", nil, "absent"},
		{"deep", nil, "absent"},
		{"-", nil, "unknown"},
		{"-in-index", nil, "unknown"},
		{"?", nil, "unknown"},
		{"? sbom", nil, "present"},

		{"sbom", two, "present"},
		{"sbom -@arm64", two, "present"},
		{"sbom@amd64 sbom@arm64", two, "present"},
		{"sbom@amd64 sbom@arm64 - -@arm64", two, "present"},
		{"sbom@amd64", two, "partial arm64"},
		{"sbom@amd64 signature@arm64", two, "partial arm64"},
		{"sbom@amd64 -@v7", append(two, "v7"), "partial arm64"},
		{"sbom@v7", append(two, "v7"), "partial amd64,arm64"},
		{"", two, "absent"},
		{"signature@amd64", two, "absent"},

		{"sbom@amd64 -@arm64", two, "unknown"},
		{"sbom@amd64 ?@arm64", two, "unknown"},
		{"sbom@amd64 -", two, "unknown"},
		{"sbom@amd64 ?", two, "unknown"},
		{"sbom@amd64 -in-index", two, "unknown"},
		{"-@arm64", two, "unknown"},
		{"?@arm64", two, "unknown"},
		{"-", two, "unknown"},
	} {
		covered, lacking := linksFrom(test.links, test.platforms...).coverage(matrix.KindSBOM)
		if got := strings.TrimSpace(string(covered) + " " + strings.Join(lacking, ",")); got != test.want {
			t.Errorf("%q on %v is %s, want %s", test.links, test.platforms, got, test.want)
		}
	}
}

// TestSignatureFindings: where the signatures are is a finding only if no other can be hidden.
func TestSignatureFindings(t *testing.T) {
	two := []string{"amd64", "arm64"}
	for _, test := range []struct {
		links     string
		platforms []string
		want      string
	}{
		{"", two, ""},
		{"signature", nil, ""},
		{"signature", two, "signed-index-alone"},
		{"signature -", two, "signed-index-alone"},
		{"signature -@arm64", two, ""},
		{"signature ?@arm64", two, ""},
		{"signature signature@amd64", two, ""},
		{"signature@amd64", two, "signed-platforms-alone"},
		{"signature@amd64 -", two, ""},
		{"signature@amd64 signature@arm64", two, ""},
		{"tagged", nil, "signed-by-tag-alone"},
		{"tagged@amd64 tagged@arm64", two, "signed-by-tag-alone"},
		{"tagged@amd64", two, "signed-platforms-alone signed-by-tag-alone"},
		{"tagged signature", nil, ""},
		{"tagged signature@amd64 signature@arm64", two, ""},
		{"tagged sbom", nil, "signed-by-tag-alone"},
		{"tagged ?", nil, ""},
		{"tagged -", nil, ""},
		{"tagged@amd64 tagged@arm64 -@arm64", two, ""},
		{"deep tagged", nil, "signed-by-tag-alone"},
	} {
		o := subject(index(matrix.IndexMediaType, 1))
		o.Links = linksFrom(test.links, test.platforms...)
		var codes []string
		for i := range signatureFindings {
			if rule := &signatureFindings[i]; rule.when(o, Verdict{}) {
				codes = append(codes, rule.code)
			}
		}
		if got := strings.Join(codes, " "); got != test.want {
			t.Errorf("%q on %v: %q, want %q", test.links, test.platforms, got, test.want)
		}
		o.Links = nil
		if slices.ContainsFunc(signatureFindings, func(rule findingRule) bool { return rule.when(o, Verdict{}) }) {
			t.Error("without links there is a finding")
		}
	}
}

// TestRowOfLinks: a row has every link once, cleaned, and the coverage of what is required.
func TestRowOfLinks(t *testing.T) {
	o := subject(index(matrix.IndexMediaType, 1))
	o.Links = linksFrom("sbom@amd64", "amd64", "arm64")
	o.Links.Found = append(o.Links.Found,
		matrix.Link{Digest: "sha256:0", Where: []matrix.Place{matrix.PlaceInIndex}, Subject: "sha256:amd64", Depth: 1, TypedAway: true},
		matrix.Link{Digest: "sha256:0", Kind: matrix.KindProvenance, Where: []matrix.Place{matrix.PlaceAPI}, Subject: "sha256:amd64", Depth: 1},
		matrix.Link{Digest: "sha256:7", Where: []matrix.Place{matrix.PlaceTag}, Subject: "sha256:arm64", Depth: 1, Platform: "arm64", ArtifactType: "a/secret"},
	)
	clean := func(text string) string {
		return strings.NewReplacer("secret", "***", "amd64", "AMD").Replace(text)
	}
	require := []matrix.LinkKind{matrix.KindSBOM, matrix.KindSignature, matrix.KindVEX}
	row := NewRow(Target{Require: require, Clean: clean}, o)
	both := matrix.Link{
		Digest:    "sha256:0",
		Kind:      matrix.KindProvenance,
		Where:     []matrix.Place{matrix.PlaceAPI, matrix.PlaceInIndex},
		Subject:   "sha256:AMD",
		Depth:     1,
		Platform:  "AMD",
		TypedAway: true,
	}
	sbom := both
	sbom.Kind = matrix.KindSBOM
	want := []matrix.Link{both, sbom, {
		Digest:       "sha256:7",
		ArtifactType: "a/***",
		Where:        []matrix.Place{matrix.PlaceTag},
		Subject:      "sha256:arm64",
		Depth:        1,
		Platform:     "arm64",
	}}
	if diff := cmp.Diff(want, row.Links.Items); diff != "" || row.Links.Total != 3 {
		t.Errorf("%d links: %s", row.Links.Total, diff)
	}
	if row.Links.Platforms[0].Platform != "AMD" || o.Links.Platforms[0].Platform != "amd64" {
		t.Errorf("the platform is shown as %+v, and %+v in the observation", row.Links.Platforms[0], o.Links.Platforms[0])
	}
	wantCoverage := map[matrix.LinkKind]matrix.Coverage{
		matrix.KindSBOM:      matrix.CoverageUnknown, // by the link of arm64 whose kind is not known
		matrix.KindSignature: matrix.CoverageUnknown,
		matrix.KindVEX:       matrix.CoverageUnknown,
	}
	if diff := cmp.Diff(wantCoverage, row.Coverage); diff != "" {
		t.Error(diff)
	}
	o.Links = linksFrom("sbom@arm64", "amd64", "arm64")
	row = NewRow(Target{Require: require[:1], Clean: clean}, o)
	if diff := cmp.Diff(map[matrix.LinkKind][]string{matrix.KindSBOM: {"AMD"}}, row.Lacking); diff != "" {
		t.Error(diff)
	}
	o.Links = nil
	row = NewRow(Target{Require: require, Clean: clean}, o)
	if diff := cmp.Diff(wantCoverage, row.Coverage); diff != "" || row.Links != nil || row.Missing() != nil {
		t.Errorf("not probed: %+v %s", row.Links, diff)
	}
	row = NewRow(Target{Clean: clean}, o)
	if diff := cmp.Diff(map[matrix.LinkKind]matrix.Coverage(nil), row.Coverage, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("nothing is required: %s", diff)
	}
}
