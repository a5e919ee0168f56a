package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

type registryCell = cell[matrix.Registry]

// registryCells is the one table of what a registry can show, as rowCells is of a row.
var registryCells = slices.Concat([]registryCell{
	{key: "registry", title: "Registry", value: func(r *matrix.Registry) string { return r.Name }, isName: true},
	{key: "url", title: "URL", value: func(r *matrix.Registry) string { return r.URL }},
	{key: "severity", title: "Severity", value: func(r *matrix.Registry) string { return string(r.Severity) }},
	{key: "referrers", title: "API", value: func(r *matrix.Registry) string { return string(r.Referrers) }},
	{key: "strategy", title: "Strategy", value: func(r *matrix.Registry) string { return string(r.Strategy) }},
	{key: "images", title: "Images", value: func(r *matrix.Registry) string { return strconv.Itoa(r.Rows) }},
	{key: "counts", title: "Images", value: countsText},
	{key: "fail", title: "Fail", value: countOf(matrix.Fail)},
	{key: "warn", title: "Warn", value: countOf(matrix.Warn)},
	{key: "info", title: "Info", value: countOf(matrix.Info)},
	{key: "pass", title: "Pass", value: countOf(matrix.Pass)},
	{key: "unexpected", title: "Unexpected", value: func(r *matrix.Registry) string { return numberOrNone(r.Unexpected) }},
	{key: "reasons", title: "Reasons", value: reasonsText},
	{key: "reason", title: "Reason", value: problemsText},
	{key: "product", title: "Product", value: func(r *matrix.Registry) string { return productOfRegistry(r).Name }},
	{key: "version", title: "Version", value: func(r *matrix.Registry) string { return productOfRegistry(r).Version }},
	{key: "software", title: "Product", value: func(r *matrix.Registry) string {
		return productOfRegistry(r).NameAndVersion()
	}},
	{key: "credentials", title: "Credentials", value: func(r *matrix.Registry) string { return r.Credentials }},
	sharedCell("content_type", "Content type"),
	sharedCell("filter", "Filter"),
	sharedCell("pagination", "Pagination"),
	sharedCell("absent_subject", "Absent subject"),
	sharedCell("malformed_digest", "Malformed digest"),
	sharedCell("head", "HEAD"),
	sharedCell("tag_schema", "Tag schema"),
	sharedCell("cosign_tags", "Cosign tags"),
	sharedCell("push", "Push"),
	{key: "findings", title: "Findings", value: registryFindingsText},
	{key: "links", title: "Links", value: func(r *matrix.Registry) string {
		if r.Links == nil {
			return "" // not probed, which is not 0
		}
		return strconv.Itoa(r.Links.Total)
	}},
	{key: "links_by_kind", title: "Links by kind", value: func(r *matrix.Registry) string {
		return kindCountsText(r.Links.Counts())
	}},
	{key: "coverage", title: "Coverage", value: registryCoverageText},
	{key: "lost", title: "Lost", value: func(r *matrix.Registry) string { return numberOrNone(r.Lost) }},
	{key: "action", title: "What to do", value: func(r *matrix.Registry) string { return r.Do }},
}, clientCells())

func registryCellOf(key string) *registryCell { return cellIn(registryCells, key) }

func registryCellsOf(keys ...string) []*registryCell {
	out := make([]*registryCell, len(keys))
	for i, key := range keys {
		out[i] = registryCellOf(key)
	}
	return out
}

func countOf(severity matrix.Severity) func(*matrix.Registry) string {
	return func(r *matrix.Registry) string { return strconv.Itoa(r.Count(severity)) }
}

// sharedCell is a capability as the images of a registry agree on it.
func sharedCell(key, title string) registryCell {
	return registryCell{
		key:   key,
		title: title,
		value: func(r *matrix.Registry) string { return r.Capabilities[key] },
	}
}

// clientKeys returns the keys of the clients' columns, one for each library.
func clientKeys() []string {
	var out []string
	for _, library := range verdict.ClientLibraries() {
		out = append(out, "client:"+library.Clients[0])
	}
	return out
}

func clientCells() []registryCell {
	var out []registryCell
	for _, library := range verdict.ClientLibraries() {
		out = append(out, registryCell{
			key:   "client:" + library.Clients[0],
			title: strings.Join(library.Clients, ", "),
			value: func(r *matrix.Registry) string { return forecastsText(r, library.Clients) },
		})
	}
	return out
}

// differsMark stands behind the outcome of a client that differs from image to image.
const differsMark = "*"

// differsNote explains differsMark.
const differsNote = differsMark + " the worst of its images: others differ"

// forecastsText is what the clients of one library do: "api", or "api, push tag", or, if they
// push in different ways, "api, push tag (notation)". It is "" without a forecast.
func forecastsText(r *matrix.Registry, clients []string) string {
	first, ok := r.Clients[clients[0]]
	if !ok {
		return ""
	}
	text, differs := string(first.Read), first.Differs
	if first.Push != "" && first.Push != first.Read {
		text += ", push " + string(first.Push)
	}
	for _, client := range clients[1:] {
		other, ok := r.Clients[client]
		if !ok {
			continue
		}
		differs = differs || other.Differs
		if other.Push != first.Push && other.Push != "" {
			text += fmt.Sprintf(", push %s (%s)", other.Push, client)
		}
	}
	if differs {
		text += differsMark
	}
	return text
}

// countsText is the number of images, and how many of them do not pass if these are not all:
// "10", "10 (3 fail, 2 warn)".
func countsText(r *matrix.Registry) string {
	text := strconv.Itoa(r.Rows)
	if r.Count(r.Severity) == r.Rows {
		return text
	}
	var parts []string
	for _, severity := range matrix.Severities {
		if n := r.Count(severity); n > 0 && severity != matrix.Pass {
			parts = append(parts, fmt.Sprintf("%d %s", n, severity))
		}
	}
	return fmt.Sprintf("%s (%s)", text, strings.Join(parts, ", "))
}

// reasonsText is the reasons of a registry's rows, the most frequent first: "not-found 3".
func reasonsText(r *matrix.Registry) string { return countedText(r.Reasons) }

// problemsText is why rows do not pass, as reasonsText without the number of a reason that all
// rows have, and how many rows are unexpected. Reasons with which rows pass are left out. They
// stay if a registry has only such reasons, because the write probe can make them warnings.
func problemsText(r *matrix.Registry) string {
	text := ""
	if r.Severity != matrix.Pass {
		reasons := maps.Clone(r.Reasons)
		maps.DeleteFunc(reasons, func(reason matrix.Reason, _ int) bool {
			return verdict.Describe(reason).Severity == matrix.Pass
		})
		if len(reasons) == 0 {
			reasons = r.Reasons
		}
		text = countedText(reasons)
		for reason, n := range reasons {
			if n == r.Rows {
				text = string(reason)
			}
		}
	}
	switch {
	case r.Unexpected == 0:
		return text
	case r.Unexpected == r.Rows:
		return strings.TrimSpace(text + " (unexpected)")
	}
	return strings.TrimSpace(fmt.Sprintf("%s (%d unexpected)", text, r.Unexpected))
}

// registryFindingsText is how many rows of a registry have each finding.
func registryFindingsText(r *matrix.Registry) string { return countedText(r.Findings) }

// countedText lists what was counted, the most frequent first: "not-found 3, connect 1".
func countedText[K ~string](counts map[K]int) string {
	var parts []string
	for _, key := range slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	}) {
		parts = append(parts, fmt.Sprintf("%s %d", string(key), counts[key]))
	}
	return strings.Join(parts, ", ")
}

// registryCoverageText is the share of the images of a registry that have each kind which is
// required: "signature 67%, sbom 0%". A dash stands for what is not known.
func registryCoverageText(r *matrix.Registry) string {
	var parts []string
	for _, kind := range matrix.LinkKinds {
		if counts, required := r.Coverage[kind]; required {
			parts = append(parts, fmt.Sprintf("%s %s", kind, coverageLine{counts: counts}.share()))
		}
	}
	return strings.Join(parts, ", ")
}

func productOfRegistry(r *matrix.Registry) matrix.Product {
	if r.Product == nil {
		return matrix.Product{}
	}
	return *r.Product
}
