package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// Explanation is a row for a reader who wants to check it.
type Explanation struct {
	Row      *matrix.Row
	Commands []string // shell commands that repeat its exchanges
}

// explanationText renders each row with every exchange, the verdict with its
// rule, findings, what clients will do, remedies, and the commands.
func explanationText(w io.Writer, explained []Explanation, o Options) error {
	p := &lines{w: w, width: o.Width}
	for _, e := range explained {
		p.explanation(e.Row, e.Commands, o)
	}
	return p.err
}

// explanationJSON renders the rows alone.
func explanationJSON(w io.Writer, explained []Explanation, o Options) error {
	rows := make([]*matrix.Row, 0, len(explained))
	for _, e := range explained {
		rows = append(rows, e.Row)
	}
	return indentedJSON(w, rows, o)
}

func (p *lines) explanation(row *matrix.Row, commands []string, o Options) {
	p.line("%s  %s  %s", row.Registry, row.URL, row.Image)
	if row.Digest != "" {
		p.line("digest   %s", row.Digest)
	}
	if row.Product != nil {
		p.text("product  ", fmt.Sprintf("%s (%s)", productWords(row), row.Product.Evidence))
	}
	p.section("Exchanges")
	for i, x := range row.Exchanges {
		p.exchange(i+1, x)
	}
	p.verdict(row, o)
	p.capabilities(row.Capabilities)
	if len(row.Findings) > 0 {
		p.section("Findings")
		for _, f := range row.Findings {
			p.text("  - ", f.Code+": "+f.Text)
		}
	}
	if len(row.Clients) > 0 {
		p.section("What clients will do, as measured with the version named")
		for _, name := range slices.Sorted(maps.Keys(row.Clients)) {
			f := row.Clients[name]
			p.text(fmt.Sprintf("  %-10s read %-13s push %-13s  ", clean(name), clean(string(f.Read)), orDash(clean(string(f.Push)))), f.Version)
		}
	}
	if len(row.Remedy) > 0 {
		p.section("What to do")
		for _, remedy := range row.Remedy {
			p.text("  - ", remedy)
		}
	}
	if len(commands) > 0 {
		p.section("Repeat it")
		for _, command := range commands {
			p.line("  %s", command) // never wrapped: it is there to be copied
		}
	}
	p.line("")
}

func (l *lines) verdict(row *matrix.Row, o Options) {
	l.section("Verdict")
	l.line("  %s  %s  %s", severityWord(row.Severity, o), row.Strategy, row.Reason)
	l.text("  seen        ", row.Detail)
	l.text("  rule        ", row.Rule)
	if known := verdict.Describe(row.Reason); known.Meaning != "" {
		l.text("  meaning     ", fmt.Sprintf("%s (%s)", known.Meaning, known.Source))
	}
	l.text("  confidence  ", fmt.Sprintf("%s: %s", row.Confidence, row.ConfidenceReason))
	if row.Unexpected {
		l.text("  unexpected  ", "the inventory expects "+row.Expect)
	}
}

func (l *lines) section(title string) { l.line("\n%s", title) }

func (l *lines) exchange(n int, x matrix.Exchange) {
	answer := fmt.Sprintf("HTTP %d", x.Status)
	if x.Error != "" {
		answer = x.Error
	}
	l.line("  %2d %-16s %-5s %s", n, x.Step, x.Method, x.URL)
	l.text("     ", fmt.Sprintf("%s  %s  %d bytes  %.1f ms%s", answer, orDash(x.ContentType), x.Bytes, x.MS, phaseWords(x.Phases)))
	for _, name := range slices.Sorted(maps.Keys(x.Headers)) {
		l.text("     ", name+": "+x.Headers[name])
	}
}

func phaseWords(phases *matrix.Phases) string {
	if phases == nil {
		return ""
	}
	var words []string
	for _, phase := range []struct {
		name string
		ms   float64
	}{{"dns", phases.DNS}, {"connect", phases.Connect}, {"tls", phases.TLS}, {"first byte", phases.FirstByte}} {
		if phase.ms > 0 {
			words = append(words, fmt.Sprintf("%s %.1f", phase.name, phase.ms))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// capabilities lists what was measured beside the verdict.
func (l *lines) capabilities(c *matrix.Capabilities) {
	if c == nil {
		return
	}
	l.section("Capabilities")
	for _, one := range []struct{ name, value string }{
		{"content type", string(c.ContentType)},
		{"filter", strings.TrimSpace(string(c.Filter) + " " + c.FilterType)},
		{"pagination", string(c.Pagination)},
		{"absent subject", c.AbsentSubject},
		{"malformed digest", c.MalformedDigest},
		{"HEAD", c.Head},
	} {
		if one.value != "" {
			l.fact(one.name, one.value)
		}
	}
	for _, t := range c.ArtifactTypes {
		l.fact("listed", strings.TrimSpace(fmt.Sprintf("%d x %s %s", t.Count, t.Type, t.Name)))
	}
	if c.MoreTypes > 0 {
		l.fact("listed", matrix.Quantity(c.MoreTypes, "more artifact type"))
	}
	if c.TagSchema != nil {
		l.fact("tag schema", tagSchemaWords(c.TagSchema))
	}
	if c.CosignTags != nil {
		l.fact("cosign tags", orDash(strings.Join(c.CosignTags, " ")))
	}
	if c.Push != nil {
		l.fact("push", strings.TrimSuffix(fmt.Sprintf("%s in %s: %s", c.Push.Strategy, c.Push.Repository, c.Push.Detail), ": "))
	}
}

func (l *lines) fact(name, value string) { l.text(fmt.Sprintf("  %-17s ", name), value) }

// tagSchemaWords words what the referrers tag holds; of one that is not there
// only that.
func tagSchemaWords(t *matrix.TagSchema) string {
	words := fmt.Sprintf("%s: %s", t.Tag, t.State)
	if t.State != matrix.TagIndex {
		return words
	}
	words += ", " + matrix.Quantity(t.Descriptors, "descriptor")
	if !t.Compared {
		return words + ", not compared with the API"
	}
	for _, side := range []struct {
		links int
		where string
	}{{t.MissingFromAPI(), "not in the API"}, {t.MissingFromTag(), "only in the API"}} {
		if side.links > 0 {
			words += fmt.Sprintf(", %d %s", side.links, side.where)
		}
	}
	return words
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
