package store_test

import (
	"fmt"
	"strings"
	"testing"

	"refmatrix/matrix"
)

// TestCountsByHead: the numbers of a scan come from its head, and nothing behind it is read:
// the long lists of these files are cut off. A head that does not hold them, or holds what
// cannot be right, is not believed.
func TestCountsByHead(t *testing.T) {
	const (
		begin   = `{"schema":"refmatrix/v1","tool":{"name":"refmatrix","version":"1"},"started":"2026-11-01T06:00:00Z","complete":true,`
		counted = `"rows":3,"pass":1,"warn":2,"info":0,"fail":0,"strategies":{"referrers-api":1,"referrers-tag":2,"unknown":0}`
		row     = `{"severity":"fail","strategy":"unknown"}`
		cut     = `[{"name":"a"},{"na`
	)
	byHead, byRows := "3 warn=2 pass=1 referrers-api=1 referrers-tag=2", "1 fail=1 unknown=1"
	for _, test := range []struct{ name, content, scope, want string }{
		{"rows behind", begin + `"summary":{` + counted + `},"rows":` + cut, "", byHead},
		{"registries behind", begin + `"summary":{` + counted + `},"registries":` + cut, "", byHead},
		{"a list of a newer version between", begin + `"summary":{` + counted + `},"new":[{"rows":[]}],"registries":` + cut, "", byHead},
		{"a shard", begin + `"shard":"1/2","summary":{` + counted + `},"rows":` + cut, "1/2", byHead},
		{"another shard", begin + `"shard":"1/2","summary":{` + counted + `},"rows":` + cut, "2/2", ""},
		{"the summary behind the rows", begin + `"registries":[{}],"rows":[` + row + `],"summary":{` + counted + `}}`, "", byHead},
		{"keys in the order of the alphabet", `{"complete":true,"registries":[],"rows":[` + row + `],"schema":"refmatrix/v1","shard":"1/2",` +
			`"started":"2026-11-01T06:00:00Z","summary":{` + counted + `},"tool":{}}`, "1/2", byHead},
		{"no strategies", begin + `"summary":{"rows":3,"pass":1,"warn":2},"rows":[` + row + `]}`, "", byRows},
		{"no strategies, and rows that are cut off", begin + `"summary":{"rows":3,"pass":1,"warn":2},"rows":` + cut, "", ""},
		{"no summary", begin + `"rows":[` + row + `]}`, "", byRows},
		{"rows that are null", begin + `"rows":null}`, "", "0"},
		{"rows that are not a list", begin + `"rows":7}`, "", ""},
		{"rows before the schema", `{"rows":[` + row + `],"started":"2026-11-01T06:00:00Z","complete":true,"schema":"refmatrix/v1"}`, "", byRows},
		{"another schema behind the rows", `{"rows":[` + row + `],"summary":{` + counted + `},"schema":"refmatrix/v2"}`, "", ""},
		{"a negative number", begin + `"summary":{` + strings.Replace(counted, `"info":0,"fail":0`, `"info":-1,"fail":1`, 1) + `},"rows":[` + row + `]}`, "", byRows},
		{"strategies that are not all rows", begin + `"summary":{` + strings.Replace(counted, `"unknown":0`, `"unknown":1`, 1) + `},"rows":[` + row + `]}`, "", byRows},
		{"a severity that is not known", begin + `"summary":{` + strings.Replace(counted, `"warn":2`, `"dire":2`, 1) + `},"rows":[` + row + `]}`, "", byRows},
	} {
		for _, name := range []string{"20261101T060000.000Z.json", "20261101T060000.000Z.json.gz"} {
			path, h := keepAll(t)
			content := test.content
			if strings.HasSuffix(name, ".gz") {
				content = string(gzipped(t, content))
			}
			put(t, path, name, content)
			all, err := h.Counts(10, matrix.Scope{Shard: test.scope})
			if got := numbers(all); err != nil || got != test.want {
				t.Errorf("%s, %s: %q, want %q: %v", test.name, name, got, test.want, err)
			}
		}
	}
}

// TestHeadOfLargeValues: a value over the bound, which no scan writes, ends the reading of a
// scan before it fills the memory. A list of any length does not, because it is never read whole.
func TestHeadOfLargeValues(t *testing.T) {
	const (
		begin = `{"schema":"refmatrix/v1","started":"2026-11-01T06:00:00Z","complete":true,`
		row   = `{"severity":"fail","strategy":"unknown"}`
		part  = 1 << 20 // of a list, in bytes
	)
	long := strings.Repeat("a", 5<<20)
	parts := "[" + strings.Repeat(`{"name":"`+strings.Repeat("a", part)+`"},`, 5) + "{}]"
	for _, test := range []struct{ name, content, want string }{
		{"a string", begin + `"new":"` + long + `","rows":[` + row + `]}`, ""},
		{"a list of a newer version", begin + `"new":` + parts + `,"rows":[` + row + `]}`, ""},
		{"a row", begin + `"rows":[{"detail":"` + long + `"},` + row + `]}`, ""},
		{"many registries", begin + `"registries":` + parts + `,"rows":[` + row + `]}`, "1 fail=1 unknown=1"},
	} {
		path, h := keepAll(t)
		put(t, path, "20261101T060000.000Z.json.gz", string(gzipped(t, test.content)))
		all, err := h.Counts(10, matrix.Scope{})
		if got := numbers(all); err != nil || got != test.want {
			t.Errorf("%s: %q, want %q: %v", test.name, got, test.want, err)
		}
	}
}

// numbers are the counts of scans that are not 0.
func numbers(scans []matrix.ScanCounts) string {
	var out []string
	for _, scan := range scans {
		text := fmt.Sprint(scan.Rows)
		add := func(name string, n int) {
			if n != 0 {
				text += fmt.Sprintf(" %s=%d", name, n)
			}
		}
		for _, severity := range matrix.Severities {
			add(string(severity), scan.Severities[severity])
		}
		for _, strategy := range matrix.Strategies {
			add(string(strategy), scan.Strategies[strategy])
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}
