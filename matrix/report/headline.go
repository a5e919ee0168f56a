package report

import (
	"fmt"
	"strings"

	"refmatrix/matrix"
)

// standings are what a registry can be, as a headline counts it. The first that holds decides.
// Whether it has the API is what its strategy says: an API that lists nothing of what was pushed
// is not one to link by.
var standings = []struct {
	one, many string
	holds     func(*matrix.Registry) bool
}{
	{"has the API", "have the API", func(r *matrix.Registry) bool { return r.Strategy == matrix.ReferrersAPI }},
	{"does not", "do not", func(r *matrix.Registry) bool { return r.Strategy == matrix.ReferrersTag }},
	{"differs by image", "differ by image", func(r *matrix.Registry) bool { return r.Strategy == matrix.StrategyMixed }},
	{"broken", "broken", func(r *matrix.Registry) bool { return r.Severity == matrix.Fail }},
	{"could not be measured", "could not be measured", func(*matrix.Registry) bool { return true }},
}

// registryHeadline is a scan in one clause: "200 registries: 101 have the API, 72 do not, 23
// broken, 4 could not be measured".
func registryHeadline(registries []matrix.Registry) string {
	counts := make([]int, len(standings))
	for i := range registries {
		for at, standing := range standings {
			if standing.holds(&registries[i]) {
				counts[at]++
				break
			}
		}
	}
	var parts []string
	for at, n := range counts {
		switch {
		case n == 1:
			parts = append(parts, "1 "+standings[at].one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, standings[at].many))
		}
	}
	total := matrix.Quantity(len(registries), "registry")
	if len(parts) == 0 {
		return total
	}
	return total + ": " + strings.Join(parts, ", ")
}

// imagesHeadline counts the images of a scan: "19 images: 1 fail, 8 warn, 1 info, 9 pass", and
// what is not as it should be.
func imagesHeadline(m *matrix.Matrix) string {
	text := fmt.Sprintf("%s: %s", matrix.Quantity(m.Summary.Rows, "image"), SeverityCounts(m.Summary))
	if n := m.Summary.Unexpected; n > 0 {
		text += "; " + unexpectedText(n)
	}
	return text
}

// riskSentence says in one sentence for a manager what follows from the strategies, "" if
// nothing does: "4 of 10 registries have no referrers API; signatures and SBOMs there depend
// on sha256-… tags that clean-up can delete." An API that answers and cannot be linked by is
// not usable.
func riskSentence(registries []matrix.Registry) string {
	n, mixed, answers := 0, 0, false
	for i := range registries {
		r := &registries[i]
		switch r.Strategy {
		case matrix.StrategyMixed:
			mixed++
		case matrix.ReferrersTag:
			answers = answers || r.Referrers != matrix.Unsupported
		default:
			continue
		}
		n++
	}
	if n == 0 {
		return ""
	}
	have, usable, some := "have", "", ""
	if n == 1 {
		have = "has"
	}
	if answers {
		usable = "usable "
	}
	if mixed > 0 {
		some = fmt.Sprintf(" (%d of them for some images alone)", mixed)
	}
	return fmt.Sprintf("%d of %s %s no %sreferrers API%s; signatures and SBOMs there depend on "+
		"sha256-… tags that clean-up can delete.", n, matrix.Quantity(len(registries), "registry"), have, usable, some)
}
