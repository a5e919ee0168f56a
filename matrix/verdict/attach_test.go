package verdict

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"refmatrix/matrix"
)

// unsigned is a multi-platform image that lacks things.
func unsigned() *matrix.Row {
	return &matrix.Row{
		URL:      "https://r.example.com",
		Image:    "team/base:1.4",
		Digest:   "sha256:1",
		Strategy: matrix.ReferrersAPI,
		Links: &matrix.Links{Platforms: []matrix.Platform{
			{Platform: "linux/amd64", Digest: "sha256:a"}, {Platform: "linux/arm64", Digest: "sha256:b"},
		}},
	}
}

// TestHowToAttach: commands name the image, or the platform that lacks the kind, by digest,
// with the options that the registry needs.
func TestHowToAttach(t *testing.T) {
	const image, amd64, arm64 = "r.example.com/team/base@sha256:1", "r.example.com/team/base@sha256:a", "r.example.com/team/base@sha256:b"
	for _, test := range []struct {
		name string
		kind matrix.LinkKind
		with func(*matrix.Row)
		want []string // each is in a command or a note
		not  []string
	}{
		{"a signature", matrix.KindSignature, nil,
			[]string{"cosign sign --recursive " + image, "notation sign " + image}, []string{"Repeat", "sha256-"}},
		{"a signature of some platforms", matrix.KindSignature, lackingOn(matrix.KindSignature, "linux/arm64"),
			[]string{"cosign sign --recursive " + image, "notation sign " + arm64}, []string{"repeat"}},
		{"an SBOM of an index", matrix.KindSBOM, nil,
			[]string{"registry:" + amd64, "repeat it for each"}, []string{image}},
		{"an SBOM of one platform", matrix.KindSBOM, lackingOn(matrix.KindSBOM, "linux/arm64"),
			[]string{"sbom.spdx.json " + arm64}, []string{image, amd64}},
		{"an SBOM of one manifest", matrix.KindSBOM, func(r *matrix.Row) { r.Links.Platforms = nil },
			[]string{"sbom.spdx.json " + image}, []string{"repeat"}},
		{"provenance", matrix.KindProvenance, nil,
			[]string{"--tag r.example.com/team/base:1.4 .", "provenance.json " + image}, nil},
		{"the tag schema", matrix.KindVEX, func(r *matrix.Row) { r.Strategy = matrix.ReferrersTag },
			[]string{"exempt sha256-* tags"}, []string{"--distribution-spec"}},
		{"oras and cosign fail", matrix.KindVEX, func(r *matrix.Row) {
			failing := matrix.Forecast{Read: matrix.OutcomeError}
			r.Clients = map[string]matrix.Forecast{"oras": failing, "cosign": failing}
		}, []string{"oras attach --distribution-spec v1.1-referrers-tag ", "cosign attest --new-bundle-format=false "}, nil},
		{"every push is refused", matrix.KindSignature, func(r *matrix.Row) {
			r.Capabilities = &matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushRefused}}
			r.Clients = map[string]matrix.Forecast{"cosign": {Push: matrix.OutcomeError}}
		}, []string{"push was refused here"}, []string{"--new-bundle-format"}},
		{"pushes are lost", matrix.KindSignature, func(r *matrix.Row) {
			r.Capabilities = &matrix.Capabilities{Push: &matrix.Push{Strategy: matrix.PushLost}}
			r.Clients = map[string]matrix.Forecast{"cosign": {Push: matrix.OutcomeNothing}}
		}, []string{"lost what the write probe", "--new-bundle-format=false"}, nil},
		{"plain HTTP", matrix.KindSignature, func(r *matrix.Row) { r.URL = "http://r.example.com" },
			[]string{"--allow-http-registry"}, nil},
		{"a name for the shell", matrix.KindSignature, func(r *matrix.Row) { r.Image = "a$(id):1" },
			[]string{"--recursive 'r.example.com/a$(id)@sha256:1'"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := unsigned()
			if test.with != nil {
				test.with(r)
			}
			got := strings.Join(append(slices.Concat(HowToAttach(r, test.kind)...), AttachNotes(r, test.kind)...), "\n")
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("lacks %q:\n%s", want, got)
				}
			}
			for _, not := range append(test.not, "{", "}") {
				if strings.Contains(got, not) {
					t.Errorf("has %q:\n%s", not, got)
				}
			}
		})
	}
}

func lackingOn(kind matrix.LinkKind, platforms ...string) func(*matrix.Row) {
	return func(r *matrix.Row) { r.Lacking = map[matrix.LinkKind][]string{kind: platforms} }
}

// TestHowToAttachNothing: nothing is said if no command can name the image, or if the kind
// cannot be required.
func TestHowToAttachNothing(t *testing.T) {
	behindPath, noDigest := unsigned(), unsigned()
	behindPath.URL += "/base"
	noDigest.Digest = ""
	for _, steps := range [][]AttachStep{
		HowToAttach(behindPath, matrix.KindSBOM),
		HowToAttach(noDigest, matrix.KindSBOM),
		HowToAttach(unsigned(), matrix.KindOther),
		HowToAttach(unsigned(), "seal"),
	} {
		if steps != nil {
			t.Error(steps)
		}
	}
	if notes := AttachNotes(unsigned(), "seal"); notes != nil {
		t.Error(notes)
	}
}

// TestHowToRestore: a lost link is copied back or attached again to what it was attached to,
// and what the strategy needs is exempted. A loss that was replaced is not restored.
func TestHowToRestore(t *testing.T) {
	const again = "regctl image copy --referrers --digest-tags --force-recursive MIRROR/team/base@sha256:1 r.example.com/team/base@sha256:1"
	for _, test := range []struct {
		name string
		loss matrix.Lost
		with func(*matrix.Row)
		want []string // how each sentence ends
	}{
		{"a signature of a platform", matrix.Lost{Kind: matrix.KindSignature, Subject: "sha256:b", Platform: "linux/arm64"}, nil,
			[]string{again, "cosign sign --recursive r.example.com/team/base@sha256:1", "tags if there are any."}},
		{"an SBOM of a platform", matrix.Lost{Kind: matrix.KindSBOM, Subject: "sha256:b"}, nil,
			[]string{again, "--predicate sbom.spdx.json r.example.com/team/base@sha256:b", "tags if there are any."}},
		{"a kind that is not known", matrix.Lost{Subject: "sha256:1"}, nil,
			[]string{again, "attest the image again.", "tags if there are any."}},
		{"replaced, by tags", matrix.Lost{Replaced: true}, func(r *matrix.Row) { r.Strategy = matrix.ReferrersTag },
			[]string{"exempt sha256-* tags from clean-up and immutability rules."}},
		{"an outage", matrix.Lost{Kind: matrix.KindSBOM, Subject: "sha256:1"}, func(r *matrix.Row) { r.Digest, r.Strategy = "", matrix.StrategyUnknown },
			[]string{"still has it.", "attach it again."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := unsigned()
			if test.with != nil {
				test.with(r)
			}
			got := HowToRestore(r, test.loss)
			if len(got) != len(test.want) {
				t.Fatalf("%+v, want %q", got, test.want)
			}
			for i, want := range test.want {
				if !strings.HasSuffix(got[i].Text+got[i].Command, want) {
					t.Errorf("%+v does not end in %q", got[i], want)
				}
			}
		})
	}
}

// cosignTypes are the predicate types that cosign attest --type writes (cosign,
// pkg/cosign/attestation, and doc/cosign_attest.md).
var cosignTypes = map[string]string{
	"spdxjson":        "https://spdx.dev/Document",
	"slsaprovenance1": "https://slsa.dev/provenance/v1",
	"custom":          "https://cosign.sigstore.dev/attestation/v1",
	"openvex":         "https://openvex.dev/ns",
	"vuln":            "https://cosign.sigstore.dev/attestation/vuln/v1",
}

// TestAttachedKinds: what a command attaches gets the kind that was lacking, every kind that
// can be required has commands, and every rule a source.
func TestAttachedKinds(t *testing.T) {
	typed := regexp.MustCompile(`(--artifact-type|attest(?:\{legacy\})? --type) (\S+)`)
	for _, kind := range matrix.LinkKinds {
		at := slices.IndexFunc(attachRules, func(rule attachRule) bool { return rule.kind == kind })
		if at < 0 {
			if kind != matrix.KindOther {
				t.Errorf("no command attaches a %s", kind)
			}
			continue
		}
		rule := attachRules[at]
		if rule.source == "" {
			t.Errorf("%s has no source", kind)
		}
		for _, command := range slices.Concat(rule.steps...) {
			found := typed.FindStringSubmatch(command)
			if found == nil {
				continue
			}
			attached := Attached{ArtifactType: found[2]}
			if found[1] != "--artifact-type" {
				attached = Attached{
					ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
					Annotations:  map[string]string{bundlePredicate: cosignTypes[found[2]]},
				}
			}
			if kinds, _ := attached.Kinds(); !slices.Equal(kinds, []matrix.LinkKind{kind}) {
				t.Errorf("%s: what it attaches is %q, want %s", command, kinds, kind)
			}
		}
	}
}
