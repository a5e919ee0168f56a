package matrix

import (
	"strings"
	"testing"
)

const imageType = "application/vnd.oci.image.manifest.v1+json"

// end is one side of a move: a row of registry at url, measured in full, with
// links listed by the API or by the tag.
func end(registry, url string, seen Referrers, change func(*Observation)) Row {
	o := subject(seen)
	o.Manifest.MediaType = imageType
	listed := 0
	if seen.Index != nil {
		listed = seen.Index.Total
	}
	o.Capabilities = Capabilities{Descriptors: &listed, TagSchema: &TagSchema{State: TagAbsent}, CosignTags: []string{}}
	if change != nil {
		change(o)
	}
	return NewRow(Target{Registry: registry, URL: url, Image: "team/app:1.0"}, o)
}

func tagOf(schema TagSchema) func(*Observation) {
	return func(o *Observation) { o.Capabilities.TagSchema = &schema }
}

func pushed(p Push) func(*Observation) { return func(o *Observation) { o.Capabilities.Push = &p } }

func multiPlatform(o *Observation) { o.Manifest.MediaType = IndexMediaType }

// TestAssess: what an assessment may promise of each pair of ends. It never
// says safe where nobody knows what a client does.
func TestAssess(t *testing.T) {
	api := func(n int) Referrers { return index(IndexMediaType, n) }
	away := Referrers{Answer: Answer{Status: 303, Location: "https://a.example/"}}
	mixedTag := tagOf(TagSchema{State: TagIndex, Compared: true, Descriptors: 1, OnlyTag: []string{"sha256:b"}, OnlyAPI: []string{"sha256:c"}})
	tagged := tagOf(TagSchema{State: TagIndex, Compared: true, Descriptors: 2})
	dual := pushed(Push{Strategy: PushDual, Listed: true})
	honest := pushed(Push{Strategy: PushAPI, OCISubject: true, Listed: true})
	refused := pushed(Push{Strategy: PushRefused})
	for _, test := range []struct {
		name           string
		source, target Row
		want           Move
		says           string // in the detail or a note
		command        string // the program of the command that is printed
	}{
		{"nothing attached", end("a", "https://a", api(0), nil), end("b", "https://b", status(404), nil), Safe, "any copy", ""},
		{"links by the API", end("a", "https://a", api(2), nil), end("b", "https://b", status(404), nil), SafeWithCommands, "oras cp -r keeps them all", "oras"},
		{"to a redirect away", end("a", "https://a", api(2), nil), end("b", "https://b", away, nil), CannotTell, "oras was not run against an answer like the target's (redirected-away)", ""},
		{"from a redirect away", end("a", "https://a", away, tagged), end("b", "https://b", api(0), nil), CannotTell, "like the source's (redirected-away)", ""},
		{"cosign tags alone to a redirect away", end("a", "https://a", api(0), func(o *Observation) { o.Capabilities.CosignTags = []string{".sig"} }), end("b", "https://b", away, nil), SafeWithCommands, "regctl image copy keeps them all", "regctl"},
		{"mixed, push unproven", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), nil), CannotTell, "--write-probe", ""},
		{"mixed, push proven", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), honest), SafeWithCommands, "regctl image copy keeps them all", "regctl"},
		{"mixed, pushed to a repository without the API", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), pushed(Push{Strategy: PushTag, Accepted: true, NoList: true})), CannotTell, "--write-probe", ""},
		{"mixed to dual", end("a", "https://a", api(2), mixedTag), end("b", "https://b", api(0), dual), LosesLinks, "1 of 3 links", "oras"},
		{"push refused", end("a", "https://a", api(2), nil), end("b", "https://b", api(0), refused), LosesLinks, "All of 2 links are lost with every copy", ""},
		{"405 at the target, where a push is by the tag all the same", end("a", "https://a", api(2), nil), end("b", "https://b", status(405), nil), SafeWithCommands, "keeps them all", "oras"},
		{"platforms without a link of the index", end("a", "https://a", api(0), multiPlatform), end("b", "https://b", api(0), nil), SafeWithCommands, "what hangs on its platforms", "regctl"},
		{"platforms and a link of the index", end("a", "https://a", api(1), multiPlatform), end("b", "https://b", api(0), nil), SafeWithCommands, "not what hangs on the manifests of its platforms", "regctl"},
		{"platforms to a redirect away", end("a", "https://a", api(0), multiPlatform), end("b", "https://b", away, nil), CannotTell, "was not run against", ""},
		{"platforms and a push refused", end("a", "https://a", api(0), multiPlatform), end("b", "https://b", api(0), refused), CannotTell, "works here", "crane"},
		{"a manifest of no known type", end("a", "https://a", api(0), func(o *Observation) { o.Manifest.MediaType = "" }), end("b", "https://b", api(0), nil), SafeWithCommands, "platforms", "regctl"},
		{"a base path", end("a", "https://a/registry", api(2), nil), end("b", "https://b", api(0), nil), SafeWithCommands, "a is at a base path", ""},
	} {
		a, err := Assess(&Matrix{Rows: []Row{test.source}}, &Matrix{Rows: []Row{test.target}})
		if err != nil {
			t.Fatal(err)
		}
		got := a.Images[0]
		program, _, _ := strings.Cut(got.Command, " ")
		if said := strings.Join(append([]string{got.Detail}, got.Notes...), " "); got.Verdict != test.want || !strings.Contains(said, test.says) || program != test.command {
			t.Errorf("%s: %s, %q, %q; want %s, %q, %s", test.name, got.Verdict, said, got.Command, test.want, test.says, test.command)
		}
	}
}

// TestAssessPushElsewhere: the write probe runs on one image of a registry, and
// what it found holds for the others.
func TestAssessPushElsewhere(t *testing.T) {
	source := end("a", "https://a", index(IndexMediaType, 2), tagOf(TagSchema{State: TagIndex, Compared: true, Descriptors: 1, OnlyTag: []string{"sha256:b"}}))
	first := end("b", "https://b", index(IndexMediaType, 0), pushed(Push{Strategy: PushDual, Listed: true}))
	first.Image = "scratch:1"
	same := end("b", "https://b", index(IndexMediaType, 0), nil)
	a, err := Assess(&Matrix{Rows: []Row{source}}, &Matrix{Rows: []Row{first, same}})
	if err != nil || a.Images[0].Verdict != LosesLinks {
		t.Errorf("%v %+v", err, a.Images)
	}
}

// TestAssessRefuses: ends that cannot be compared are refused with the mend.
func TestAssessRefuses(t *testing.T) {
	a, b, c := end("a", "https://a", status(404), nil), end("b", "https://b", status(404), nil), end("c", "https://c", status(404), nil)
	for _, test := range []struct {
		source, target []Row
		want           string
	}{
		{nil, []Row{b}, "the source holds no images"},
		{[]Row{a}, nil, "the target holds no images"},
		{[]Row{a}, []Row{b, c}, "the target holds 2 registries (b, c): name the one"},
		{[]Row{a}, []Row{a}, "are both https://a"},
	} {
		_, err := Assess(&Matrix{Rows: test.source}, &Matrix{Rows: test.target})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
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
}
