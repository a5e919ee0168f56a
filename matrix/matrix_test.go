package matrix

import (
	"reflect"
	"testing"
)

// TestPrintable: what a terminal could take for more than text is spelled out,
// wherever it stands, and text stays.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"a b~": "a b~", "naïve ✓ \uFFFD": "naïve ✓ \uFFFD", "\x7f": `\x7f`, "a\x1b[2J": `a\x1b[2J`, "\r\n": `\x0d\x0a`,
		"\u009b": `\u009b`, "\u202e": `\u202e`, "a\xffb": `a\xffb`, "\u00ad": `\u00ad`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestSummary: rows are counted, and every strategy has its number.
func TestSummary(t *testing.T) {
	m := &Matrix{Rows: []Row{
		{Registry: "a", Severity: Pass, Strategy: ReferrersAPI, Reason: ReferrersEmpty},
		{Registry: "a", Severity: Warn, Strategy: ReferrersTag, Reason: NotFound, Unexpected: true},
		{Registry: "b", Severity: Info, Strategy: ReferrersTag, Reason: NotFound},
	}}
	m.SetRows(m.Rows)
	want := Summary{
		Registries: 2, Rows: 3, Pass: 1, Warn: 1, Info: 1, Unexpected: 1,
		Strategies: map[Strategy]int{ReferrersAPI: 1, ReferrersTag: 2, StrategyUnknown: 0},
		Reasons:    map[Reason]int{ReferrersEmpty: 1, NotFound: 2},
	}
	if !reflect.DeepEqual(m.Summary, want) {
		t.Errorf("%+v, want %+v", m.Summary, want)
	}
	for _, s := range Severities {
		if m.Summary.Count(s) > 1 || s.AtLeast(Fail) != (s == Fail) || !s.AtLeast(Pass) {
			t.Errorf("%s is counted or ordered wrongly", s)
		}
	}
}
