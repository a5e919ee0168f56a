package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"refmatrix/matrix"
)

// What the values that reports count by mean, for those who meet them first.
var (
	severityMeaning = map[matrix.Severity]string{
		matrix.Fail: "the registry, the network or the sign-in broke",
		matrix.Warn: "no usable referrers API: clients fall back to tags",
		matrix.Info: "could not be measured; image, account or limits to check",
		matrix.Pass: "the referrers API works",
	}
	strategyMeaning = map[matrix.Strategy]string{
		matrix.ReferrersAPI:    "link by the referrers API",
		matrix.ReferrersTag:    "link by the referrers tag schema (sha256-… tags)",
		matrix.StrategyUnknown: "not known from this scan",
	}
)

// SeverityCounts returns the counts of s from the most severe to the mildest,
// the one order of all reports: "1 fail, 8 warn, 0 info, 8 pass".
func SeverityCounts(s matrix.Summary) string {
	var counts []string
	for _, severity := range matrix.Severities {
		counts = append(counts, fmt.Sprintf("%d %s", s.Count(severity), severity))
	}
	return strings.Join(counts, ", ")
}

// findingsText returns how many rows have each finding, the most frequent first:
// "filter-ignored 4, cosign-tags 1".
func findingsText(m *matrix.Matrix) string {
	counts := map[string]int{}
	for i := range m.Registries {
		for code, n := range m.Registries[i].Findings {
			counts[code] += n
		}
	}
	return countedText(counts)
}

// unexpectedText reports how many rows are not as the inventory expects.
func unexpectedText(n int) string {
	if n == 1 {
		return "1 image is not as the inventory expects"
	}
	return fmt.Sprintf("%d images are not as the inventory expects", n)
}

// scanTime is a moment of a scan.
func scanTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// orDash is text, or a dash in place of none.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// percent rounds, but never to none or all if that is not so.
func percent(n, total int) string {
	if total == 0 || n == 0 {
		return "0%"
	}
	switch rounded := (200*n + total) / (2 * total); {
	case rounded == 0:
		return "<1%"
	case rounded == 100 && n < total:
		return ">99%"
	default:
		return strconv.Itoa(rounded) + "%"
	}
}

// texts returns values as plain strings.
func texts[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = string(value)
	}
	return out
}
