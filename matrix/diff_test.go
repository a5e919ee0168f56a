package matrix

import (
	"strings"
	"testing"
)

// scanned is a complete scan of rows "registry=strategy", over a part of the
// inventory where only is not empty.
func scanned(only, rows string) *Matrix {
	m := &Matrix{Schema: Schema, Complete: true}
	if only != "" {
		m.Selection = []string{"--only " + only}
	}
	for word := range strings.FieldsSeq(rows) {
		name, strategy, _ := strings.Cut(word, "=")
		row := Row{Registry: name, Image: "x", Strategy: Strategy(strategy), Referrers: Unsupported, Reason: NotFound}
		switch row.Strategy {
		case ReferrersAPI:
			row.Referrers, row.Reason = Supported, ReferrersEmpty
		case StrategyUnknown:
			row.Referrers, row.Reason = SupportUnknown, Timeout
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func changed(m *Matrix, change func(*Matrix)) *Matrix {
	change(m)
	return m
}

func cutShort(m *Matrix) { m.Complete = false }

// TestCompare: what is a change, of which kind, and whether the gate closes.
func TestCompare(t *testing.T) {
	reason := func(r Reason) func(*Matrix) { return func(m *Matrix) { m.Rows[0].Reason = r } }
	push := func(p PushStrategy) func(*Matrix) {
		return func(m *Matrix) { m.Rows[0].Capabilities = &Capabilities{Push: &Push{Strategy: p}} }
	}
	for _, test := range []struct {
		name         string
		older, newer *Matrix
		want         string
		gate         bool
	}{
		{"nothing", scanned("", "a=referrers-api"), scanned("", "a=referrers-api"), "", false},
		{"lost", scanned("", "a=referrers-api"), scanned("", "a=referrers-tag"), "a regression", true},
		{"won", scanned("", "a=referrers-tag"), scanned("", "a=referrers-api"), "a improvement", true},
		{"down", scanned("", "a=referrers-api"), scanned("", "a=unknown"), "a unreachable", false},
		{"back", scanned("", "a=unknown"), scanned("", "a=referrers-api"), "a recovered", false},
		{"down in another way", scanned("", "a=unknown"), changed(scanned("", "a=unknown"), reason(Connect)), "a still-unreachable", false},
		{"another reason", scanned("", "a=referrers-tag"), changed(scanned("", "a=referrers-tag"), reason(MethodNotAllowed)), "a changed", true},
		{"unexpected", scanned("", "a=referrers-tag"), changed(scanned("", "a=referrers-tag"), func(m *Matrix) { m.Rows[0].Unexpected = true }), "a changed", true},
		{"pushes are answered otherwise", changed(scanned("", "a=referrers-api"), push(PushAPI)), changed(scanned("", "a=referrers-api"), push(PushDual)), "a changed", true},
		{"pushes were not tried", changed(scanned("", "a=referrers-api"), push(PushAPI)), scanned("", "a=referrers-api"), "", false},
		{"pushes were cut short", changed(scanned("", "a=referrers-api"), push(PushAPI)), changed(scanned("", "a=referrers-api"), push(PushUnknown)), "", false},
		{"come and gone", scanned("", "a=unknown"), scanned("", "b=unknown"), "a removed, b added", true},
		{"a part after the whole", scanned("", "a=referrers-api b=referrers-api"), scanned("a*", "a=referrers-api"), "", false},
		{"the whole after a part", scanned("a*", "a=referrers-api"), scanned("", "a=referrers-api b=referrers-api"), "", false},
		{"the same part", scanned("a*", "a=referrers-api"), scanned("a*", "a2=referrers-api"), "a removed, a2 added", true},
		{"another part", scanned("a*", "a=referrers-api"), scanned("b*", "b=referrers-api"), "", false},
		{"a shard after the whole", scanned("", "a=referrers-api b=referrers-api"), changed(scanned("", "a=referrers-api"), func(m *Matrix) { m.Shard = "1/2" }), "", false},
		{"after one that was cut", changed(scanned("", "a=referrers-api"), cutShort), scanned("", "a=referrers-api b=referrers-api"), "", false},
		{"one that was cut", scanned("", "a=referrers-api b=referrers-api"), changed(scanned("", "a=referrers-api"), cutShort), "", false},
		{"gone from the whole after a part", scanned("a*", "a=referrers-api"), scanned("", "b=referrers-api"), "a removed", true},
	} {
		d := Compare(test.older, test.newer)
		var said []string
		for _, c := range d.Changes {
			said = append(said, c.Registry+" "+string(c.Kind))
		}
		if got := strings.Join(said, ", "); got != test.want || d.Substance() != test.gate {
			t.Errorf("%s: %q, gate %v; want %q", test.name, got, d.Substance(), test.want)
		}
	}
}

// TestMerge: a merge is complete where every shard is there whole, however it
// came together.
func TestMerge(t *testing.T) {
	shard := func(of string, complete bool) Part {
		m := scanned("", "r"+of+"=referrers-api")
		m.Shard, m.Complete = of, complete
		return Part{of, m}
	}
	merged := func(parts ...Part) Part {
		m, _, err := Merge(parts, nil)
		if err != nil {
			t.Fatal(err)
		}
		return Part{"merged", m}
	}
	for _, test := range []struct {
		name    string
		of      Part
		missing string
		whole   bool
	}{
		{"all", merged(shard("1/2", true), shard("2/2", true)), "", true},
		{"one missing", merged(shard("1/3", true), shard("3/3", true)), "2/3", false},
		{"one cut", merged(shard("1/2", true), shard("2/2", false)), "2/2", false},
		{"of merges", merged(merged(shard("1/4", true), shard("3/4", true)), merged(shard("2/4", true), shard("4/4", true))), "", true},
		{"a merge and a cut one again", merged(merged(shard("1/2", true), shard("2/2", false)), shard("2/2", true)), "", true},
		{"other sets", merged(shard("1/2", true), shard("1/3", true)), "", false},
		{"networks", merged(Part{"a", scanned("", "a=referrers-api")}, Part{"b", scanned("", "b=referrers-api")}), "", true},
		{"a network that was cut", merged(merged(Part{"a", changed(scanned("", "a=referrers-api"), cutShort)}, shard("1/2", true)), shard("2/2", true)), "", false},
	} {
		if got := strings.Join(test.of.MissingShards, " "); got != test.missing || test.of.Complete != test.whole {
			t.Errorf("%s: missing %q, complete %v", test.name, got, test.of.Complete)
		}
	}
}

// TestShardFromEnv: half of the two variables never scans in silence what the
// other half was for.
func TestShardFromEnv(t *testing.T) {
	for _, test := range []struct{ index, count, shard, warning, fault string }{
		{"", "", "", "", ""},
		{"0", "4", "1/4", "", ""},
		{"3", "4", "4/4", "", ""},
		{"4", "4", "", "", "name no shard"},
		{"x", "4", "", "", "is not a number"},
		{"2", "", "", "JOB_COMPLETION_COUNT is not set", ""},
		{"", "4", "", "", "make the job completionMode: Indexed"},
	} {
		shard, warning, err := ShardFromEnv(func(name string) string {
			return map[string]string{"JOB_COMPLETION_INDEX": test.index, "JOB_COMPLETION_COUNT": test.count}[name]
		})
		fault := ""
		if err != nil {
			fault = err.Error()
		}
		if shard != test.shard || !strings.Contains(warning, test.warning) || (warning == "") != (test.warning == "") || !strings.Contains(fault, test.fault) || (fault == "") != (test.fault == "") {
			t.Errorf("%q of %q: %q %q %q", test.index, test.count, shard, warning, fault)
		}
	}
}
