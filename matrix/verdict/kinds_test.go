package verdict

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"refmatrix/matrix"
)

// kindCase is one file of testdata/kinds: a manifest as its signer writes it, and the
// descriptor that a list has of it.
type kindCase struct {
	Source    string           `json:"source"`
	Listed    Attached         `json:"listed"`
	CosignTag bool             `json:"cosign_tag"`
	Manifest  AttachedManifest `json:"manifest"`
	Want      struct {
		Before    []matrix.LinkKind `json:"before"` // by the list alone, or "read"
		Kinds     []matrix.LinkKind `json:"kinds"`
		TypedAway bool              `json:"typed_away"`
	} `json:"want"`
}

func kindCases(t *testing.T) map[string]kindCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/kinds/*.json")
	if err != nil || len(paths) < 40 {
		t.Fatal(len(paths), err)
	}
	out := map[string]kindCase{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var one kindCase
		if err := json.Unmarshal(text, &one); err != nil {
			t.Fatal(path, err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".json")] = one
	}
	return out
}

// TestKinds: what signers write gets its kind, by the list if that says enough, and no
// annotation makes a signature of something else.
func TestKinds(t *testing.T) {
	for name, test := range kindCases(t) {
		a := test.Listed
		a.CosignTag = test.CosignTag
		before, read := a.Kinds()
		if read {
			before = append(before, "read")
		}
		if diff := cmp.Diff(test.Want.Before, before); diff != "" || a.TypedAway() {
			t.Errorf("%s, by the list alone: %s typed away %v", name, diff, a.TypedAway())
		}
		a.Manifest = &test.Manifest
		kinds, read := a.Kinds()
		if diff := cmp.Diff(test.Want.Kinds, kinds, cmpopts.EquateEmpty()); diff != "" || read {
			t.Errorf("%s, by its manifest: %s read %v", name, diff, read)
		}
		if a.TypedAway() != test.Want.TypedAway {
			t.Errorf("%s: typed away %v", name, a.TypedAway())
		}
	}
}

// TestEveryKindIsMet: each rule of the table decides some manifest of testdata, or is one of the
// spellings of a type that another rule is tested with.
func TestEveryKindIsMet(t *testing.T) {
	var all strings.Builder
	met := map[matrix.LinkKind]bool{}
	for _, test := range kindCases(t) {
		encoded, err := json.Marshal(test)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(encoded)
		for _, kind := range test.Want.Kinds {
			met[kind] = true
		}
	}
	spellings := map[string]bool{
		"application/openvex+json":                         true,
		"application/vex+json":                             true,
		"application/vnd.dev.cosign.artifact.sbom.v1+json": true,
		"https://in-toto.io/Provenance":                    true,
	}
	for _, rule := range kindRules {
		if value := strings.TrimSuffix(rule.value, "*"); strings.Contains(all.String(), value) == spellings[value] {
			t.Errorf("%s: it is in testdata %v, and in the list of spellings %v", value, !spellings[value], spellings[value])
		}
		if rule.source == "" || rule.on == 0 {
			t.Errorf("%s lacks its source or its evidence", rule.value)
		}
	}
	for _, kind := range matrix.LinkKinds {
		if !met[kind] {
			t.Errorf("no manifest is %s", kind)
		}
	}
}

// TestInIndexSubject: only an attestation manifest is attached to another manifest of its index.
func TestInIndexSubject(t *testing.T) {
	const digest = "sha256:5a"
	for _, test := range []struct {
		annotations map[string]string
		want        string
	}{
		{nil, ""},
		{map[string]string{dockerReference: "attestation-manifest", dockerReferenced: digest}, digest},
		{map[string]string{dockerReference: "attestation-manifest"}, ""},
		{map[string]string{dockerReference: "other", dockerReferenced: digest}, ""},
	} {
		if got := InIndexSubject(test.annotations); got != test.want {
			t.Errorf("%v: %q", test.annotations, got)
		}
	}
}

// TestKindsAreDocumented: docs/links.md holds the table of kinds, each rule with its source.
func TestKindsAreDocumented(t *testing.T) {
	const begin, end = "<!-- kinds -->\n", "<!-- end of kinds -->"
	text, err := os.ReadFile("../../docs/links.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !ok || !ends {
		t.Fatal("docs/links.md lacks the place of the kinds")
	}
	var out lines
	out.line("The strongest evidence decides, in this order:\n")
	out.line("1. the manifest's artifact type, then the media type of its config")
	out.line("2. if that type holds statements: the predicate type in the annotations of the manifest")
	out.line("3. the media types of the layers, and the predicate types in their annotations\n")
	out.line("If the list says enough, the manifest is not read: its artifact type and annotations are")
	out.line("those of the manifest by rule. An annotation never decides against a type. A predicate")
	out.line("type may be followed by a version. An in-toto statement of a predicate type that is not in")
	out.line("the table is an `attestation`; a manifest of which nothing is in the table is `other`. A")
	out.line("Sigstore bundle that does not name its predicate type has no kind, because signatures and")
	out.line("attestations differ in that alone.\n")
	out.line("| kind | shown by | as | source |\n| --- | --- | --- | --- |")
	for _, rule := range kindRules {
		shows := "`" + string(rule.kind) + "`"
		switch {
		case rule.kind == "":
			shows = "by its predicate type"
		case rule.predicates != nil:
			shows = "by its predicate type, else " + shows
		}
		out.line("| %s | `%s` | %s | %s |", shows, rule.value, cell(rule.place()), cell(rule.source))
	}
	document(t, "links.md", before+begin+"\n"+out.String()+"\n"+end+after)
}

// place says where a rule's value stands.
func (r *kindRule) place() string {
	var out []string
	for _, one := range []struct {
		on   evidence
		text string
	}{
		{asArtifact, "artifact type or config"},
		{asLayer, "layer"},
		{asPredicate, "predicate type"},
	} {
		if r.on&one.on != 0 {
			out = append(out, one.text)
		}
	}
	text := strings.Join(out, ", ")
	switch {
	case r.annotation == bundleContent:
		return "`" + bundleContent + "`"
	case r.on == asPredicate && r.annotation != "":
		return text + ", in `" + r.annotation + "` alone"
	case r.annotation != "":
		return text + " with `" + r.annotation + "`"
	}
	return text
}
