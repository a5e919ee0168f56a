package matrix

import (
	"strings"
	"testing"
	"time"
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
	product := func(name, version string) func(*Matrix) {
		return func(m *Matrix) { m.Rows[0].Product = &Product{Name: name, Version: version} }
	}
	support := func(s Support, by Strategy) func(*Matrix) {
		return func(m *Matrix) { m.Rows[0].Referrers, m.Rows[0].Strategy = s, by }
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
		{"down", scanned("", "a=referrers-api"), scanned("", "a=unknown"), "a not-measured", false},
		{"back", scanned("", "a=unknown"), scanned("", "a=referrers-api"), "a recovered", false},
		{"down in another way", scanned("", "a=unknown"), changed(scanned("", "a=unknown"), reason(Connect)), "a still-not-measured", false},
		{"another reason", scanned("", "a=referrers-tag"), changed(scanned("", "a=referrers-tag"), reason(MethodNotAllowed)), "a changed", true},
		{"unexpected", scanned("", "a=referrers-tag"), changed(scanned("", "a=referrers-tag"), func(m *Matrix) { m.Rows[0].Unexpected = true }), "a changed", true},
		{"graver", scanned("", "a=referrers-tag"), changed(scanned("", "a=referrers-tag"), func(m *Matrix) { m.Rows[0].Severity = Fail }), "a changed", true},
		{"refused, and then a web page", scanned("", "a=referrers-tag"), changed(scanned("", "a=referrers-tag"), support(Invalid, ReferrersTag)), "a changed", true},
		{"an index, and then a web page", scanned("", "a=referrers-api"), changed(scanned("", "a=referrers-api"), support(Invalid, ReferrersTag)), "a regression", true},
		{"the API, by the same strategy", changed(scanned("", "a=referrers-tag"), support(Unsupported, ReferrersTag)), changed(scanned("", "a=referrers-tag"), support(Supported, ReferrersTag)), "a improvement", true},
		{"the API, by another strategy", scanned("", "a=referrers-api"), changed(scanned("", "a=referrers-api"), support(Supported, ReferrersTag)), "a changed", true},
		{"upgraded", changed(scanned("", "a=referrers-api"), product("Harbor", "2.10.0")), changed(scanned("", "a=referrers-api"), product("Harbor", "2.11.0")), "a changed", true},
		{"another product", changed(scanned("", "a=referrers-api"), product("Harbor", "")), changed(scanned("", "a=referrers-api"), product("Quay", "")), "a changed", true},
		{"a product that shows itself now", scanned("", "a=referrers-api"), changed(scanned("", "a=referrers-api"), product("Harbor", "2.11.0")), "", false},
		{"a product that hides now", changed(scanned("", "a=referrers-api"), product("Harbor", "2.11.0")), scanned("", "a=referrers-api"), "", false},
		{"the most severe first", scanned("", "a=referrers-tag b=referrers-api c=unknown"), scanned("", "a=referrers-api b=referrers-tag c=referrers-tag"), "b regression, a improvement, c recovered", true},
		{"an image more in a part", scanned("a*", "a=referrers-api"), changed(scanned("", "a=referrers-api a=referrers-api"), func(m *Matrix) { m.Rows[1].Image = "y" }), "a added", true},
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
		if got := strings.Join(said, ", "); got != test.want || d.Significant() != test.gate {
			t.Errorf("%s: %q, gate %v; want %q", test.name, got, d.Significant(), test.want)
		}
	}
}

// TestCompareAfterAnOutage: an image that comes back is compared with what was
// known of it before, so that an outage hides nothing.
func TestCompareAfterAnOutage(t *testing.T) {
	for _, test := range []struct {
		known, now string // strategies
		kind       ChangeKind
		before     string // of the strategy
		last       Strategy
	}{
		{"", "referrers-tag", Recovered, "unknown", ""},
		{"referrers-tag", "referrers-tag", Recovered, "unknown", ReferrersTag},
		{"referrers-api", "referrers-tag", Regression, "referrers-api", ReferrersAPI},
		{"referrers-tag", "referrers-api", Improvement, "referrers-tag", ReferrersTag},
	} {
		var known []Known
		if test.known != "" {
			known = []Known{{Row: scanned("", "a="+test.known).Rows[0]}}
		}
		d := Compare(scanned("", "a=unknown"), scanned("", "a="+test.now), known...)
		if len(d.Changes) != 1 || d.Changes[0].Kind != test.kind || d.Changes[0].Fields[0].Before != test.before || d.Changes[0].Known != test.last {
			t.Errorf("%q, then %q: %+v", test.known, test.now, d.Changes)
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
		{"a network that was cut, before one that was not", merged(Part{"a", changed(scanned("", "a=referrers-api"), cutShort)}, Part{"b", scanned("", "b=referrers-api")}), "", false},
		{"a network that was cut, and a shard missing", merged(Part{"a", changed(scanned("", "a=referrers-api"), cutShort)}, shard("1/2", true)), "", false},
		{"a network that was cut", merged(merged(Part{"a", changed(scanned("", "a=referrers-api"), cutShort)}, shard("1/2", true)), shard("2/2", true)), "", false},
	} {
		if got := strings.Join(test.of.MissingShards, " "); got != test.missing || test.of.Complete != test.whole {
			t.Errorf("%s: missing %q, complete %v", test.name, got, test.of.Complete)
		}
	}
}

// TestMergeJoins: what becomes of the rows, the times and the selections of the
// parts.
func TestMergeJoins(t *testing.T) {
	at := func(hour int, tool string, m *Matrix) *Matrix {
		m.Tool = Tool{"refmatrix", tool}
		m.Started = time.Date(2026, 11, 2, hour, 0, 0, 0, time.UTC)
		m.Finished = m.Started.Add(time.Hour)
		return m
	}
	of := func(m *Matrix) (rows string) {
		for i := range m.Rows {
			rows += " " + m.Rows[i].Registry + "=" + string(m.Rows[i].Strategy)
		}
		return strings.TrimSpace(rows)
	}
	older := at(1, "1", scanned("z*", "z=referrers-api y=referrers-api b=referrers-tag"))
	newest := at(5, "1", scanned("b*", "b=referrers-api"))
	newer := at(3, "2", scanned("b*", "b=unknown a=referrers-tag"))
	for _, test := range []struct {
		name     string
		parts    []Part
		want     string
		warnings []string // parts of them, in order
	}{
		{"the newest last", []Part{{"old", older}, {"new", newer}, {"newest", newest}}, "a=referrers-tag z=referrers-api y=referrers-api b=referrers-api",
			[]string{"refmatrix 1 and refmatrix 2", "b x is in old and new: the newer, of new, stays", "b x is in new and newest: the newer, of newest, stays"}},
		{"the newest first", []Part{{"newest", newest}, {"new", newer}, {"old", older}}, "a=referrers-tag b=referrers-api z=referrers-api y=referrers-api",
			[]string{"refmatrix 1 and refmatrix 2", "b x is in newest and new: the newer, of newest, stays", "b x is in newest and old: the newer, of newest, stays"}},
	} {
		m, warnings, err := Merge(test.parts, []string{"gone", "a"})
		if err != nil {
			t.Fatal(err)
		}
		if got := of(m); got != test.want || m.Summary.Rows != 4 {
			t.Errorf("%s: %s, summary %+v, want %s", test.name, got, m.Summary, test.want)
		}
		if !m.Started.Equal(older.Started) || !m.Finished.Equal(newest.Finished) || strings.Join(m.Selection, " ") != "--only b* --only z*" {
			t.Errorf("%s: from %s to %s, %q", test.name, m.Started, m.Finished, m.Selection)
		}
		if len(warnings) != len(test.warnings) {
			t.Fatalf("%s: %q", test.name, warnings)
		}
		for i, warning := range warnings {
			if !strings.Contains(warning, test.warnings[i]) {
				t.Errorf("%s: %q, want %q", test.name, warning, test.warnings[i])
			}
		}
	}
	if _, _, err := Merge([]Part{{"a", older}, {"b", &Matrix{Schema: "refmatrix/v2"}}}, nil); err == nil {
		t.Error("another schema is merged")
	}
	if m, _, err := Merge([]Part{{"a", scanned("", "")}}, nil); err != nil || m.Rows == nil {
		t.Errorf("no rows: %v, rows %v, which JSON writes as null", err, m.Rows)
	}
}

// TestShards: what I/N may be, and that a registry stays in its shard from one
// release to the next, for the shards of a scan may run different ones.
func TestShards(t *testing.T) {
	for text, good := range map[string]bool{
		"1/1": true, "4/4": true, "10000/10000": true, "0/4": false, "5/4": false, "1/10001": false, "1/0": false, "1": false, "a/4": false, "1/b": false, "-1/4": false, "": false,
	} {
		if _, _, err := ParseShard(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
	for name, want := range map[string]int{"harbor-prod": 103, "ghcr": 419, "": 37} {
		if got := ShardOf(name, 1000); got != want {
			t.Errorf("%q is in shard %d of 1000, want %d", name, got, want)
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
