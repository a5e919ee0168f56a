package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Explain writes one row for a reader who wants to check it: every exchange,
// the verdict with its rule, findings, what clients will do, remedies, and
// the shell commands that repeat it.
func Explain(w io.Writer, row *matrix.Row, commands []string, _ Options) error {
	p := &lines{w: w}
	p.line("%s  %s  %s", clean(row.Registry), clean(row.URL), clean(row.Image))
	if row.Digest != "" {
		p.line("digest   %s", clean(row.Digest))
	}
	if row.Product != nil {
		p.line("product  %s (%s)", clean(strings.TrimSpace(row.Product.Name+" "+row.Product.Version)), clean(row.Product.Evidence))
	}
	p.section("Exchanges")
	for i, x := range row.Exchanges {
		p.exchange(i+1, x)
	}
	p.section("Verdict")
	p.line("  %s  %s  %s: %s", strings.ToUpper(string(row.Severity)), row.Strategy, row.Reason, clean(row.Detail))
	p.line("  rule        %s", clean(row.Rule))
	if note := matrix.NoteOf(row.Reason); note.Meaning != "" {
		p.line("  meaning     %s (%s)", note.Meaning, note.Source)
	}
	p.line("  confidence  %s: %s", row.Confidence, clean(row.ConfidenceReason))
	p.capabilities(row.Capabilities)
	if len(row.Findings) > 0 {
		p.section("Findings")
		for _, f := range row.Findings {
			p.line("  %s: %s", f.Code, clean(f.Text))
		}
	}
	if len(row.Clients) > 0 {
		p.section("What clients will do")
		for _, name := range slices.Sorted(maps.Keys(row.Clients)) {
			f := row.Clients[name]
			p.line("  %-11s read %-14s push %-14s (seen with %s)", clean(name), f.Read, orDash(string(f.Push)), clean(f.Version))
		}
	}
	p.list("What to do", row.Remedy)
	p.list("Repeat it", commands)
	p.line("")
	return p.err
}

func (l *lines) section(title string) { l.line("\n%s", title) }

func (l *lines) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	l.section(title)
	for _, item := range items {
		l.line("  %s", clean(item))
	}
}

func (l *lines) exchange(n int, x matrix.Exchange) {
	answer := fmt.Sprintf("HTTP %d", x.Status)
	if x.Error != "" {
		answer = clean(x.Error)
	}
	l.line("  %2d %-16s %-5s %s", n, clean(x.Step), clean(x.Method), clean(x.URL))
	l.line("     %s  %s  %d bytes  %.1f ms%s", answer, orDash(clean(x.ContentType)), x.Bytes, x.MS, phaseWords(x.Phases))
	for _, name := range slices.Sorted(maps.Keys(x.Headers)) {
		l.line("     %s: %s", clean(name), clean(x.Headers[name]))
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
			l.line("  %-17s %s", one.name, clean(one.value))
		}
	}
	for _, t := range c.ArtifactTypes {
		l.line("  %-17s %d x %s %s", "listed", t.Count, clean(t.Type), clean(t.Name))
	}
	if c.MoreTypes > 0 {
		l.line("  %-17s %d more artifact types", "listed", c.MoreTypes)
	}
	if t := c.TagSchema; t != nil {
		l.line("  %-17s %s: %s, %d descriptors, %d not in the API, %d only in the API", "tag schema", clean(t.Tag), t.State, t.Descriptors, len(t.OnlyTag), len(t.OnlyAPI))
	}
	if c.CosignTags != nil {
		l.line("  %-17s %s", "cosign tags", orDash(clean(strings.Join(c.CosignTags, " "))))
	}
	if c.Push != nil {
		l.line("  %-17s %s in %s: %s", "push", c.Push.Strategy, clean(c.Push.Repository), clean(c.Push.Detail))
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
