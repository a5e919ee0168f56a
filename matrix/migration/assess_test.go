package migration

import (
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// subject is an observation whose image resolved, with an answer at the
// referrers endpoint.
func subject(answer verdict.Referrers) *verdict.Observation {
	return &verdict.Observation{
		Manifest:  verdict.Manifest{Answer: verdict.Answer{Status: 200}, Digest: "sha256:" + strings.Repeat("a", 64)},
		Referrers: answer,
	}
}

func status(code int) verdict.Referrers {
	return verdict.Referrers{Answer: verdict.Answer{Status: code}}
}

func index(contentType string, descriptors int) verdict.Referrers {
	return verdict.Referrers{
		Answer: verdict.Answer{Status: 200, ContentType: contentType, Body: verdict.BodyIndex},
		Index:  &verdict.Index{Total: descriptors},
	}
}

const imageType = "application/vnd.oci.image.manifest.v1+json"

// end is one side of a move: a row of registry at url, measured in full, with
// links listed by the API or by the tag.
func end(registry, url string, seen verdict.Referrers, change func(*verdict.Observation)) matrix.Row {
	o := subject(seen)
	o.Manifest.MediaType = imageType
	listed := 0
	if seen.Index != nil {
		listed = seen.Index.Total
	}
	o.Capabilities = matrix.Capabilities{Descriptors: &listed, TagSchema: &matrix.TagSchema{State: matrix.TagAbsent}, CosignTags: []string{}}
	if change != nil {
		change(o)
	}
	return verdict.NewRow(verdict.Target{Registry: registry, URL: url, Image: "team/app:1.0"}, o)
}

func tagOf(schema matrix.TagSchema) func(*verdict.Observation) {
	return func(o *verdict.Observation) { o.Capabilities.TagSchema = &schema }
}

func pushed(p matrix.Push) func(*verdict.Observation) {
	return func(o *verdict.Observation) { o.Capabilities.Push = &p }
}

func multiPlatform(o *verdict.Observation) { o.Manifest.MediaType = matrix.IndexMediaType }

// TestAssess: what an assessment may promise of each pair of ends. It never
// says safe where nobody knows what a client does.
func TestAssess(t *testing.T) {
	api := func(n int) verdict.Referrers { return index(matrix.IndexMediaType, n) }
	away := verdict.Referrers{Answer: verdict.Answer{Status: 303, Location: "https://a.example/"}}
	mixedTag := tagOf(matrix.TagSchema{State: matrix.TagIndex, Compared: true, Descriptors: 1, OnlyTag: []string{"sha256:b"}, OnlyAPI: []string{"sha256:c"}})
	tagged := tagOf(matrix.TagSchema{State: matrix.TagIndex, Compared: true, Descriptors: 2})
	dual := pushed(matrix.Push{Strategy: matrix.PushDual, Listed: true})
	honest := pushed(matrix.Push{Strategy: matrix.PushAPI, OCISubject: true, Listed: true})
	refused := pushed(matrix.Push{Strategy: matrix.PushRefused})
	lost := pushed(matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true})
	signed := func(o *verdict.Observation) { o.Capabilities.CosignTags = []string{".sig"} }
	both := func(o *verdict.Observation) {
		signed(o)
		o.Capabilities.CosignListed = []string{".sig"}
	}
	stale := func(o *verdict.Observation) {
		signed(o)
		tagOf(matrix.TagSchema{State: matrix.TagIndex, Compared: true, Descriptors: 1, OnlyAPI: []string{"sha256:c"}})(o)
	}
	for _, test := range []struct {
		name           string
		source, target matrix.Row
		want           Verdict
		says           string // in the detail or a note
		command        string // the program of the command that is printed
	}{
		{"nothing attached", end("a", "https://a", api(0), nil), end("b", "https://b", status(404), nil), Safe, "any copy", ""},
		{"links by the API", end("a", "https://a", api(2), nil), end("b", "https://b", status(404), nil), SafeWithCommands, "oras cp -r keeps them all", "oras"},
		{"to a redirect away", end("a", "https://a", api(2), nil), end("b", "https://b", away, nil), CannotTell, "oras was not run against an answer like the target's (redirected-away)", ""},
		{"from a redirect away", end("a", "https://a", away, tagged), end("b", "https://b", api(0), nil), CannotTell, "like the source's (redirected-away)", ""},
		{"cosign tags alone to a redirect away", end("a", "https://a", api(0), signed), end("b", "https://b", away, nil), SafeWithCommands, "regctl image copy keeps them all", "regctl"},
		{"mixed, push unproven", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), nil), CannotTell, "--write-probe", ""},
		{"mixed, push proven", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), honest), SafeWithCommands, "regctl image copy keeps them all", "regctl"},
		{"mixed, pushed to a repository without the API", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), pushed(matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true})), CannotTell, "--write-probe", ""},
		{"mixed to dual", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), dual), LosesLinks, "1 of 3 links", "oras"},
		{"push refused", end("a", "https://a", api(2), nil), end("b", "https://b", api(0), refused), LosesLinks, "All of 2 links are lost with every copy", ""},
		{"405 at the target, where a push is by the tag all the same", end("a", "https://a", api(2), nil), end("b", "https://b", status(405), nil), SafeWithCommands, "keeps them all", "oras"},
		{"platforms without a link of the index", end("a", "https://a", api(0), multiPlatform), end("b", "https://b", api(0), nil), SafeWithCommands, "what is attached to its platforms", "regctl"},
		{"platforms and a link of the index", end("a", "https://a", api(1), multiPlatform), end("b", "https://b", api(0), nil), SafeWithCommands, "not what is attached to the manifests of its platforms", "regctl"},
		{"platforms to a redirect away", end("a", "https://a", api(0), multiPlatform), end("b", "https://b", away, nil), CannotTell, "was not run against", ""},
		{"platforms and a push refused", end("a", "https://a", api(0), multiPlatform), end("b", "https://b", api(0), refused), CannotTell, "works here", "crane"},
		{"a type with a parameter", end("a", "https://a", api(0), func(o *verdict.Observation) { o.Manifest.MediaType = imageType + "; charset=utf-8" }), end("b", "https://b", api(0), nil), Safe, "any copy", ""},
		{"a manifest of no known type", end("a", "https://a", api(0), func(o *verdict.Observation) { o.Manifest.MediaType = "" }), end("b", "https://b", api(0), nil), SafeWithCommands, "platforms", "regctl"},
		{"a stale tag and cosign's to dual", end("a", "https://a", api(2), stale), end("b", "https://b", api(0), dual), LosesLinks, "1 of 3 links", "oras"},
		{"mixed, the write probe cut short", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), pushed(matrix.Push{Strategy: matrix.PushUnknown})), CannotTell, "--write-probe", ""},
		{"a target that loses what is pushed", end("a", "https://a", api(2), nil), end("b", "https://b", api(0), lost), LosesLinks, "All of 2 links are lost with every copy", ""},
		{"cosign tags alone to such a target", end("a", "https://a", api(0), signed), end("b", "https://b", api(0), lost), SafeWithCommands, "regctl image copy keeps them all", "regctl"},
		{"a cosign tag that the API lists", end("a", "https://a", api(1), both), end("b", "https://b", api(0), lost), SafeWithCommands, "regctl image copy keeps them all", "regctl"},
		{"a cosign tag that the API lists beside another link", end("a", "https://a", api(2), both), end("b", "https://b", api(0), lost), LosesLinks, "All of 2 links", ""},
		{"from 405, at which oras stops", end("a", "https://a", status(405), tagged), end("b", "https://b", api(0), nil), SafeWithCommands, "regctl image copy keeps them all", "regctl"},
		{"from a list that may not be read", end("a", "https://a", status(403), tagged), end("b", "https://b", api(0), nil), CannotTell, "could not be measured", ""},
		{"to a base path", end("a", "https://a", api(2), nil), end("b", "https://b/registry/", api(0), nil), SafeWithCommands, "b is at a base path", ""},
		{"a base path", end("a", "https://a/registry", api(2), nil), end("b", "https://b", api(0), nil), SafeWithCommands, "a is at a base path", ""},
	} {
		a, err := Assess(&matrix.Matrix{Rows: []matrix.Row{test.source}}, &matrix.Matrix{Rows: []matrix.Row{test.target}})
		if err != nil {
			t.Fatal(err)
		}
		got := a.Images[0]
		program, _, _ := strings.Cut(got.Command, " ")
		if said := strings.Join(append([]string{got.Detail}, got.Notes...), " "); got.Verdict != test.want || !strings.Contains(said, test.says) || program != test.command {
			t.Errorf("%s: %s, %q, %q; want %s, %q, %s", test.name, got.Verdict, said, got.Command, test.want, test.says, test.command)
		}
		if safe := test.want == Safe || test.want == SafeWithCommands; a.Safe() != safe {
			t.Errorf("%s: safe is %v", test.name, a.Safe())
		}
	}
}

// TestAssessOtherRows: what speaks for an image at the target where it was not
// measured there itself, or where the write probe ran on another.
func TestAssessOtherRows(t *testing.T) {
	api := func(n int) verdict.Referrers { return index(matrix.IndexMediaType, n) }
	named := func(image string, seen verdict.Referrers, change func(*verdict.Observation)) matrix.Row {
		row := end("b", "https://b", seen, change)
		row.Image = image
		return row
	}
	const same = "team/app:1.0"
	away := verdict.Referrers{Answer: verdict.Answer{Status: 303, Location: "https://a.example/"}}
	dual := pushed(matrix.Push{Strategy: matrix.PushDual, Accepted: true, Listed: true})
	honest := pushed(matrix.Push{Strategy: matrix.PushAPI, Accepted: true, OCISubject: true, Listed: true})
	lost := pushed(matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true})
	without := pushed(matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true})
	plain := end("a", "https://a", api(2), nil)
	mixed := end("a", "https://a", api(2), tagOf(matrix.TagSchema{State: matrix.TagIndex, Compared: true, Descriptors: 1, OnlyTag: []string{"sha256:b"}}))
	for _, test := range []struct {
		name   string
		source matrix.Row
		target []matrix.Row
		want   Verdict
		says   string // in the detail
	}{
		{"dual elsewhere", mixed, []matrix.Row{named("scratch:1", api(0), dual), named(same, api(0), nil)}, LosesLinks, "1 of 3 links"},
		{"lost elsewhere", plain, []matrix.Row{named("scratch:1", api(0), lost), named(same, api(0), nil)}, LosesLinks, "All of 2"},
		{"OCI-Subject, and no API here", plain, []matrix.Row{named("scratch:1", api(0), honest), named(same, status(404), nil)}, LosesLinks, "All of 2"},
		{"OCI-Subject, and an answer here that no client was run against", plain, []matrix.Row{named("scratch:1", api(0), honest), named(same, away, nil)}, CannotTell, "was not run against"},
		{"dual, and an answer here that no client was run against", plain, []matrix.Row{named("scratch:1", api(0), dual), named(same, away, nil)}, CannotTell, "was not run against"},
		{"no API elsewhere", mixed, []matrix.Row{named("scratch:1", status(404), without), named(same, api(0), nil)}, CannotTell, "--write-probe"},
		{"down here, measured elsewhere", plain, []matrix.Row{named(same, status(500), nil), named("other:1", api(0), nil)}, SafeWithCommands, "keeps them all"},
		{"down everywhere", plain, []matrix.Row{named(same, status(500), nil)}, CannotTell, "not measured"},
		{"with and without the API", plain, []matrix.Row{named("other:1", status(404), nil), named("other:2", api(0), nil)}, CannotTell, "differs"},
		{"without it in two ways", plain, []matrix.Row{named("other:1", status(404), nil), named("other:2", status(405), nil)}, CannotTell, "differs"},
		{"under another type and its own", plain, []matrix.Row{named("other:1", index("text/plain", 0), nil), named("other:2", api(0), nil)}, CannotTell, "differs"},
		{"under its own type and another", plain, []matrix.Row{named("other:1", api(0), nil), named("other:2", index("text/plain", 0), nil)}, CannotTell, "differs"},
		{"with something attached and nothing", plain, []matrix.Row{named("other:1", api(0), nil), named("other:2", api(3), nil)}, SafeWithCommands, "keeps them all"},
	} {
		a, err := Assess(&matrix.Matrix{Rows: []matrix.Row{test.source}}, &matrix.Matrix{Rows: test.target})
		if err != nil || a.Images[0].Verdict != test.want || !strings.Contains(a.Images[0].Detail, test.says) {
			t.Errorf("%s: %v %s %q, want %s, %q", test.name, err, a.Images[0].Verdict, a.Images[0].Detail, test.want, test.says)
		}
	}
}

// TestCopyThatStops: what a client's error at either end comes to, which stops
// a copy only where it has links to write.
func TestCopyThatStops(t *testing.T) {
	tagged := tagOf(matrix.TagSchema{State: matrix.TagIndex, Descriptors: 2})
	signed := func(o *verdict.Observation) { o.Capabilities.CosignTags = []string{".sig"} }
	for _, test := range []struct {
		tool   string
		source matrix.Row
		writes matrix.Outcome // of regctl at the target
		fails  string         // the note, "" where the copy does not stop
		kept   int
	}{
		{"oras cp -r", end("a", "https://a", status(405), tagged), matrix.OutcomeAPI, "oras stops at the source's answer", 0},
		{"regctl image copy", end("a", "https://a", index(matrix.IndexMediaType, 2), nil), matrix.OutcomeError, "regctl stops at the target's answer", 0},
		{"regctl image copy", end("a", "https://a", index(matrix.IndexMediaType, 0), signed), matrix.OutcomeError, "", 1},
	} {
		target := end("b", "https://b", index(matrix.IndexMediaType, 0), nil)
		forecast := target.Clients["regctl"]
		forecast.Push = test.writes
		target.Clients["regctl"] = forecast
		a, err := Assess(&matrix.Matrix{Rows: []matrix.Row{test.source}}, &matrix.Matrix{Rows: []matrix.Row{target}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range a.Images[0].Copies {
			if c.Tool == test.tool && (c.Fails != (test.fails != "") || c.Fails && c.Note != test.fails || c.Kept != test.kept) {
				t.Errorf("%+v, want %d kept, %q", c, test.kept, test.fails)
			}
		}
	}
}

// TestAssessRefuses: ends that cannot be compared are refused, and the error says what to do.
func TestAssessRefuses(t *testing.T) {
	a, b, c := end("a", "https://a", status(404), nil), end("b", "https://b", status(404), nil), end("c", "https://c", status(404), nil)
	for _, test := range []struct {
		source, target []matrix.Row
		want           string
	}{
		{nil, []matrix.Row{b}, "the source holds no images"},
		{[]matrix.Row{a}, nil, "the target holds no images"},
		{[]matrix.Row{a}, []matrix.Row{b, c}, "the target holds 2 registries (b, c): name the one"},
		{[]matrix.Row{a}, []matrix.Row{a}, "are both https://a"},
	} {
		_, err := Assess(&matrix.Matrix{Rows: test.source}, &matrix.Matrix{Rows: test.target})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// TestAssessNamesTheSource: up to three registries by name, in the order of their
// rows and each once; more than that by their number.
func TestAssessNamesTheSource(t *testing.T) {
	for _, test := range []struct {
		registries, want string
		names            int
	}{
		{"a", "a", 1},
		{"a b a", "a, b", 2},
		{"c b a", "c, b, a", 3},
		{"a b c d", "4 registries", 0},
	} {
		var source []matrix.Row
		for name := range strings.FieldsSeq(test.registries) {
			source = append(source, end(name, "https://"+name, status(404), nil))
		}
		target := []matrix.Row{end("to", "https://to", status(404), nil)}
		a, err := Assess(&matrix.Matrix{Rows: source}, &matrix.Matrix{Rows: target})
		if err != nil || a.Source != test.want || len(a.SourceNames) != test.names || a.Target != "to" {
			t.Errorf("%s: %q %q to %q, %v", test.registries, a.Source, a.SourceNames, a.Target, err)
		}
	}
}

// TestCopyCommands: over http every tool is told so, in its own words.
func TestCopyCommands(t *testing.T) {
	want := map[string]string{
		"a plain copy":      "crane copy --insecure a:5000/x:1 b/x:1",
		"skopeo copy":       "skopeo copy --all --src-tls-verify=false docker://a:5000/x:1 docker://b/x:1",
		"oras cp -r":        "oras cp -r --concurrency 1 --from-plain-http a:5000/x:1 b/x:1",
		"regctl image copy": "regctl --host reg=a:5000,tls=disabled image copy --referrers --digest-tags a:5000/x:1 b/x:1",
	}
	for _, tool := range copyTools {
		if got := tool.command(sideOf("http://a:5000", "x:1"), sideOf("https://b/", "x:1")); got != want[tool.name] {
			t.Errorf("%s, want %s", got, want[tool.name])
		}
	}
	// A matrix.json can come from anywhere, and the command is there to be pasted.
	for image, want := range map[string]string{
		"team/app@sha256:0": "a/team/app@sha256:0", "x:$(id)": "'a/x:$(id)'", "x:`id`": "'a/x:`id`'", "x;id": "'a/x;id'", "x:$HOME": "'a/x:$HOME'", "x'$(id)'": `'a/x'\''$(id)'\'''`,
	} {
		if got := matrix.ShellWord(sideOf("https://a", image).image); got != want {
			t.Errorf("%s, want %s", got, want)
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
		pages  matrix.Pagination
		tag    matrix.TagSchema
		change func(*matrix.Capabilities)
		want   string // part of the gap, "" for none
	}{
		{"a broken page", matrix.PageBroken, matrix.TagSchema{State: matrix.TagAbsent}, nil, "pagination broken"},
		{"pages in a circle", matrix.PageLoop, matrix.TagSchema{State: matrix.TagAbsent}, nil, "pagination loop"},
		{"a page elsewhere", matrix.PageForeign, matrix.TagSchema{State: matrix.TagAbsent}, nil, "pagination off-origin"},
		{"too many pages", matrix.PageBounded, matrix.TagSchema{State: matrix.TagAbsent}, nil, "pagination bounded"},
		{"a tag that was not compared", matrix.PageSingle, matrix.TagSchema{State: matrix.TagIndex, Descriptors: 2}, nil, "not looked at in full"},
		{"a tag that may not be read", matrix.PageSingle, matrix.TagSchema{State: matrix.TagUnknown}, nil, "not looked at in full"},
		{"no look at the tag", matrix.PageSingle, matrix.TagSchema{}, func(c *matrix.Capabilities) { c.TagSchema = nil }, "not looked at in full"},
		{"no look at cosign's tags", matrix.PageSingle, matrix.TagSchema{State: matrix.TagAbsent}, func(c *matrix.Capabilities) { c.CosignTags = nil }, "not looked at in full"},
		{"a list that was not counted", matrix.PageSingle, matrix.TagSchema{State: matrix.TagAbsent}, func(c *matrix.Capabilities) { c.Descriptors = nil }, "not looked at in full"},
		{"all pages and no tag", matrix.PageLinked, matrix.TagSchema{State: matrix.TagAbsent}, nil, ""},
		{"all pages and a tag", matrix.PageLinked, matrix.TagSchema{State: matrix.TagIndex, Compared: true, Descriptors: 2, OnlyTagCount: 1}, nil, ""},
	} {
		caps := &matrix.Capabilities{Descriptors: &three, Pagination: test.pages, TagSchema: &test.tag, CosignTags: []string{}}
		if test.change != nil {
			test.change(caps)
		}
		links, gap := linksOf(&matrix.Row{Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI, Capabilities: caps})
		if (gap == "") != (test.want == "") || !strings.Contains(gap, test.want) || gap == "" && links.Total() != 3+test.tag.OnlyTagCount {
			t.Errorf("%s: %q with %d links, want %q", test.name, gap, links.Total(), test.want)
		}
	}
}
