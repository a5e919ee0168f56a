package report_test

import (
	"encoding/xml"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// failing returns the names of the registries of m that are broken, or have images that are.
func failing(m *matrix.Matrix) map[string]bool {
	names := map[string]bool{}
	for i := range m.Registries {
		if m.Registries[i].Severity == matrix.Fail {
			names[m.Registries[i].Name] = true
		}
	}
	return names
}

// TestFleet: the fleet is what a real one is.
func TestFleet(t *testing.T) {
	m := fleet(t)
	got := map[matrix.Support]int{}
	long := 0
	for i := range m.Registries {
		got[m.Registries[i].Referrers]++
		if len(m.Registries[i].Name) >= 40 && m.Registries[i].Severity == matrix.Fail {
			long++
		}
	}
	want := map[matrix.Support]int{
		matrix.Supported:      96,
		matrix.SupportMixed:   4,
		matrix.Unsupported:    66,
		matrix.Invalid:        4,
		matrix.SupportUnknown: 30,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("registries by support:\n%s", diff)
	}
	if n := len(failing(m)); n != 27 || long == 0 {
		t.Errorf("%d registries fail, %d of them with long names", n, long)
	}
	if again := fleet(t); !cmp.Equal(m, again) {
		t.Error("two fleets differ")
	}
}

// TestFleetCSV: registries.csv is as it was, and begins with the registries that fail.
func TestFleetCSV(t *testing.T) {
	m := fleet(t)
	golden(t, "fleet/registries.csv", render(t, "csv", m, report.Options{By: report.ByRegistry}))
	names := failing(m)
	_, records := recordsOf(t, m, report.ByRegistry)
	for i, record := range records {
		if (i < len(names)) != names[record["registry"]] {
			t.Errorf("record %d is %s, which is %s", i, record["registry"], record["severity"])
		}
	}
}

// TestFleetJUnit: there is one suite for each registry, and it counts what the registry counts.
func TestFleetJUnit(t *testing.T) {
	type suite struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Errors   int    `xml:"errors,attr"`
		Failures int    `xml:"failures,attr"`
		Skipped  int    `xml:"skipped,attr"`
	}
	m := fleet(t)
	var got struct {
		suite
		Suites []suite `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(render(t, "junit", m, report.Options{})), &got); err != nil {
		t.Fatal(err)
	}
	fails := map[string]int{} // rows of each registry that fail beside those that warn, by the rules of JUnit
	for i := range m.Rows {
		r := &m.Rows[i]
		if r.Severity == matrix.Pass && (len(r.Missing()) > 0 || len(r.Lost) > 0) {
			fails[r.Registry]++
		}
	}
	all := suite{Name: "refmatrix"}
	var want []suite
	for i := range m.Registries {
		r := &m.Registries[i]
		one := suite{
			Name:     r.Name,
			Tests:    r.Rows,
			Errors:   r.Fail,
			Failures: r.Warn + fails[r.Name],
			Skipped:  r.Info,
		}
		want = append(want, one)
		all.Tests, all.Errors = all.Tests+one.Tests, all.Errors+one.Errors
		all.Failures, all.Skipped = all.Failures+one.Failures, all.Skipped+one.Skipped
	}
	if diff := cmp.Diff(want, got.Suites); diff != "" {
		t.Errorf("suites and registries differ:\n%s", diff)
	}
	if diff := cmp.Diff(all, got.suite); diff != "" {
		t.Errorf("the sum:\n%s", diff)
	}
}
