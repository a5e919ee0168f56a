package report

import "refmatrix/matrix"

// inJSON is the report that holds all that was measured.
const inJSON = "matrix.json"

// actionSection is what there is to do, grouped by what to do first.
func actionSection(actions []action, d detail) markdownSection {
	s := markdownSection{
		head:  "\n## What to do\n",
		noun:  "remedy",
		files: "registries.csv and " + inJSON,
	}
	for i := range actions {
		s.items = append(s.items, written(func(p *lines) { markdownAction(p, &actions[i], d) }))
	}
	return s
}

func markdownAction(p *lines, a *action, d detail) {
	if a.remedy == "" {
		p.line("\n### %s: %s\n", a.severity, reasonsList(a.reasons))
		p.line("%s%s", a.size(), placesAfter(p.medium, a.names(p.medium, d.registries), d))
	} else {
		p.line("\n### %s: %s\n", a.severity, a.remedy)
		p.line("%s (%s)%s", a.size(), reasonsList(a.reasons), placesAfter(p.medium, a.names(p.medium, d.registries), d))
	}
	markdownAnswers(p, a.answers, d)
	markdownFurther(p, "Further, or if that does not help:", a.further, d)
}

func reasonsList(reasons []matrix.Reason) string {
	return listed(reasons, func(reason matrix.Reason) string { return string(reason) })
}

// placesAfter returns names behind a colon, or nothing if d names none.
func placesAfter(m medium, names []markup, d detail) markup {
	if d.registries == 0 {
		return ""
	}
	return m.sprintf(": %s", join(names, ", "))
}

// markdownAnswers writes what was seen, and where if it is not the same everywhere.
func markdownAnswers(p *lines, answers []answer, d detail) {
	switch {
	case d.answers == 0:
		return
	case len(answers) == 1:
		p.line("\nSeen: %s", detailText(answers[0].detail))
		return
	}
	p.line("\nSeen:\n")
	for _, a := range answers[:min(len(answers), d.answers)] {
		p.line("- %s (%s)", detailText(a.detail), answerPlaces(p.medium, a.rows))
	}
	markdownMore(p, len(answers)-d.answers, "answer")
}

// answerPlaces says where an answer came from: "7 images: `harbor`, `quay`".
func answerPlaces(m medium, rows []*matrix.Row) markup {
	var names []string
	for _, same := range groupBy(rows, func(r *matrix.Row) string { return r.Registry }) {
		names = append(names, same[0].Registry)
	}
	return m.sprintf("%s: %s", matrix.Quantity(len(rows), "image"), someNames(m, names, maxAnswerRegistries))
}

// markdownFurther writes remedies or notes with the registries that they are for.
func markdownFurther(p *lines, lead markup, further []furtherRemedy, d detail) {
	if len(further) == 0 || d.further == 0 {
		return
	}
	p.line("\n%s\n", lead)
	for _, remedy := range further[:min(len(further), d.further)] {
		if remedy.registries == nil {
			p.line("- %s", remedy.text)
		} else {
			p.line("- %s (%s)", remedy.text, someNames(p.medium, remedy.registries, d.registries))
		}
	}
	markdownMore(p, len(further)-d.further, "remedy")
}

// markdownMore is the last line of a list that does not hold rest things.
func markdownMore(p *lines, rest int, noun string) {
	if rest > 0 {
		p.line("- and %s, in %s", matrix.Quantity(rest, "other "+noun), inJSON)
	}
}
