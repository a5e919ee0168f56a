package matrix

import (
	"fmt"
	"strings"
	"testing"
)

// oneRow is a scan of one image.
func oneRow(strategy Strategy, reason Reason, changes ...func(*Row)) *Matrix {
	m := scanned("", "a="+string(strategy))
	m.Tool.Version = "1"
	m.Rows[0].Reason = reason
	for _, change := range changes {
		change(&m.Rows[0])
	}
	return m
}

// summaryOf is the changes of d as tests compare them; "!" is a significant one.
func summaryOf(d Diff) string {
	var out []string
	for _, c := range d.Changes {
		text := string(c.Kind)
		if c.Significant {
			text += "!"
		}
		for _, f := range c.Fields {
			text += " " + f.Field
		}
		out = append(out, text)
	}
	if d.Reworded > 0 {
		out = append(out, fmt.Sprintf("%d reworded since %s", d.Reworded, d.MeasuredBy))
	}
	return strings.Join(out, ", ")
}

// TestAccessLost: a row that is not measured any more is a change if access to it was
// refused, and is not if the registry could not answer.
func TestAccessLost(t *testing.T) {
	const fields = " strategy referrers reason"
	measured := oneRow(ReferrersAPI, ReferrersEmpty)
	for reason, want := range map[Reason]string{
		Unauthorized:       "not-measured!" + fields,
		CredentialsRefused: "not-measured!" + fields,
		Forbidden:          "not-measured!" + fields,
		Credentials:        "not-measured!" + fields,
		AuthRefused:        "not-measured!" + fields,
		Connect:            "not-measured" + fields,
		Timeout:            "not-measured" + fields,
		ServerError:        "not-measured" + fields,
		TokenError:         "not-measured" + fields,
		RateLimited:        "not-measured" + fields,
		ImageNotFound:      "not-measured" + fields,
	} {
		if got := summaryOf(Compare(measured, oneRow(StrategyUnknown, reason))); got != want {
			t.Errorf("%s: %s, want %s", reason, got, want)
		}
	}
	refused, down := oneRow(StrategyUnknown, CredentialsRefused), oneRow(StrategyUnknown, Timeout)
	known := []Known{{Row: measured.Rows[0], Tool: measured.Tool}}
	for _, test := range []struct {
		name  string
		older *Matrix
		known []Known
		want  string
	}{
		{"refused before", refused, known, ""},
		{"forbidden before", oneRow(StrategyUnknown, Forbidden), known, "still-not-measured reason"},
		{"down before, and measured before that", down, known, "still-not-measured! reason"},
		{"down before, and never measured", down, nil, "still-not-measured reason"},
	} {
		if got := summaryOf(Compare(test.older, refused, test.known...)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestLongUnmeasured: every fourth scan in a row without a verdict is a change, whatever
// the reason, and a verdict begins the count again.
func TestLongUnmeasured(t *testing.T) {
	before := oneRow(ReferrersAPI, ReferrersEmpty)
	for n := 1; n <= 13; n++ {
		now := oneRow(StrategyUnknown, Timeout)
		now.CountUnmeasured(before)
		if got := now.Rows[0].UnmeasuredScans; got != n {
			t.Fatalf("scan %d: counted %d", n, got)
		}
		if d := Compare(before, now); d.Significant() != (n%4 == 0) {
			t.Errorf("scan %d: %s", n, summaryOf(d))
		} else if n%4 == 0 && summaryOf(d) != "still-not-measured!" {
			t.Errorf("scan %d: %s", n, summaryOf(d))
		}
		before = now
	}
	back := oneRow(ReferrersAPI, ReferrersEmpty)
	back.CountUnmeasured(before)
	down := oneRow(StrategyUnknown, Timeout)
	down.CountUnmeasured(back)
	if back.Rows[0].UnmeasuredScans != 0 || down.Rows[0].UnmeasuredScans != 1 {
		t.Errorf("%d after a verdict, then %d", back.Rows[0].UnmeasuredScans, down.Rows[0].UnmeasuredScans)
	}
	// An older refmatrix did not count, and an image may be new.
	down.CountUnmeasured(oneRow(StrategyUnknown, Timeout))
	if got := down.Rows[0].UnmeasuredScans; got != 2 {
		t.Errorf("after a scan that did not count: %d", got)
	}
	down.CountUnmeasured(scanned("", "b=unknown"))
	if got := down.Rows[0].UnmeasuredScans; got != 1 {
		t.Errorf("a new image: %d", got)
	}
}

// TestOlderRefmatrix: what another version words otherwise is not a change, and what the
// registry answers otherwise is one.
func TestOlderRefmatrix(t *testing.T) {
	status := func(n int) func(*Row) { return func(r *Row) { r.Status = n } }
	list := func(r *Row) { r.Capabilities = &Capabilities{ContentType: TypeExact} }
	product := func(name, version string) func(*Row) {
		return func(r *Row) { r.Product = &Product{Name: name, Version: version} }
	}
	push := func(p Push) func(*Row) { return func(r *Row) { r.Capabilities = &Capabilities{Push: &p} } }
	expect := func(text string) func(*Row) {
		return func(r *Row) { r.Expect, r.Unexpected = text, text != "" && text != string(r.Strategy) }
	}
	severity := func(s Severity) func(*Row) { return func(r *Row) { r.Severity = s } }
	invalid := func(r *Row) { r.Referrers = Invalid }
	const reworded = "1 reworded since 0"
	for _, test := range []struct {
		name         string
		older, newer *Matrix
		want         string
	}{
		{"the same", oneRow(ReferrersTag, NotFound), oneRow(ReferrersTag, NotFound), ""},
		{"a reason renamed", oneRow(ReferrersTag, "no-endpoint", status(404)), oneRow(ReferrersTag, NotFound, status(404)), reworded},
		{"a reason split", oneRow(StrategyUnknown, Unauthorized, status(401)), oneRow(StrategyUnknown, CredentialsRefused, status(401), severity(Fail)), reworded},
		{"another severity", oneRow(ReferrersTag, NotFound, severity(Warn)), oneRow(ReferrersTag, NotFound, severity(Info)), reworded},
		{"an answer that is judged more severely", oneRow(ReferrersAPI, ReferrersListed, status(200), list), oneRow(ReferrersTag, "ignores-digest", status(200), list, invalid), reworded},
		{"a verdict withdrawn", oneRow(ReferrersTag, Rejected, status(401)), oneRow(StrategyUnknown, Unauthorized, status(401)), reworded},
		{"a verdict where there was none", oneRow(StrategyUnknown, Unauthorized, status(401)), oneRow(ReferrersTag, Rejected, status(401)), reworded},
		{"a product no longer named", oneRow(ReferrersTag, NotFound, product("CNCF Distribution", "")), oneRow(ReferrersTag, NotFound), ""},
		{"a product of another name", oneRow(ReferrersTag, NotFound, product("CNCF Distribution", "2")), oneRow(ReferrersTag, NotFound, product("Harbor", "2.11.0")), reworded},
		{"a push strategy renamed", oneRow(ReferrersAPI, ReferrersEmpty, push(Push{Strategy: "both", Listed: true})), oneRow(ReferrersAPI, ReferrersEmpty, push(Push{Strategy: PushDual, Listed: true})), reworded},
		{"an expectation judged otherwise", oneRow(StrategyUnknown, Timeout, func(r *Row) { r.Expect = "referrers-api" }), oneRow(StrategyUnknown, Timeout, expect("referrers-api")), reworded},

		{"the API is gone", oneRow(ReferrersAPI, ReferrersEmpty, status(200), list), oneRow(ReferrersTag, NotFound, status(404)), "regression! strategy referrers reason"},
		{"a web page with the same status", oneRow(ReferrersAPI, ReferrersEmpty, status(200), list), oneRow(ReferrersTag, NotAnIndex, status(200), invalid), "regression! strategy referrers reason"},
		{"the API came", oneRow(ReferrersTag, NotFound, status(404)), oneRow(ReferrersAPI, ReferrersEmpty, status(200), list), "improvement! strategy referrers reason"},
		{"access is lost", oneRow(ReferrersTag, NotFound, status(404)), oneRow(StrategyUnknown, Unauthorized, status(401)), "not-measured! strategy referrers reason"},
		{"the registry is down", oneRow(ReferrersTag, NotFound, status(404)), oneRow(StrategyUnknown, Timeout), "not-measured strategy referrers reason"},
		{"an upgrade", oneRow(ReferrersTag, "no-endpoint", product("Harbor", "2.10.0")), oneRow(ReferrersTag, NotFound, product("Harbor", "2.11.0")), "changed! version"},
		{"pushes are answered otherwise", oneRow(ReferrersAPI, ReferrersEmpty, push(Push{Strategy: PushAPI, OCISubject: true})), oneRow(ReferrersAPI, ReferrersEmpty, push(Push{Strategy: PushDual})), "changed! push"},
		{"another expectation", oneRow(ReferrersTag, NotFound), oneRow(ReferrersTag, NotFound, expect("referrers-api")), "changed! unexpected"},
	} {
		test.older.Tool.Version = "0"
		if got := summaryOf(Compare(test.older, test.newer)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestOlderRefmatrixBeforeAnOutage: the row of before an outage may be of another version
// than the baseline.
func TestOlderRefmatrixBeforeAnOutage(t *testing.T) {
	known := Known{Row: oneRow(ReferrersTag, "no-endpoint").Rows[0], Tool: Tool{Version: "0"}}
	down := oneRow(StrategyUnknown, Timeout)
	const recovered = "recovered strategy referrers reason"
	if got := summaryOf(Compare(down, oneRow(ReferrersTag, NotFound), known)); got != recovered {
		t.Errorf("in other words: %s", got)
	}
	known.Status = 404
	if got := summaryOf(Compare(down, oneRow(ReferrersAPI, ReferrersEmpty, func(r *Row) { r.Status = 200 }), known)); got != "improvement! strategy referrers reason" {
		t.Errorf("another answer: %s", got)
	}
}
