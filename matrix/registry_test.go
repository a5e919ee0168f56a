package matrix

import (
	"reflect"
	"strings"
	"testing"
)

// rowLike returns a row of registry r: severity, support, strategy and reason in one text.
func rowLike(text string) Row {
	fields := strings.Fields(text)
	return Row{
		Registry:  "r",
		URL:       "https://r.example",
		Severity:  Severity(fields[0]),
		Referrers: Support(fields[1]),
		Strategy:  Strategy(fields[2]),
		Reason:    Reason(fields[3]),
	}
}

const (
	apiRow     = "pass supported referrers-api referrers-listed"
	tagRow     = "warn unsupported referrers-tag not-found"
	pageRow    = "warn invalid referrers-tag not-an-index"
	absentRow  = "info unknown unknown image-not-found"
	brokenRow  = "fail unknown unknown connect"
	refusedRow = "info unknown unknown forbidden"
)

// TestRollUpVerdict: a registry is as severe as its worst row, and its support is that of the
// rows that were measured.
func TestRollUpVerdict(t *testing.T) {
	for _, test := range []struct {
		rows      []string
		severity  Severity
		referrers Support
		strategy  Strategy
	}{
		{[]string{apiRow}, Pass, Supported, ReferrersAPI},
		{[]string{apiRow, apiRow, absentRow}, Info, Supported, ReferrersAPI},
		{[]string{absentRow, apiRow}, Info, Supported, ReferrersAPI},
		{[]string{brokenRow, apiRow}, Fail, Supported, ReferrersAPI},
		{[]string{tagRow, brokenRow, tagRow}, Fail, Unsupported, ReferrersTag},
		{[]string{apiRow, tagRow}, Warn, SupportMixed, StrategyMixed},
		{[]string{apiRow, tagRow, apiRow}, Warn, SupportMixed, StrategyMixed},
		{[]string{tagRow, pageRow}, Warn, SupportMixed, ReferrersTag},
		{[]string{brokenRow, brokenRow}, Fail, SupportUnknown, StrategyUnknown},
		{[]string{absentRow, refusedRow}, Info, SupportUnknown, StrategyUnknown},
	} {
		var rows []Row
		for _, text := range test.rows {
			rows = append(rows, rowLike(text))
		}
		got := RollUp(rows)
		if len(got) != 1 {
			t.Fatalf("%q: %d registries", test.rows, len(got))
		}
		r := got[0]
		if r.Severity != test.severity || r.Referrers != test.referrers || r.Strategy != test.strategy {
			t.Errorf("%q: %s %s %s", test.rows, r.Severity, r.Referrers, r.Strategy)
		}
		if sum := r.Pass + r.Warn + r.Info + r.Fail; r.Rows != len(rows) || sum != len(rows) {
			t.Errorf("%q: %d rows, %d by severity", test.rows, r.Rows, sum)
		}
	}
}

// TestRollUpOfGaps: a file that lacks the support of a row says nothing about it.
func TestRollUpOfGaps(t *testing.T) {
	gap := rowLike(apiRow)
	gap.Referrers = ""
	if r := RollUp([]Row{gap})[0]; r.Referrers != SupportUnknown {
		t.Errorf("%q", r.Referrers)
	}
	if r := RollUp([]Row{rowLike(apiRow), gap})[0]; r.Referrers != Supported {
		t.Errorf("%q", r.Referrers)
	}
}

// TestSharedCapabilities: images agree, differ, or show nothing that could differ.
func TestSharedCapabilities(t *testing.T) {
	filter := func(f Filter) Capabilities { return Capabilities{Filter: f} }
	pages := func(p Pagination) Capabilities { return Capabilities{Pagination: p} }
	tag := func(s TagState) Capabilities { return Capabilities{TagSchema: &TagSchema{State: s}} }
	for _, test := range []struct {
		images []Capabilities
		want   map[string]string
	}{
		{[]Capabilities{{}}, map[string]string{}},
		{[]Capabilities{{}, filter(FilterIgnored)}, map[string]string{"filter": "ignored"}},
		{[]Capabilities{filter(FilterUnseen), filter(FilterUnseen)}, map[string]string{"filter": "unseen"}},
		{[]Capabilities{filter(FilterUnseen), filter(FilterIgnored)}, map[string]string{"filter": "ignored"}},
		{[]Capabilities{filter(FilterIgnored), filter(FilterUnseen)}, map[string]string{"filter": "ignored"}},
		{[]Capabilities{filter(FilterIgnored), filter(FilterSilent)}, map[string]string{"filter": "mixed"}},
		{
			[]Capabilities{filter(FilterIgnored), filter(FilterSilent), filter(FilterUnseen)},
			map[string]string{"filter": "mixed"},
		},
		{[]Capabilities{pages(PageSingle), pages(PageLinked)}, map[string]string{"pagination": "linked"}},
		{[]Capabilities{pages(PageBounded), pages(PageSingle)}, map[string]string{"pagination": "single"}},
		{[]Capabilities{tag(TagUnknown), tag(TagIndex)}, map[string]string{"tag_schema": "index"}},
		{[]Capabilities{tag(TagUnknown), tag(TagAbsent)}, map[string]string{"tag_schema": "absent"}},
		{[]Capabilities{tag(TagAbsent), tag(TagIndex)}, map[string]string{"tag_schema": "index"}},
		{[]Capabilities{tag(TagSubject), tag(TagIndex)}, map[string]string{"tag_schema": "mixed"}},
		{[]Capabilities{{CosignTags: []string{}}}, map[string]string{"cosign_tags": "absent"}},
		{[]Capabilities{{CosignTags: []string{}}, {CosignTags: []string{"a.sig"}}}, map[string]string{"cosign_tags": "in-use"}},
		{[]Capabilities{{Push: &Push{Strategy: PushDual}}, {}}, map[string]string{"push": "dual"}},
	} {
		rows := []Row{{Registry: "r"}} // one that has none
		for i := range test.images {
			rows = append(rows, Row{Registry: "r", Capabilities: &test.images[i]})
		}
		if got := RollUp(rows)[0].Capabilities; !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.images, got, test.want)
		}
	}
}

// TestWorstForecasts: of each client the worst outcome of all images, marked if they differ.
func TestWorstForecasts(t *testing.T) {
	forecast := func(read, push Outcome) map[string]Forecast {
		return map[string]Forecast{"oras": {Read: read, Push: push, Version: "v"}}
	}
	for _, test := range []struct {
		images     []map[string]Forecast
		read, push Outcome
		differs    bool
	}{
		{[]map[string]Forecast{forecast("api", "api")}, "api", "api", false},
		{[]map[string]Forecast{forecast("api", "api"), nil, forecast("api", "api")}, "api", "api", false},
		{[]map[string]Forecast{forecast("api", "tag"), forecast("tag", "api")}, "tag", "tag", true},
		{[]map[string]Forecast{forecast("error", ""), forecast("nothing-found", "")}, "error", "", true},
		{[]map[string]Forecast{forecast("tag", "tag"), forecast("nothing-found", "tag")}, "nothing-found", "tag", true},
	} {
		var rows []Row
		for _, clients := range test.images {
			rows = append(rows, Row{Registry: "r", Clients: clients})
		}
		want := ClientForecasts{test.read, test.push, "v", test.differs}
		if got := RollUp(rows)[0].Clients["oras"]; got != want {
			t.Errorf("%v: %+v, want %+v", test.images, got, want)
		}
	}
}

// TestFirstAction: what most of the most severe rows need, and of rows that pass what they lack.
func TestFirstAction(t *testing.T) {
	with := func(text string, remedy ...string) Row {
		r := rowLike(text)
		r.Remedy = remedy
		return r
	}
	lost, missing, unexpected := rowLike(apiRow), rowLike(apiRow), rowLike(apiRow)
	lost.Lost = []Lost{{}}
	missing.Coverage = map[LinkKind]Coverage{KindSBOM: CoverageAbsent, KindSignature: CoveragePartial}
	unexpected.Unexpected, unexpected.Expect = true, "referrers-tag"
	for _, test := range []struct {
		rows []Row
		want string
	}{
		{[]Row{rowLike(apiRow)}, ""},
		{[]Row{with(apiRow, "an old remedy")}, ""},
		{[]Row{with(tagRow, "use tags", "or not"), with(brokenRow, "start it")}, "start it"},
		{[]Row{with(tagRow, "a"), with(tagRow, "b"), with(tagRow, "b")}, "b"},
		{[]Row{with(tagRow, "a"), with(tagRow, "b")}, "a"},
		{[]Row{with(brokenRow), with(tagRow, "b")}, "b"},
		{[]Row{lost, missing}, lossRemedy},
		{[]Row{missing, rowLike(apiRow)}, "Attach what is missing: signature, sbom."},
		{[]Row{unexpected}, "The inventory expects referrers-tag and referrers-api was measured: correct expect, or find out what changed."},
	} {
		if got := RollUp(test.rows)[0].Do; got != test.want {
			t.Errorf("%+v: %q, want %q", test.rows, got, test.want)
		}
	}
}

// TestRollUpLinks: links of images that were probed, coverage and losses.
func TestRollUpLinks(t *testing.T) {
	rows := []Row{
		{Registry: "r", Links: &Links{Total: 3, ByKind: map[LinkKind]int{KindSignature: 2}}},
		{Registry: "r", Links: &Links{Total: 1, ByKind: map[LinkKind]int{KindSBOM: 1}}, Lost: []Lost{{}, {}}},
		{Registry: "r", Coverage: map[LinkKind]Coverage{KindSBOM: CoverageUnknown}},
		{Registry: "other"},
	}
	got := RollUp(rows)
	want := &RegistryLinks{Images: 2, Total: 4, ByKind: map[LinkKind]int{KindSignature: 2, KindSBOM: 1}}
	if !reflect.DeepEqual(got[0].Links, want) || got[0].Lost != 2 || got[0].Coverage[KindSBOM].Unknown != 1 {
		t.Errorf("%+v", got[0])
	}
	if got[1].Links != nil || got[1].Name != "other" {
		t.Errorf("not probed: %+v", got[1])
	}
}

// TestWorstFirst: by severity, then what needs something before what does not, then as given.
func TestWorstFirst(t *testing.T) {
	registries := []Registry{
		{Name: "fine", Severity: Pass},
		{Name: "tags", Severity: Warn, Do: "x"},
		{Name: "lacks", Severity: Pass, Do: "x"},
		{Name: "down", Severity: Fail, Do: "x"},
		{Name: "absent", Severity: Info, Do: "x"},
		{Name: "down too", Severity: Fail, Do: "x"},
	}
	var names []string
	for _, r := range WorstFirst(registries) {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, ", "); got != "down, down too, tags, absent, lacks, fine" {
		t.Error(got)
	}
	if registries[0].Name != "fine" {
		t.Error("the list itself was sorted")
	}
}

// TestLossesAreRolledUp: what a baseline alone shows is in the registries too.
func TestLossesAreRolledUp(t *testing.T) {
	link := Link{Digest: "sha256:b", Subject: "sha256:a", Where: []Place{PlaceAPI}, Depth: 1}
	row := Row{Registry: "r", Image: "i", Digest: "sha256:a", Severity: Pass, Referrers: Supported}
	with, without := row, row
	with.Links = &Links{Total: 1, Asked: Places, Items: []Link{link}}
	without.Links = &Links{Asked: Places}
	before, now := &Matrix{Rows: []Row{with}}, &Matrix{}
	now.SetRows([]Row{without})
	now.FindLosses(before)
	if r := now.Registries[0]; r.Lost != 1 || r.Do != lossRemedy {
		t.Errorf("%+v", r)
	}
}
