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
	Commands []string // shell commands that repeat its exchanges; nil if none are wanted
}

// explanationText renders the rows of one registry: the verdict and what to do, what clients
// will do, what else was measured, and last the exchanges. Rows that read the same are shown
// once, and the images of the others are named below.
func explanationText(w io.Writer, explained []Explanation, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	for _, same := range readAlike(explained) {
		shown := same[0]
		explainHead(p, shown.Row)
		explainRow(p, shown.Row, o)
		explainExchanges(p, shown.Row)
		if len(shown.Commands) > 0 {
			section(p, "Repeat it")
			for _, command := range shown.Commands {
				p.line("  %s", command) // never wrapped: it is there to be copied
			}
		}
		explainOthers(p, same[1:])
		p.line("")
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

// explainHead writes which image it is.
func explainHead(p *lines, row *matrix.Row) {
	p.line("%s  %s  %s", row.Registry, row.URL, row.Image)
	if row.Digest != "" {
		p.line("digest   %s", row.Digest)
	}
}

// explainRow writes the verdict, what to do and what else was measured. Two rows of which it
// writes the same, but for ids, need not both be shown: what is written elsewhere is not
// compared.
func explainRow(p *lines, row *matrix.Row, o Options) {
	if row.Product != nil {
		p.wrapped("product  ", fmt.Sprintf("%s (%s)", cellOf("software").value(row), row.Product.Evidence))
	}
	explainVerdict(p, row, o)
	explainRemedy(p, row)
	explainClients(p, row.Clients)
	explainCapabilities(p, row.Capabilities)
	explainFindings(p, row)
	explainLinks(p, row)
}

func explainRemedy(p *lines, row *matrix.Row) {
	if len(row.Remedy) == 0 {
		return
	}
	section(p, "What to do")
	for _, remedy := range row.Remedy {
		p.wrapped("  - ", remedy)
	}
}

func explainFindings(p *lines, row *matrix.Row) {
	if len(row.Findings) == 0 {
		return
	}
	section(p, "Findings")
	for _, f := range row.Findings {
		p.wrapped("  - ", f.Code+": "+f.Text)
	}
}

func explainExchanges(p *lines, row *matrix.Row) {
	if len(row.Exchanges) == 0 && row.Omitted == nil {
		return
	}
	section(p, "Exchanges")
	for i, x := range row.Exchanges {
		explainExchange(p, i+1, x)
	}
	if gone := row.Omitted; gone != nil {
		p.wrapped("  ", fmt.Sprintf("The row was too large: %s, %s and %s are left out.",
			matrix.Quantity(gone.Exchanges, "exchange"), matrix.Quantity(gone.Headers, "header"), matrix.Quantity(gone.Links, "link")))
	}
}

func explainClients(p *lines, clients map[string]matrix.Forecast) {
	if len(clients) == 0 {
		return
	}
	section(p, "What clients will do, as measured with the version named")
	for _, name := range slices.Sorted(maps.Keys(clients)) {
		f := clients[name]
		lead := p.medium.sprintf("  %-10s read %-13s push %-13s  ", name, f.Read, orDash(string(f.Push)))
		p.wrapped(lead, f.Version)
	}
}

func explainVerdict(p *lines, row *matrix.Row, o Options) {
	section(p, "Verdict")
	p.line("  %s  %s  %s", severityText(row.Severity, o), row.Strategy, row.Reason)
	p.wrapped("  seen        ", row.Detail)
	p.wrapped("  rule        ", row.Rule)
	if known := verdict.Describe(row.Reason); known.Meaning != "" {
		p.wrapped("  meaning     ", fmt.Sprintf("%s (%s)", known.Meaning, known.Source))
	}
	p.wrapped("  confidence  ", fmt.Sprintf("%s: %s", row.Confidence, row.ConfidenceReason))
	if row.Unexpected {
		p.wrapped("  unexpected  ", "the inventory expects "+row.Expect)
	}
}

func section(p *lines, title markup) { p.line("\n%s", title) }

func explainExchange(p *lines, n int, x matrix.Exchange) {
	answer := fmt.Sprintf("HTTP %d", x.Status)
	if x.Error != "" {
		answer = x.Error
	}
	p.line("  %2d %-16s %-5s %s", n, x.Step, x.Method, x.URL)
	size := fmt.Sprintf("%d bytes  %.1f ms%s", x.Bytes, x.MS, phaseText(x.Phases))
	p.wrapped("     ", answer+"  "+orDash(x.ContentType)+"  "+size)
	for _, name := range slices.Sorted(maps.Keys(x.Headers)) {
		p.wrapped("     ", name+": "+x.Headers[name])
	}
	if x.Body != "" {
		p.wrapped("     body: ", x.Body)
	}
}

func phaseText(phases *matrix.Phases) string {
	if phases == nil {
		return ""
	}
	var parts []string
	for _, phase := range []struct {
		name string
		ms   float64
	}{{"dns", phases.DNS}, {"connect", phases.Connect}, {"tls", phases.TLS}, {"first byte", phases.FirstByte}} {
		if phase.ms > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f", phase.name, phase.ms))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// explainedCapabilities are those that fit a line, with what explain calls them.
var explainedCapabilities = []struct{ title, name string }{
	{"content type", "content type"},
	{"filter", "filter"},
	{"pagination", "pagination"},
	{"absent subject", "absent subject"},
	{"malformed digest", "malformed digest"},
	{"HEAD", "HEAD"},
	{"listed", "artifact type"},
	{"tag schema", "tag schema"},
	{"cosign tags", "cosign tags"},
	{"push", "push"},
	{"from repository", "from the repository"},
}

// explainCapabilities lists what was measured beside the verdict.
func explainCapabilities(p *lines, c *matrix.Capabilities) {
	if c == nil {
		return
	}
	section(p, "Capabilities")
	for _, explained := range explainedCapabilities {
		for _, line := range capabilityOf(explained.name).lines(c) {
			p.wrapped(p.medium.sprintf("  %-17s ", explained.title), line)
		}
	}
}
