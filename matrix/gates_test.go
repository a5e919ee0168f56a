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
		DefaultGates:         "[fail unexpected] true",
		"+change":            "[fail unexpected change] true",
		"+change,unmeasured": "[fail unexpected change unmeasured] true",
		"+change,+warn":      "[fail unexpected change warn] true",
		"+fail":              "[fail unexpected] true",
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
	}}
	for list, want := range map[string]string{
		"never":           "",
		"fail":            "down fail",
		"warn":            "tags warn, down fail",
		"info":            "tags warn, private info, down fail",
		"unexpected":      "tags unexpected, down unexpected",
		"unmeasured":      "private unmeasured, down unmeasured",
		"change":          "",
		DefaultGates:      "tags unexpected, down fail+unexpected",
		"unexpected,fail": "tags unexpected, down fail+unexpected",
		"fail,warn":       "tags warn, down fail",
		"+unmeasured":     "tags unexpected, private unmeasured, down fail+unexpected+unmeasured",
		"warn,unmeasured": "tags warn, private unmeasured, down fail+unmeasured",
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
