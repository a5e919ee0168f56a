package matrix

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// week is the start of the scan of a week.
func week(n int) time.Time { return time.Date(2026, 11, 2+7*n, 6, 0, 0, 0, time.UTC) }

// linked is a row of the image d, or of what "digest=" says, with links as words say them:
//
//	a:sbom=api,tag        link a of a kind on the image, and where it stands
//	a:sbom@p1=api         on the platform p1
//	asked=tag             places of the image that were read to the end; all, if it is not said
//	p1=tag                places of the platform p1; all but in-index, if it is not said
//	total=300             more links than are kept
//	platform=p2           the platform of the image, p1 if it is not said
//	api=unsupported       whether the registry has the API; supported, if it is not said
//	digest=e  unprobed    another digest, "-" for none; without links
func linked(words string) *Row {
	r := &Row{Registry: "r", Image: "i", Digest: "d", Strategy: ReferrersAPI, Referrers: Supported}
	links := &Links{Asked: Places, Platforms: []Platform{{Platform: "p1", Digest: "p1", Asked: Places[:3]}}}
	places := func(text string) (out []Place) {
		for place := range strings.SplitSeq(text, ",") {
			out = append(out, Place(place))
		}
		return out
	}
	var all []Link
	for word := range strings.FieldsSeq(words) {
		what, value, _ := strings.Cut(word, "=")
		digest, kind, isLink := strings.Cut(what, ":")
		switch {
		case isLink:
			link := Link{Digest: digest, Where: places(value), Subject: "d", Depth: 1}
			var on string
			if kind, on, _ = strings.Cut(kind, "@"); on != "" {
				link.Subject, link.Platform = on, on
			}
			link.Kind = LinkKind(kind)
			all = append(all, link)
		case what == "asked":
			links.Asked = places(value)
		case what == "p1":
			links.Platforms[0].Asked = places(value)
		case what == "platform":
			links.Platforms[0].Platform, links.Platforms[0].Digest = value, value
		case what == "api":
			r.Referrers = Support(value)
		case what == "digest":
			r.Digest = strings.Trim(value, "-")
		case what == "unprobed":
			links = nil
		}
	}
	if links != nil {
		counted := NewLinks(all, links.Asked, links.Platforms)
		_, _ = fmt.Sscanf(words[max(strings.Index(words, "total="), 0):], "total=%d", &counted.Total)
		r.Links = counted
	}
	return r
}

// weekOf is the scan of a week, of one row.
func weekOf(n int, words string) *Matrix {
	return &Matrix{Started: week(n), Complete: true, Rows: []Row{*linked(words)}}
}

// lostIn names lost links with the week, "!" if they were replaced, and new ones.
func lostIn(lost []Lost, added []Link) string {
	var out []string
	for _, l := range lost {
		text := fmt.Sprintf("-%s:%s", l.Digest, l.Kind)
		if l.Platform != "" {
			text += "@" + l.Platform
		}
		text += fmt.Sprintf("/%d", int(l.Since.Sub(week(0)).Hours()/24/7))
		if l.Replaced {
			text += "!"
		}
		out = append(out, text)
	}
	for _, l := range added {
		out = append(out, fmt.Sprintf("+%s:%s", l.Digest, l.Kind))
	}
	return strings.Join(out, " ")
}

// TestLinkChanges: a link is lost, or new, only if that is certain.
func TestLinkChanges(t *testing.T) {
	for _, test := range []struct{ was, now, want string }{
		{"a:sbom=api", "a:sbom=api", ""},
		{"a:sbom=api", "", "-a:sbom/1"},
		{"", "a:sbom=api", "+a:sbom"},
		{"a:sbom=api a:provenance=api", "", "-a:provenance/1 -a:sbom/1"},
		{"a:sbom=api", "b:sbom=api", "-a:sbom/1! +b:sbom"},
		{"a:=api", "a:sbom=api", ""}, // its kind was not known before
		{"a:=api", "b:=api", "-a:/1 +b:"},
		{"a:sbom=tag", "a:sbom=api", ""},
		{"a:sbom=api", "digest=e", ""},
		{"a:sbom=api", "digest=e b:sbom=api", ""},
		{"a:sbom=api digest=-", "", ""},
		{"a:sbom=api", "digest=-", ""},
		{"a:sbom=api", "unprobed", ""},
		{"unprobed", "a:sbom=api", ""},

		{"a:sbom=api", "asked=tag,cosign-tag,in-index", ""},
		{"a:sbom=api,tag", "asked=api,cosign-tag,in-index", ""},
		{"a:sbom=api", "asked=api", "-a:sbom/1"},
		{"asked=tag", "a:sbom=api", ""},
		{"asked=tag", "a:sbom=tag", "+a:sbom"},

		{"a:sbom=api", "api=unsupported", ""}, // the API is gone, which is a change of its own
		{"a:sbom=api,tag", "api=unsupported", ""},
		{"a:sbom=tag", "api=unsupported", "-a:sbom/1"},
		{"api=unsupported", "a:sbom=api", ""},
		{"api=unsupported a:sbom=tag", "a:sbom=api,tag", ""},

		{"a:sbom@p1=api", "", "-a:sbom@p1/1"},
		{"a:sbom@p1=api", "asked=tag", "-a:sbom@p1/1"},
		{"a:sbom@p1=api", "p1=tag", ""},
		{"a:sbom@p1=in-index", "p1=tag", "-a:sbom@p1/1"},
		{"a:sbom@p1=in-index", "asked=api", ""},
		{"a:sbom@p2=api", "", ""},
		{"a:sbom@p1=api", "a:sbom=api", "-a:sbom@p1/1 +a:sbom"},

		{"a:signature=cosign-tag", "b:signature=cosign-tag", ""}, // signed again
		{"a:signature=cosign-tag", "b:attestation=cosign-tag", "-a:signature/1 +b:attestation"},
		{"a:signature=api,cosign-tag", "b:signature=api", "-a:signature/1! +b:signature"},
		{"a:signature=cosign-tag", "b:signature@p1=cosign-tag", "-a:signature/1 +b:signature"},
		{"a:signature=cosign-tag", "", "-a:signature/1"},
		{"a:signature=cosign-tag", "b:=cosign-tag", "+b:"}, // perhaps signed again: what it is was not read

		{"a***:sbom=api", "", ""}, // a secret hides which it is, in one scan and not in the other
		{"a***:sbom=api", "ab:sbom=api", ""},
		{"ab:sbom=api", "a***:sbom=api", ""},
		{"ab:sbom=api", "***:vex@p1=api", "-ab:sbom/1"},

		{"b:sbom=api", "a:sbom=api total=300", "+a:sbom"}, // b may be beyond the links kept
		{"b:sbom=api", "c:sbom=api total=300", "-b:sbom/1! +c:sbom"},
		{"b:sbom=api total=300", "b:sbom=api c:sbom=api", ""},
		{"b:sbom=api", "total=300", ""},
	} {
		lost, added := linkChanges(linked(test.was), nil, linked(test.now), week(1))
		if got := lostIn(lost, added); got != test.want {
			t.Errorf("from %q to %q: %q, want %q", test.was, test.now, got, test.want)
		}
	}
	deep := linked("a:sbom=api")
	deep.Links.Items[0].Depth = 2
	if lost, added := linkChanges(deep, nil, linked(""), week(1)); lost != nil || added != nil {
		t.Errorf("of depth 2: %v %v", lost, added)
	}
}

// TestLossStays: a loss stays from scan to scan, with the time of the first that did not find the
// link, until the link is back or the digest moves.
func TestLossStays(t *testing.T) {
	for _, test := range []struct {
		name  string
		weeks []string // the row of the image in each week, and after the slash its losses
	}{
		{"for ever", []string{"a:sbom=api", " / -a:sbom/1", " / -a:sbom/1", "b:vex=api / -a:sbom/1"}},
		{"until it is replaced", []string{"a:sbom=api", " / -a:sbom/1", "b:sbom=tag", "b:sbom=tag"}},
		{"not if another of its kind was there before", []string{"a:sbom=api b:sbom=api", "b:sbom=api / -a:sbom/1", "b:sbom=api / -a:sbom/1"}},
		{"not on another subject", []string{"a:sbom=api", " / -a:sbom/1", "b:sbom@p1=tag / -a:sbom/1"}},
		{"once if it is replaced at once", []string{"a:sbom=api", "b:sbom=api / -a:sbom/1!", "b:sbom=api"}},
		{"until it is back", []string{"a:sbom=api", " / -a:sbom/1", "a:sbom=tag", " / -a:sbom/3", " / -a:sbom/3"}},
		{"until the digest moves", []string{"a:sbom=api", " / -a:sbom/1", "digest=e", " "}},
		{"while the links are not read", []string{"a:sbom=api", " / -a:sbom/1", "unprobed / -a:sbom/1", "asked=tag / -a:sbom/1", " / -a:sbom/1"}},
		{"through an outage", []string{"a:sbom=api", " / -a:sbom/1", "digest=- unprobed / -a:sbom/1", " / -a:sbom/1"}},
		{"not through an outage in which the digest moves", []string{"a:sbom=api", " / -a:sbom/1", "digest=- unprobed / -a:sbom/1", "digest=e"}},
		{"on a platform", []string{"a:sbom@p1=api", " / -a:sbom@p1/1", "digest=- unprobed / -a:sbom@p1/1", " / -a:sbom@p1/1", "digest=e"}},
		{"not on a platform that the image does not have any more", []string{
			"a:sbom@p1=api", " / -a:sbom@p1/1", "digest=- unprobed / -a:sbom@p1/1",
			"digest=e unprobed / -a:sbom@p1/1", "digest=e platform=p2 asked=tag / -a:sbom@p1/1", "digest=e platform=p2",
		}},
		{"with others", []string{"a:sbom=api b:vex=api", "b:vex=api / -a:sbom/1", " / -a:sbom/1 -b:vex/2", "b:vex=api / -a:sbom/1"}},
	} {
		var before *Matrix
		for n, text := range test.weeks {
			words, want, _ := strings.Cut(text, " / ")
			now := weekOf(n, words)
			if before != nil {
				now.FindLosses(before)
			}
			if got := lostIn(now.Rows[0].Lost, nil); got != strings.TrimSpace(want) {
				t.Errorf("%s, week %d: %q, want %q", test.name, n, got, want)
			}
			before = now
		}
	}
}

// TestLossAfterAnOutage: a link that went during an outage is lost all the same, if the row of
// before the outage is known.
func TestLossAfterAnOutage(t *testing.T) {
	down, up := weekOf(1, "digest=- unprobed"), weekOf(2, "b:vex=api")
	known := Known{Row: *linked("a:sbom=api")}
	up.FindLosses(down, known)
	if got := lostIn(up.Rows[0].Lost, nil); got != "-a:sbom/2" {
		t.Errorf("%q is lost", got)
	}
	if got := linkDiff(Compare(down, up, known)); got != "links-lost -a:sbom/2, links-new +b:vex" {
		t.Errorf("the diff has %q", got)
	}
	up.Rows[0].Lost = nil
	up.FindLosses(down)
	if got := up.Rows[0].Lost; got != nil {
		t.Errorf("without the row of before: %v", got)
	}
}

// TestLossesAreBounded: a row keeps so many losses, and its size stays within its bound.
func TestLossesAreBounded(t *testing.T) {
	before, now := weekOf(0, ""), weekOf(1, "")
	long := strings.Repeat("x", 1000)
	for i := range 150 {
		link := Link{Digest: fmt.Sprint(i), Subject: "d", Where: Places[:1], Depth: 1}
		before.Rows[0].Links.Items = append(before.Rows[0].Links.Items, link)
		before.Rows[0].Lost = append(before.Rows[0].Lost, Lost{Digest: fmt.Sprint(1000 + i), Subject: "d"})
		now.Rows[0].Exchanges = append(now.Rows[0].Exchanges, Exchange{Headers: map[string]string{"Server": long + long}})
	}
	before.Rows[0].Links.Total = 150
	now.FindLosses(before)
	if n := len(now.Rows[0].Lost); n != MaxLinks {
		t.Errorf("%d losses are kept", n)
	}
	if now.Rows[0].size() > MaxRow {
		t.Errorf("the row takes %d KiB", now.Rows[0].size()>>10)
	}
}

// linkDiff is the changes of links that a diff has.
func linkDiff(d Diff) string {
	var out []string
	for _, c := range d.Changes {
		if c.Kind == LinksLost || c.Kind == LinksNew {
			out = append(out, string(c.Kind)+" "+lostIn(c.Lost, c.Links))
		}
	}
	return strings.Join(out, ", ")
}

// TestDiffOfLinks: a diff names what is lost, since when, and what is new. Neither is a change
// for the gate of that name, and a change of the verdict is another one.
func TestDiffOfLinks(t *testing.T) {
	first, second, third := weekOf(0, "a:sbom=api"), weekOf(1, "b:vex=api"), weekOf(2, "b:vex=api c:sbom=api")
	second.FindLosses(first)
	third.FindLosses(second)
	for _, test := range []struct {
		older, newer *Matrix
		want         string
	}{
		{first, first, ""},
		{first, second, "links-lost -a:sbom/1, links-new +b:vex"},
		{second, third, "links-new +c:sbom"}, // and with it, the SBOM is back
		{first, third, "links-lost -a:sbom/2!, links-new +b:vex +c:sbom"},
		{first, weekOf(3, "unprobed"), ""},
	} {
		d := Compare(test.older, test.newer)
		if got := linkDiff(d); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
		if d.Significant() {
			t.Errorf("%q is significant", test.want)
		}
	}
	tags := weekOf(1, "")
	tags.Rows[0].Strategy, tags.Rows[0].Referrers = ReferrersTag, Unsupported
	if got := summaryOf(Compare(weekOf(0, "a:sbom=tag"), tags)); got != "regression! strategy referrers, links-lost" {
		t.Errorf("with a change of the verdict: %s", got)
	}
}
