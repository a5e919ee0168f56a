package verdict

import (
	"strings"

	"refmatrix/matrix"
)

// evidence is where a value counts that shows the kind of an attached artifact.
type evidence int

// The evidence. A rule may have several of them.
const (
	asArtifact  evidence = 1 << iota // the artifact type of the manifest, or the media type of its config
	asLayer                          // the media type of a layer
	asPredicate                      // the predicate type of a statement, as an annotation names it
)

// Annotations that signers write.
const (
	bundlePredicate  = "dev.sigstore.bundle.predicateType"
	bundleContent    = "dev.sigstore.bundle.content"
	inTotoPredicate  = "in-toto.io/predicate-type"
	cosignPredicate  = "predicateType"
	cosignSignature  = "dev.cosignproject.cosign/signature"
	dockerReference  = "vnd.docker.reference.type"
	dockerReferenced = "vnd.docker.reference.digest"
)

// Where the rules come from.
const (
	bundleSpec    = "cosign, specs/BUNDLE_SPEC.md"
	signatureSpec = "cosign, specs/SIGNATURE_SPEC.md"
	sbomSpec      = "cosign, specs/SBOM_SPEC.md"
	buildKitSpec  = "Docker, Image attestation storage"
)

// statementPredicates are the annotations that name the predicate type of an in-toto
// statement outside a bundle.
var statementPredicates = []string{inTotoPredicate, cosignPredicate}

// kindRule is one line of the kinds table.
type kindRule struct {
	on    evidence
	value string // a media type, "*" for whatever it ends with; or a predicate type, which may be followed by a version

	// kind is what the value shows. Of a type with predicates it is what the artifact is if
	// none is named: "" if that cannot be known.
	kind matrix.LinkKind

	// predicates are the annotations that name what is inside, the strongest first. They
	// are nil if the type alone decides.
	predicates []string

	// annotation must stand beside the value: a layer counts only if the annotation has a
	// value, and a predicate type only if this is the annotation that names it.
	annotation string

	source string
}

// kindRules is the kinds table: every type by which an attached artifact gets its kind.
var kindRules = []kindRule{
	{on: asArtifact, value: "application/vnd.cncf.notary.signature", kind: matrix.KindSignature,
		source: "notaryproject/specifications, signature specification; notation 1.3.2, measured"},
	{on: asArtifact, value: "application/vnd.dev.cosign.artifact.sig.v1+json", kind: matrix.KindSignature,
		source: "cosign 2, --registry-referrers-mode oci-1-1"},
	{on: asLayer, value: "application/vnd.dev.cosign.simplesigning.v1+json", annotation: cosignSignature,
		kind: matrix.KindSignature, source: signatureSpec},
	{on: asPredicate, value: "https://sigstore.dev/cosign/sign", annotation: bundlePredicate,
		kind: matrix.KindSignature, source: bundleSpec + "; cosign 3.1.3, measured"},
	{on: asPredicate, value: "message-signature", annotation: bundleContent,
		kind: matrix.KindSignature, source: bundleSpec},

	{on: asArtifact | asLayer, value: "application/vnd.dev.sigstore.bundle*",
		predicates: []string{bundlePredicate, bundleContent}, source: bundleSpec + "; cosign 3.1.3, measured"},
	{on: asPredicate, value: "dsse-envelope", annotation: bundleContent, source: bundleSpec},
	{on: asArtifact | asLayer, value: "application/vnd.in-toto+json", kind: matrix.KindAttestation,
		predicates: statementPredicates, source: "in-toto attestation framework, Envelope; " + buildKitSpec},
	{on: asArtifact | asLayer, value: "application/vnd.dsse.envelope.v1+json", kind: matrix.KindAttestation,
		predicates: statementPredicates, source: signatureSpec},
	{on: asArtifact, value: "application/vnd.docker.attestation.manifest.v1+json", kind: matrix.KindAttestation,
		predicates: statementPredicates, source: "BuildKit, exporter option oci-artifact"},

	{on: asArtifact | asLayer, value: "text/spdx*", kind: matrix.KindSBOM, source: sbomSpec},
	{on: asArtifact | asLayer, value: "application/spdx+json", kind: matrix.KindSBOM,
		source: "IANA, media types"},
	{on: asArtifact | asLayer, value: "application/vnd.cyclonedx*", kind: matrix.KindSBOM,
		source: "IANA, media types; " + sbomSpec},
	{on: asArtifact | asLayer, value: "application/vnd.syft*", kind: matrix.KindSBOM, source: sbomSpec},
	{on: asArtifact, value: "application/vnd.dev.cosign.artifact.sbom.v1+json", kind: matrix.KindSBOM,
		source: "cosign 2, --registry-referrers-mode oci-1-1"},
	{on: asArtifact, value: "application/vnd.goharbor.harbor.sbom.v1", kind: matrix.KindSBOM,
		source: "goharbor/pluggable-scanner-spec, Harbor SBOM artifact layout"},
	{on: asPredicate, value: "https://spdx.dev/Document", kind: matrix.KindSBOM,
		source: "in-toto attestation framework, SPDX predicate"},
	{on: asPredicate, value: "https://cyclonedx.org/bom", kind: matrix.KindSBOM,
		source: "in-toto attestation framework, CycloneDX predicate"},
	{on: asPredicate, value: "https://syft.dev/bom", kind: matrix.KindSBOM,
		source: "anchore/syft, syft attest"},

	{on: asPredicate, value: "https://slsa.dev/provenance", kind: matrix.KindProvenance,
		source: "SLSA, Provenance v0.2 and v1; GitHub's attestations and BuildKit write it"},
	{on: asPredicate, value: "https://in-toto.io/Provenance", kind: matrix.KindProvenance,
		source: "in-toto attestation framework, Provenance v0.1, which SLSA replaced"},

	{on: asPredicate, value: "https://openvex.dev/ns", kind: matrix.KindVEX,
		source: "OpenVEX specification, Attesting"},
	{on: asArtifact | asLayer, value: "application/vnd.openvex+json", kind: matrix.KindVEX,
		source: "as tools write it; project-zot/zui shows it so"},
	{on: asArtifact | asLayer, value: "application/openvex+json", kind: matrix.KindVEX,
		source: "as tools write it"},
	{on: asArtifact | asLayer, value: "application/vex+json", kind: matrix.KindVEX,
		source: "as tools write it"},
	{on: asArtifact | asLayer, value: "application/csaf+json", kind: matrix.KindVEX,
		source: "quay/clair, CSAF documents of Red Hat"},

	{on: asPredicate, value: "https://cosign.sigstore.dev/attestation/vuln", kind: matrix.KindScanReport,
		source: "cosign, specs/COSIGN_VULN_ATTESTATION_SPEC.md; trivy image --format cosign-vuln"},
	{on: asPredicate, value: "https://in-toto.io/attestation/vulns", kind: matrix.KindScanReport,
		source: "in-toto attestation framework, Vulnerabilities predicate"},
	{on: asArtifact | asLayer, value: "application/sarif+json", kind: matrix.KindScanReport,
		source: "IANA, media types; aquasecurity/trivy-plugin-referrer; grype -o sarif"},

	{on: asArtifact | asLayer, value: "application/vnd.cncf.helm.chart.provenance.v1.prov",
		kind: matrix.KindHelmProvenance, source: "Helm, Use OCI-based registries"},
}

// findKind returns the rule of a value, or nil if the table has none. annotation is the one that
// names a predicate type, and "" for media types.
func findKind(on evidence, value, annotation string) *kindRule {
	if on != asPredicate {
		value = strings.ToLower(matrix.BareMediaType(value))
	}
	for i := range kindRules {
		rule := &kindRules[i]
		fits := rule.on&on != 0 && rule.matches(value)
		if fits && (on != asPredicate || rule.annotation == "" || rule.annotation == annotation) {
			return rule
		}
	}
	return nil
}

// matches compares a media type, or a predicate type, with the rule's value.
func (r *kindRule) matches(value string) bool {
	if begins, open := strings.CutSuffix(r.value, "*"); open {
		return strings.HasPrefix(value, begins)
	}
	rest, ok := strings.CutPrefix(value, r.value)
	return ok && (rest == "" || r.on == asPredicate && rest[0] == '/')
}

// decide returns the kind of what has the rule's type, whose annotations may stand in several
// maps, the nearest first. certain is false if an annotation that decides is missing: the kind
// is then the best that the type shows, or "".
func (r *kindRule) decide(annotations ...map[string]string) (kind matrix.LinkKind, certain bool) {
	for _, name := range r.predicates {
		for _, among := range annotations {
			value := among[name]
			if value == "" {
				continue
			}
			predicate := findKind(asPredicate, value, name)
			switch {
			case predicate == nil:
				return matrix.KindAttestation, true
			case predicate.kind != "":
				return predicate.kind, true
			}
		}
	}
	return r.kind, r.predicates == nil
}
