package matrix

import (
	"fmt"
	"strings"
	"testing"
)

// TestParseGates: a list replaces the default, "+" adds to it, never stands alone.
func TestParseGates(t *testing.T) {
	for text, want := range map[string]string{
		"never":              "[] true",
		"fail":               "[fail] true",
		"warn, unmeasured":   "[warn unmeasured] true",
		"change,change":      "[change] true",
		DefaultGates:         "[fail unexpected missing] true",
		"+change":            "[fail unexpected missing change] true",
		"+change,unmeasured": "[fail unexpected missing change unmeasured] true",
		"+change,+warn":      "[fail unexpected missing change warn] true",
		"+lost":              "[fail unexpected missing lost] true",
		"+fail":              "[fail unexpected missing] true",
		"":                   "[] false",
		"+":                  "[] false",
		"fail,":              "[] false",
		"pass":               "[] false",
		"warn,+change":       "[] false",
		"never,fail":         "[] false",
		"fail,never":         "[] false",
		"+never":             "[] false",
	} {
		gates, ok := ParseGates(text)
		if got := fmt.Sprint(gates, ok); got != want {
			t.Errorf("--fail-on %q is %s, want %s", text, got, want)
		}
	}
}

// TestFindByGates: which rows each gate finds, and why.
func TestFindByGates(t *testing.T) {
	m := &Matrix{Rows: []Row{
		{Registry: "pass", Severity: Pass, Referrers: Supported},
		{Registry: "tags", Severity: Warn, Referrers: Unsupported, Unexpected: true},
		{Registry: "private", Severity: Info, Referrers: SupportUnknown},
		{Registry: "down", Severity: Fail, Referrers: SupportUnknown, Unexpected: true},
		{Registry: "partial", Severity: Pass, Referrers: Supported, Coverage: map[LinkKind]Coverage{KindSBOM: CoveragePartial}},
		{Registry: "absent", Severity: Warn, Referrers: Unsupported, Coverage: map[LinkKind]Coverage{KindSBOM: CoverageAbsent}, Lost: make([]Lost, 1)},
		{Registry: "hidden", Severity: Pass, Referrers: Supported, Coverage: map[LinkKind]Coverage{KindSBOM: CoverageUnknown, KindVEX: CoveragePresent}},
	}}
	for list, want := range map[string]string{
		"never":           "",
		"fail":            "down fail",
		"warn":            "tags warn, down fail, absent warn",
		"info":            "tags warn, private info, down fail, absent warn",
		"unexpected":      "tags unexpected, down unexpected",
		"missing":         "partial missing, absent missing",
		"unmeasured":      "private unmeasured, down unmeasured",
		"change":          "",
		"lost":            "absent lost",
		DefaultGates:      "tags unexpected, down fail+unexpected, partial missing, absent missing",
		"unexpected,fail": "tags unexpected, down fail+unexpected",
		"fail,warn":       "tags warn, down fail, absent warn",
		"+unmeasured":     "tags unexpected, private unmeasured, down fail+unexpected+unmeasured, partial missing, absent missing",
		"warn,unmeasured": "tags warn, private unmeasured, down fail+unmeasured, absent warn",
		"+lost,warn":      "tags warn+unexpected, down fail+unexpected, partial missing, absent warn+missing+lost",
	} {
		gates, ok := ParseGates(list)
		if !ok {
			t.Fatal(list)
		}
		var rows []string
		found := FindByGates(gates, m, nil)
		for _, r := range found.Rows {
			rows = append(rows, r.Registry+" "+strings.Join(r.Labels, "+"))
		}
		if got := strings.Join(rows, ", "); got != want || found.Empty() != (want == "") {
			t.Errorf("--fail-on %s finds %q, want %q", list, got, want)
		}
	}
}

// TestFindChanges: the gate change finds the significant changes and no others, and
// only if it is among the gates.
func TestFindChanges(t *testing.T) {
	older, newer := scanned("", "a=referrers-api b=referrers-api c=unknown"), scanned("", "a=referrers-tag b=unknown c=referrers-api")
	d := Compare(older, newer)
	if len(d.Changes) != 3 {
		t.Fatalf("%+v", d.Changes)
	}
	found := FindByGates([]Gate{GateFail, GateChange}, newer, &d)
	if found.Change == nil || len(found.Change.Changes) != 1 || found.Change.Changes[0].Kind != Regression {
		t.Errorf("%+v", found.Change)
	}
	if found := FindByGates([]Gate{GateFail}, newer, &d); !found.Empty() {
		t.Errorf("change is not a gate: %+v", found)
	}
	same := Compare(newer, newer)
	if found := FindByGates([]Gate{GateChange}, newer, &same); !found.Empty() {
		t.Errorf("nothing changed: %+v", found)
	}
}
