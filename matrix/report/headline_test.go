package report

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"refmatrix/matrix"
)

// TestHeadlineAddsUp: the parts of a headline are all registries, whatever a file says of them.
func TestHeadlineAddsUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	supports := []matrix.Support{
		matrix.Supported, matrix.Unsupported, matrix.Invalid, matrix.SupportUnknown, "", "of a newer refmatrix",
	}
	for range 500 {
		var rows []matrix.Row
		for range random.IntN(20) {
			rows = append(rows, matrix.Row{
				Registry:  fmt.Sprint("r", random.IntN(8)),
				Severity:  matrix.Severities[random.IntN(4)],
				Referrers: supports[random.IntN(len(supports))],
				Strategy:  matrix.Strategies[random.IntN(3)],
			})
		}
		registries := matrix.RollUp(rows)
		headline := registryHeadline(registries)
		total, parts, _ := strings.Cut(headline, ": ")
		sum := 0
		for part := range strings.SplitSeq(parts, ", ") {
			n, _, _ := strings.Cut(part, " ")
			count, _ := strconv.Atoi(n)
			sum += count
		}
		if sum != len(registries) || !strings.HasPrefix(total, strconv.Itoa(sum)+" ") {
			t.Fatalf("%q of %d registries", headline, len(registries))
		}
	}
}

// TestHeadlineOfALyingAPI: a registry that loses what is pushed is not one that has the API in
// one sentence and lacks it in the next.
func TestHeadlineOfALyingAPI(t *testing.T) {
	registries := matrix.RollUp([]matrix.Row{{
		Registry:  "r",
		Severity:  matrix.Warn,
		Referrers: matrix.Supported,
		Strategy:  matrix.ReferrersTag,
	}})
	if got, want := registryHeadline(registries), "1 registry: 1 does not"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := riskSentence(registries), "1 of 1 registry has no usable referrers API"; !strings.HasPrefix(got, want) {
		t.Errorf("%q does not begin with %q", got, want)
	}
}
