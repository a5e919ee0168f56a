package report

import (
	"fmt"

	"refmatrix/matrix"
)

// pageProblem is the rows that do not pass for one reason, by what they need.
type pageProblem struct {
	Severity, Reason string
	Count, More      int // rows; fixes that are not shown
	Fixes            []pageFix
}

// pageFix is the rows that need the same to be done.
type pageFix struct {
	Detail, Remedy string // no detail if it is the one before
	Registries     []string
	More           int // registries that are not named
}

// Bounds of what is shown at once: other problems unfold, and the rows hold the
// rest.
const (
	maxProblems       = 6
	maxPageFixes      = 4
	maxPageRegistries = 6
)

func pageProblems(rows []matrix.Row) []pageProblem {
	var out []pageProblem
	for _, found := range problems(rows) {
		p := pageProblem{
			Severity: string(found.severity),
			Reason:   string(found.reason),
			Count:    len(found.rows),
		}
		for i, f := range found.fixes {
			p.Fixes = append(p.Fixes, newPageFix(f))
			if found.repeatsDetails(i) {
				p.Fixes[i].Detail = ""
			}
		}
		if len(p.Fixes) > maxPageFixes {
			p.Fixes, p.More = p.Fixes[:maxPageFixes], len(p.Fixes)-maxPageFixes
		}
		out = append(out, p)
	}
	return out
}

func newPageFix(f fix) pageFix {
	out := pageFix{Detail: f.answers[0].detail}
	switch more := len(f.answers) - 1; {
	case more == 1:
		out.Detail += " (and one other answer)"
	case more > 1:
		out.Detail += fmt.Sprintf(" (and %d other answers)", more)
	}
	for _, registry := range groupBy(f.rows, func(r *matrix.Row) string { return r.Registry }) {
		out.Registries = append(out.Registries, registry[0].Registry)
	}
	if len(out.Registries) > maxPageRegistries {
		out.Registries, out.More = out.Registries[:maxPageRegistries], len(out.Registries)-maxPageRegistries
	}
	if len(f.remedy) > 0 {
		out.Remedy = f.remedy[0]
	}
	return out
}
