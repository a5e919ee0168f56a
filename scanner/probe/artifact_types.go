package probe

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// maxTypes bounds the artifact types kept of one list.
const maxTypes = 100

// countArtifactTypes counts the descriptors of a list by artifact type. Their
// total is stored only if the list was read whole, and not if none of them is valid:
// then something is attached, and not known what.
func countArtifactTypes(c *matrix.Capabilities, index *verdict.Index, whole bool) {
	c.Descriptors, c.Invalid = nil, index.Invalid
	if total := index.Total; whole && (total > 0 || index.Invalid == 0) {
		c.Descriptors = &total
	}
	counts := map[string]int{}
	for _, d := range index.Descriptors {
		counts[d.ArtifactType]++
	}
	types := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	c.MoreTypes = max(len(types)-maxTypes, 0)
	types = types[:len(types)-c.MoreTypes]
	slices.Sort(types)
	c.ArtifactTypes = nil
	for _, one := range types {
		c.ArtifactTypes = append(c.ArtifactTypes, matrix.ArtifactType{
			Type:  one,
			Name:  artifactName(one),
			Count: counts[one],
		})
	}
}

// artifactNames are what well-known artifact types are; the first entry whose
// part is in a type names it.
var artifactNames = []struct{ part, name string }{
	{"vnd.cncf.notary.signature", "notation signature"},
	{"vnd.dev.cosign.artifact.sig", "cosign signature"},
	{"vnd.dev.cosign.simplesigning", "cosign signature"},
	{"vnd.dev.sigstore.bundle", "sigstore bundle"},
	{"vnd.dev.cosign.artifact.sbom", "SBOM (cosign)"},
	{"vex", "VEX document"}, // before CycloneDX, which has a type for it too
	{"spdx", "SBOM (SPDX)"},
	{"cyclonedx", "SBOM (CycloneDX)"},
	{"vnd.syft", "SBOM (Syft)"},
	{"vnd.in-toto", "in-toto attestation"},
	{"dsse.envelope", "in-toto attestation"},
	{"sarif", "scan result (SARIF)"},
	{"vnd.cncf.helm.chart.provenance", "Helm provenance"},
}

func artifactName(artifactType string) string {
	if artifactType == "" {
		return "no artifact type"
	}
	for _, known := range artifactNames {
		if strings.Contains(artifactType, known.part) {
			return known.name
		}
	}
	return ""
}
