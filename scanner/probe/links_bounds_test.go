package probe_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
)

// finding returns the text of a finding, "" if the row does not have it.
func finding(row matrix.Row, code string) string {
	for _, f := range row.Findings {
		if f.Code == code {
			return f.Text
		}
	}
	return ""
}

// manyPlatforms stores an index of so many platforms.
func manyPlatforms(c *contents, n int) []map[string]any {
	all := make([]map[string]any, n)
	for i := range all {
		all[i] = on(c.image(fmt.Sprint(i)), fmt.Sprintf("linux/arch%d", i))
	}
	c.index("1", all...)
	return all
}

// TestPlatformsBounded: of an index of 10,000 platforms 64 are probed, by one list of tags, and
// what the others lack is not known.
func TestPlatformsBounded(t *testing.T) {
	c := newContents()
	c.tags = []string{}
	all := manyPlatforms(c, 10_000)
	c.attach(all[0], c.artifact(spdxType, nil))
	row := c.probed(t, probe.Basic)
	if got := finding(row, "links-bounded"); !strings.Contains(got, "platforms") {
		t.Errorf("the finding is %q", got)
	}
	if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoverageUnknown {
		t.Errorf("the coverage is %s", got)
	}
	if row.Links.Total != 1 || len(row.Links.Platforms) != matrix.MaxLinks {
		t.Errorf("%d links, %d platforms", row.Links.Total, len(row.Links.Platforms))
	}
	// The list of the image and of a digest that cannot exist, and those of 64 platforms.
	if lists := c.count("GET referrers/"); lists != 2+64 {
		t.Errorf("%d lists of referrers were requested", lists)
	}
	if tags := c.count("GET tags/"); tags != 1 {
		t.Errorf("%d lists of tags were requested", tags)
	}
	if gets := c.count("GET manifests/"); gets != 5 { // the index, and the tags that check the list of tags
		t.Errorf("%d manifests were requested", gets)
	}
}

// TestPlatformsCounted: the finding counts every platform that was not probed, those that are not
// kept with them.
func TestPlatformsCounted(t *testing.T) {
	c := newContents()
	manyPlatforms(c, 10_000)
	if got := finding(c.probed(t, probe.Basic), "links-bounded"); !strings.Contains(got, " 9936 of the platforms") {
		t.Errorf("the finding is %q", got)
	}
}

// TestTooLong: that a list or a manifest is larger than is read is a finding, and what it would
// show is not known.
func TestTooLong(t *testing.T) {
	const large = 9 << 20
	long := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", matrix.IndexMediaType)
		fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[],"annotations":{"long":"%s"}}`, strings.Repeat("x", large))
	}
	pages := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", matrix.IndexMediaType)
		w.Header().Set("Link", fmt.Sprintf(`<%s?page=%s1>; rel="next"`, r.URL.Path, r.URL.Query().Get("page")))
		fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`)
	}
	for _, test := range []struct {
		name   string
		answer func(c *contents, index, platform map[string]any)
	}{
		{"the referrers tag", func(c *contents, index, _ map[string]any) {
			c.answers["GET manifests/"+tagOf(index, "")] = long
		}},
		{"the referrers tag of a platform", func(c *contents, _, platform map[string]any) {
			c.answers["GET manifests/"+tagOf(platform, "")] = long
		}},
		{"a cosign tag", func(c *contents, index, _ map[string]any) {
			c.answers["GET manifests/"+tagOf(index, ".sig")] = long
		}},
		{"the index", func(c *contents, index, _ map[string]any) {
			c.answers["GET manifests/"+index["digest"].(string)] = long
		}},
		{"an artifact", func(c *contents, index, _ map[string]any) {
			artifact := c.artifact("application/vnd.acme", nil)
			c.attach(index, artifact)
			c.answers["GET manifests/"+artifact["digest"].(string)] = long
		}},
		{"the list of a platform", func(c *contents, _, platform map[string]any) {
			c.answers["GET referrers/"+platform["digest"].(string)] = long
		}},
		{"the pages of a platform", func(c *contents, _, platform map[string]any) {
			c.answers["GET referrers/"+platform["digest"].(string)] = pages
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newContents()
			platform := on(c.image("a"), "linux/amd64")
			index := c.index("1", platform)
			test.answer(c, index, platform)
			row := c.probed(t, probe.Basic)
			if got := finding(row, "links-bounded"); !strings.Contains(got, "lists or manifests that are too long (1)") {
				t.Errorf("the finding is %q", got)
			}
			if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoverageUnknown {
				t.Errorf("the coverage is %s", got)
			}
		})
	}
}

// TestPlatformsWithoutListOfTags: a platform without anything costs a list, four tags and a
// HEAD where tags cannot be listed.
func TestPlatformsWithoutListOfTags(t *testing.T) {
	c := newContents()
	manyPlatforms(c, 3)
	row := c.probed(t, probe.Basic)
	if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoverageAbsent {
		t.Errorf("the coverage is %s", got)
	}
	want := map[string]int{
		"HEAD manifests/": 1 + 3,              // the image, and whether a platform is there
		"GET manifests/":  1 + 4*(1+3),        // the index, and four tags each
		"GET referrers/":  1 + 1 + 3,          // one of a digest that cannot exist
		"GET tags/":       1,                  // which is not there
		"":                4 + 17 + 5 + 1 + 0, // and nothing else
	}
	for begins, n := range want {
		if got := c.count(begins); got != n {
			t.Errorf("%s: %d requests, want %d\n%s", begins, got, n, strings.Join(c.requests, "\n"))
		}
	}
}

// TestArtifactsBounded: the manifests of 20 artifacts are read, and what the others are is not
// known.
func TestArtifactsBounded(t *testing.T) {
	c := newContents()
	image := c.image("a", "1")
	for range 25 {
		c.attach(image, c.artifact("application/vnd.acme", nil))
	}
	row := c.probed(t, probe.Basic)
	if row.Links.Total != 25 || row.Links.ByKind[matrix.KindOther] != 20 {
		t.Errorf("%d links, by kind %v", row.Links.Total, row.Links.ByKind)
	}
	if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoverageUnknown {
		t.Errorf("the coverage is %s", got)
	}
	if got := finding(row, "links-bounded"); !strings.Contains(got, "the manifests of artifacts (5)") {
		t.Errorf("the finding is %q", got)
	}
}

// TestReferrersBounded: a list of 100,000 referrers, and one of as many in pages, are read to a
// bound, and what is not found is not absent.
func TestReferrersBounded(t *testing.T) {
	entry := func(i int) string {
		return fmt.Sprintf(`{"digest":"sha256:%064x","artifactType":%q}`, i, notationType)
	}
	page := func(w http.ResponseWriter, from, to int) {
		entries := make([]string, 0, to-from)
		for i := from; i < to; i++ {
			entries = append(entries, entry(i))
		}
		fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s]}`, strings.Join(entries, ","))
	}
	for _, test := range []struct {
		name  string
		links int
		code  string // of the finding that says so
		list  http.HandlerFunc
	}{
		{"at once", 467, "list-bounded", func(w http.ResponseWriter, _ *http.Request) { page(w, 1, 100_001) }},
		{"in pages", 3000, "links-bounded", func(w http.ResponseWriter, r *http.Request) {
			var from int
			_, _ = fmt.Sscan(r.URL.Query().Get("last"), &from)
			w.Header().Set("Link", fmt.Sprintf(`<%s?last=%d>; rel="next"`, r.URL.Path, from+1000))
			page(w, from+1, from+1001)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newContents()
			image := c.image("a", "1")
			c.answers["GET referrers/"+image["digest"].(string)] = test.list
			row := c.probed(t, probe.Basic)
			if row.Links.Total != test.links || slices.Contains(row.Links.Asked, matrix.PlaceAPI) {
				t.Errorf("%d links, asked %v", row.Links.Total, row.Links.Asked)
			}
			if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoverageUnknown {
				t.Errorf("the coverage is %s", got)
			}
			if got := row.Coverage[matrix.KindSignature]; got != matrix.CoveragePresent {
				t.Errorf("the coverage of what is there is %s", got)
			}
			if finding(row, test.code) == "" {
				t.Errorf("the findings are %v", row.Findings)
			}
		})
	}
}

// TestLeavePulls: no GET of a manifest is sent while the registry has fewer pulls left than the
// inventory wants to leave; HEAD and lists are not counted.
func TestLeavePulls(t *testing.T) {
	for _, test := range []struct {
		left int // before the scan
		want int // GETs of manifests
	}{{200, 10}, {21, 2}, {20, 1}, {19, 0}} {
		t.Run(fmt.Sprint(test.left), func(t *testing.T) {
			c := newContents()
			left := test.left
			c.pulls = func(string) int {
				return left - c.count("GET manifests/")
			}
			amd64 := on(c.image("a"), "linux/amd64")
			index := c.index("1", amd64)
			c.attach(index, c.artifact("application/vnd.acme", nil))
			row := c.probed(t, probe.Basic, func(r *inventory.Registry) { r.LeavePulls = 20 })
			if got := c.count("GET manifests/"); got != test.want {
				t.Errorf("%d pulls, want %d:\n%s", got, test.want, strings.Join(c.requests, "\n"))
			}
			if kept := finding(row, "quota-kept") != ""; kept != (test.want < 10) {
				t.Errorf("the finding is there: %v", kept)
			}
			if got := row.Coverage[matrix.KindSBOM]; test.want < 10 && got != matrix.CoverageUnknown {
				t.Errorf("the coverage is %s", got)
			}
		})
	}
}

// TestLeavePullsHeaders: which values of RateLimit-Remaining keep a GET from being sent.
func TestLeavePullsHeaders(t *testing.T) {
	for _, test := range []struct {
		leave int
		value []string
		want  bool // pulls are kept
	}{
		{0, []string{"-1"}, false},
		{0, []string{"0;w=21600"}, false},
		{20, []string{"-1"}, false}, // as some gateways write that nothing is limited
		{20, []string{"19"}, true},
		{20, []string{" 19 ; w=21600"}, true},
		{20, []string{"100;w=21600, 5;w=60"}, true},
		{20, []string{"100;w=21600", "5;w=60"}, true},
		{20, []string{"99999999999999999999"}, false},
		{20, []string{"many"}, false},
		{20, []string{""}, false},
	} {
		t.Run(fmt.Sprint(test.leave, test.value), func(t *testing.T) {
			c := newContents()
			c.image("a", "1")
			c.header = http.Header{"Ratelimit-Remaining": test.value}
			row := c.probed(t, probe.Basic, func(r *inventory.Registry) { r.LeavePulls = test.leave })
			if kept := finding(row, "quota-kept") != ""; kept != test.want {
				t.Errorf("pulls are kept: %v\n%s", kept, strings.Join(c.requests, "\n"))
			}
		})
	}
}

// TestNoRequestForMore: once no more links are kept, no further page and no further platform is
// requested.
func TestNoRequestForMore(t *testing.T) {
	c := newContents()
	all := manyPlatforms(c, 4)
	c.answers["GET referrers/"+all[1]["digest"].(string)] = func(w http.ResponseWriter, r *http.Request) {
		var from int
		_, _ = fmt.Sscan(r.URL.Query().Get("last"), &from)
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%d>; rel="next"`, r.URL.Path, from+1000))
		var entries []string
		for i := range 1000 {
			entries = append(entries, fmt.Sprintf(`{"digest":"sha256:%064x","artifactType":%q}`, from+i+1, notationType))
		}
		fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s]}`, strings.Join(entries, ","))
	}
	row := c.probed(t, probe.Basic)
	if got := c.count("GET referrers/" + all[1]["digest"].(string)); got != 3 {
		t.Errorf("%d pages were requested", got)
	}
	if got := c.count("GET referrers/" + all[2]["digest"].(string)); got != 0 {
		t.Errorf("the next platform was requested %d times", got)
	}
	if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoverageUnknown {
		t.Errorf("the coverage is %s", got)
	}
	if finding(row, "links-bounded") == "" {
		t.Errorf("the findings are %v", row.Findings)
	}
}

// TestPlatformsLeaveRoom: the exchanges of many platforms leave those of the image whole.
func TestPlatformsLeaveRoom(t *testing.T) {
	c := newContents()
	manyPlatforms(c, 64)
	outcome, _ := c.outcome(t, probe.Basic)
	if outcome.Omitted.Exchanges == 0 || outcome.Omitted.Headers > 0 {
		t.Errorf("%+v is left out", outcome.Omitted)
	}
	for _, x := range outcome.Exchanges {
		if x.URL == "" {
			t.Errorf("an exchange of the step %s is kept in part", x.Step)
		}
	}
	if got := len(outcome.Exchanges) + outcome.Omitted.Exchanges; got != outcome.Requests {
		t.Errorf("%d exchanges of %d requests", got, outcome.Requests)
	}
}

// TestPlatformsInTime: 16 platforms make the time of the row two timeouts longer, and what does
// not fit is not known. Once the time is used up, nothing is waited for any more.
func TestPlatformsInTime(t *testing.T) {
	c := newContents()
	all := manyPlatforms(c, 16)
	c.attach(all[0], c.artifact(spdxType, nil))
	for _, platform := range all[1:] {
		c.answers["GET referrers/"+platform["digest"].(string)] = func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}
	}
	row := c.probed(t, probe.Basic, func(r *inventory.Registry) {
		r.Timeout = 300 * time.Millisecond
		r.Rate = 1 // a second for each request that is not sent, if one waited
		r.Burst = 100
	})
	if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoverageUnknown {
		t.Errorf("the coverage is %s", got)
	}
	if got := row.Links.ByKind[matrix.KindSBOM]; got != 1 {
		t.Errorf("%d SBOMs are found", got)
	}
	if hung := c.count("GET referrers/") - 3; hung < 2 || hung > 4 {
		t.Errorf("%d lists were waited for", hung)
	}
}

// TestListHidesCosignTags: a list of tags that has the images alone, as that of a pull-through
// cache, does not make absent what is attached by cosign's tags.
func TestListHidesCosignTags(t *testing.T) {
	for _, suffix := range []string{".sig", ".att", ".sbom"} {
		c := newContents()
		index := c.index("1", manyPlatforms(c, 3)...)
		c.push(map[string]any{
			"schemaVersion": 2,
			"mediaType":     matrix.ManifestMediaType,
			"config":        map[string]any{"mediaType": "text/spdx"},
		}, tagOf(index, suffix))
		c.answers["GET tags/list"] = func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"name":"team/app","tags":["1"]}`)
		}
		row := c.probed(t, probe.Basic)
		if got := row.Coverage[matrix.KindSBOM]; got != matrix.CoveragePresent {
			t.Errorf("%s: the coverage is %s\n%s", suffix, got, strings.Join(c.requests, "\n"))
		}
	}
}

// TestListHidesTagsOfPlatforms: if a list of tags has a tag of a kind for one manifest, those of
// that kind are requested for each platform. A cache may have pulled the signature of the index
// alone.
func TestListHidesTagsOfPlatforms(t *testing.T) {
	c := newContents()
	all := []map[string]any{on(c.image("a"), "linux/amd64"), on(c.image("b"), "linux/arm64")}
	index := c.index("1", all...)
	for _, signed := range append(all, index) {
		c.sign(signed)
	}
	c.answers["GET tags/list"] = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"name":"team/app","tags":["1",%q]}`, tagOf(index, ".sig"))
	}
	row := c.probed(t, probe.Basic)
	if got := row.Links.ByKind[matrix.KindSignature]; got != 3 {
		t.Errorf("%d signatures are found:\n%s", got, strings.Join(c.requests, "\n"))
	}
	if got := c.count("GET manifests/" + tagOf(all[0], ".att")); got != 0 {
		t.Errorf("%d requests for a kind of tag that the list does not have", got)
	}
}
