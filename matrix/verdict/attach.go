package verdict

import (
	"slices"
	"strings"

	"refmatrix/matrix"
)

// AttachStep is commands of which one is enough.
type AttachStep []string

// What the commands of attachRule hold in place of what differs from image to image.
const (
	imageHole  = "{image}"  // the image, by its digest
	targetHole = "{target}" // what the artifact is attached to: the image, or a platform that lacks it
	tagHole    = "{tag}"    // the image by its tag, for commands that build it again
	legacyHole = "{legacy}" // the option with which cosign writes tags, if its bundles fail here
	schemaHole = "{schema}" // the option with which oras works by the tag schema, if it fails here
)

// attachRule is one line of the table of commands that attach a kind.
type attachRule struct {
	kind  matrix.LinkKind
	steps []AttachStep

	// ofPlatform is set for a document that describes one platform: of an index it is made
	// for each and attached to each.
	ofPlatform bool
	source     string
}

// attachRules has the commands by kind, as the tools document them. What they attach gets the
// kind by kindRules. KindOther is not in it, because it cannot be required.
var attachRules = []attachRule{
	{
		kind:   matrix.KindSignature,
		steps:  []AttachStep{{"cosign sign{legacy} --recursive {image}", "notation sign {target}"}},
		source: "cosign sign --help; notation sign --help",
	},
	{
		kind: matrix.KindSBOM,
		steps: []AttachStep{
			{"syft scan registry:{target} -o spdx-json=sbom.spdx.json", "trivy image --format spdx-json --output sbom.spdx.json {target}"},
			{
				"cosign attest{legacy} --type spdxjson --predicate sbom.spdx.json {target}",
				"oras attach{schema} --artifact-type application/spdx+json {target} sbom.spdx.json:application/spdx+json",
			},
		},
		ofPlatform: true,
		source:     "syft scan --help; trivy image --help; cosign attest --help; oras attach --help",
	},
	{
		kind: matrix.KindProvenance,
		steps: []AttachStep{{
			"docker buildx build --provenance=mode=max --push --tag {tag} .",
			"cosign attest{legacy} --type slsaprovenance1 --predicate provenance.json {target}",
		}},
		source: "Docker, Provenance attestations; cosign attest --help",
	},
	{
		kind:   matrix.KindAttestation,
		steps:  []AttachStep{{"cosign attest{legacy} --type custom --predicate predicate.json {target}"}},
		source: "cosign attest --help",
	},
	{
		kind: matrix.KindVEX,
		steps: []AttachStep{{
			"cosign attest{legacy} --type openvex --predicate vex.openvex.json {target}",
			"oras attach{schema} --artifact-type application/vnd.openvex+json {target} vex.openvex.json:application/vnd.openvex+json",
		}},
		source: "OpenVEX specification, Attesting; cosign attest --help; oras attach --help",
	},
	{
		kind: matrix.KindScanReport,
		steps: []AttachStep{
			{"trivy image --format cosign-vuln --output vuln.json {target}"},
			{"cosign attest{legacy} --type vuln --predicate vuln.json {target}"},
		},
		ofPlatform: true,
		source:     "trivy, Cosign Vulnerability Scan Record; cosign attest --help",
	},
	{
		kind: matrix.KindHelmProvenance,
		steps: []AttachStep{
			{"helm package --sign --key NAME --keyring FILE CHART"},
			{"oras attach{schema} --artifact-type application/vnd.cncf.helm.chart.provenance.v1.prov {image} " +
				"CHART.tgz.prov:application/vnd.cncf.helm.chart.provenance.v1.prov"},
		},
		source: "Helm, Helm Provenance and Integrity; oras attach --help",
	},
}

// attachNote is what to heed where an artifact is attached, if it is known to hold.
type attachNote struct {
	when func(r *matrix.Row, rule *attachRule) bool
	text string
}

var attachNotes = []attachNote{
	{
		when: func(r *matrix.Row, _ *attachRule) bool { return pushOf(r) == matrix.PushRefused },
		text: "The write probe's push was refused here: grant the account permission to push, or attach at the " +
			"registry behind this one.",
	},
	{
		when: func(r *matrix.Row, _ *attachRule) bool { return pushOf(r) == matrix.PushLost },
		text: "This registry lost what the write probe attached: what oras and regctl attach is not found.",
	},
	{
		when: func(r *matrix.Row, _ *attachRule) bool { return r.Strategy == matrix.ReferrersTag },
		text: exemptTags,
	},
	{
		when: func(r *matrix.Row, rule *attachRule) bool {
			return len(platformsOf(r)) > 1 && (rule.ofPlatform || len(r.Lacking[rule.kind]) > 1)
		},
		text: "A command that names the digest of a platform is for that platform: repeat it for each one that lacks the kind.",
	},
	{
		when: func(r *matrix.Row, _ *attachRule) bool { return strings.HasPrefix(r.URL, "http://") },
		text: "The registry is plain HTTP: cosign needs --allow-http-registry, oras --plain-http, notation --insecure-registry.",
	},
}

// exemptions say, by the strategy, what to exempt so that a clean-up does not delete links.
var exemptions = map[matrix.Strategy]string{
	matrix.ReferrersTag: exemptTags,
	matrix.ReferrersAPI: "Exempt manifests that have a subject from clean-up of what is not tagged, and sha256-* tags if there are any.",
}

const exemptTags = "Links are found by tags here: exempt sha256-* tags from clean-up and immutability rules."

// HowToAttach returns the steps that attach what r lacks of a kind, one after the other. It
// returns nil if the kind cannot be required, or if no command can name the image.
func HowToAttach(r *matrix.Row, kind matrix.LinkKind) []AttachStep {
	if rule := findAttachRule(kind); rule != nil {
		return rule.fill(r, rule.targetOf(r))
	}
	return nil
}

// AttachNotes returns sentences on what to heed where a kind is attached to r, as far as that was
// measured.
func AttachNotes(r *matrix.Row, kind matrix.LinkKind) (out []string) {
	rule := findAttachRule(kind)
	for _, note := range attachNotes {
		if rule != nil && note.when(r, rule) {
			out = append(out, note.text)
		}
	}
	return out
}

// AttachPattern returns what the commands of HowToAttach have in common with those for other
// images: two images with the same pattern need the same commands but for their names. It
// returns "" if there are no commands.
func AttachPattern(r *matrix.Row, kind matrix.LinkKind) string {
	if HowToAttach(r, kind) == nil {
		return ""
	}
	var pattern strings.Builder
	for _, step := range findAttachRule(kind).fillNames(r, imageHole, targetHole, tagHole) {
		pattern.WriteString(strings.Join(step, "\n") + "\n")
	}
	return pattern.String()
}

// Restore is one thing to do about a lost link.
type Restore struct {
	Text    string // a sentence, or what comes before the command without a colon
	Command string // "" if there is not any
}

// HowToRestore returns how to bring back a link that r lost, and what keeps it from being lost
// again. A loss that was replaced has to be kept from happening again alone.
//
// regctl writes a referrers tag that was deleted only with --force-recursive (regctl 0.11.7,
// measured).
func HowToRestore(r *matrix.Row, loss matrix.Lost) (out []Restore) {
	if !loss.Replaced {
		out = append(out, copyBack(r), attachAgain(r, loss))
	}
	if exempt := exemptions[r.Strategy]; exempt != "" {
		out = append(out, Restore{Text: exempt})
	}
	return out
}

// RestorePattern is for HowToRestore what AttachPattern is for HowToAttach.
func RestorePattern(r *matrix.Row, loss matrix.Lost) string {
	var pattern strings.Builder
	for _, one := range HowToRestore(r, loss) {
		pattern.WriteString(one.Text + "\n")
	}
	if !loss.Replaced {
		pattern.WriteString(AttachPattern(r, loss.Kind))
	}
	return pattern.String()
}

func copyBack(r *matrix.Row) Restore {
	const text = "Copy it back from a mirror or a backup that still has it"
	image, ok := r.Reference(r.Digest)
	if !ok {
		return Restore{Text: text + "."}
	}
	_, path, _ := strings.Cut(image, "/")
	return Restore{
		Text: text,
		Command: "regctl image copy --referrers --digest-tags --force-recursive " +
			matrix.ShellWord("MIRROR/"+path) + " " + matrix.ShellWord(image),
	}
}

func attachAgain(r *matrix.Row, loss matrix.Lost) Restore {
	rule := findAttachRule(loss.Kind)
	if rule == nil {
		return Restore{Text: "Or sign or attest the image again."}
	}
	steps := rule.fill(r, loss.Subject)
	if steps == nil {
		return Restore{Text: "Or attach it again."}
	}
	return Restore{Text: "Or attach it again", Command: steps[len(steps)-1][0]}
}

func findAttachRule(kind matrix.LinkKind) *attachRule {
	for i := range attachRules {
		if attachRules[i].kind == kind {
			return &attachRules[i]
		}
	}
	return nil
}

// fill returns the steps for an image, and for the digest that the artifact is attached to. It
// returns nil if no command can name them.
func (rule *attachRule) fill(r *matrix.Row, digest string) []AttachStep {
	image, ok := r.Reference(r.Digest)
	target, named := r.Reference(digest)
	if !ok || !named {
		return nil
	}
	host, _, _ := strings.Cut(image, "/")
	tagged, _, _ := strings.Cut(r.Image, "@")
	return rule.fillNames(r, matrix.ShellWord(image), matrix.ShellWord(target), matrix.ShellWord(host+"/"+tagged))
}

// fillNames returns the steps for an image as commands name it, with the options that it needs.
func (rule *attachRule) fillNames(r *matrix.Row, image, target, tag string) []AttachStep {
	holes := strings.NewReplacer(
		imageHole, image,
		targetHole, target,
		tagHole, tag,
		legacyHole, optionIf(bundlesFail(r), " --new-bundle-format=false"),
		schemaHole, optionIf(failsToRead(r.Clients["oras"]), " --distribution-spec v1.1-referrers-tag"),
	)
	var out []AttachStep
	for _, step := range rule.steps {
		var filled AttachStep
		for _, command := range step {
			filled = append(filled, holes.Replace(command))
		}
		out = append(out, filled)
	}
	return out
}

// targetOf returns the digest to attach to: the first platform that lacks the kind, if some
// have it or if the document is of one platform; else the image.
func (rule *attachRule) targetOf(r *matrix.Row) string {
	lacking, platforms := r.Lacking[rule.kind], platformsOf(r)
	for _, platform := range platforms {
		if slices.Contains(lacking, platform.Platform) || rule.ofPlatform && len(lacking) == 0 {
			return platform.Digest
		}
	}
	return r.Digest
}

func platformsOf(r *matrix.Row) []matrix.Platform {
	if r.Links == nil {
		return nil
	}
	return r.Links.Platforms
}

// pushOf returns what the write probe saw, or "" if there was none.
func pushOf(r *matrix.Row) matrix.PushStrategy {
	if r.Capabilities == nil || r.Capabilities.Push == nil {
		return ""
	}
	return r.Capabilities.Push.Strategy
}

// bundlesFail reports whether the bundles of cosign fail or are lost here and its tags are not.
// A registry that refuses every push refuses tags too.
func bundlesFail(r *matrix.Row) bool {
	f := r.Clients["cosign"]
	return (failsToRead(f) || failsOnlyToPush(f) || losesWrites(f)) && pushOf(r) != matrix.PushRefused
}

func optionIf(is bool, option string) string {
	if is {
		return option
	}
	return ""
}
