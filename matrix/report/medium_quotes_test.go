package report

import "testing"

// TestQuotedDetail: the registry's own words are code in Markdown, so that no mention, issue
// or link in them is live.
func TestQuotedDetail(t *testing.T) {
	for _, c := range []struct{ detail, line, cell string }{
		{`HTTP 403 (DENIED) "ask @ops, see #1" from the manifest request.`, "HTTP 403 (DENIED) `ask @ops, see #1` from the manifest request.", ""},
		{`HTTP 403 "a|b" here`, "HTTP 403 `a|b` here", "HTTP 403 `a\\|b` here"},
		{"HTTP 403 \"`x`\" here", "HTTP 403 `` `x` `` here", ""},
		{`HTTP 403 "a "b" @ops c" here`, "HTTP 403 `a `b` @ops c` here", ""},
		{`"a" - b`, "`a` - b", ""},
		{`- "a" and "b`, "\\- `a` and \"b", ""},
		{`# no quotes`, `\# no quotes`, ""},
	} {
		if got := string(markdownLine.escape(detailText(c.detail))); got != c.line {
			t.Errorf("line %s: %s", c.detail, got)
		}
		want := c.cell
		if want == "" {
			want = c.line
		}
		if got := string(markdownCell.escape(detailText(c.detail))); got != want {
			t.Errorf("cell %s: %s", c.detail, got)
		}
		if got := string(terminal.escape(detailText(c.detail))); got != c.detail {
			t.Errorf("terminal %s: %s", c.detail, got)
		}
	}
}
