package verdict

import (
	"strings"
	"testing"

	"refmatrix/matrix"
)

// TestPushEffects: a row whose own write probe lost the artifact does not pass, and what
// clients can read decides otherwise.
func TestPushEffects(t *testing.T) {
	lost := matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}
	unlisted := matrix.Push{Strategy: matrix.PushTag, Accepted: true}
	for _, test := range []struct {
		name     string
		seen     Referrers
		push     matrix.Push
		severity matrix.Severity
		strategy matrix.Strategy
		detail   string // the end of it
		remedy   string // the beginning of the first, if the write probe decides it
	}{
		{"lost beside a list", index(matrix.IndexMediaType, 1), lost, matrix.Warn, matrix.ReferrersTag,
			"the referrers API works, but what is pushed is lost: PUT answers with OCI-Subject, and no list shows the artifact.", "Attach with oras --distribution-spec"},
		{"lost beside an empty list", index(matrix.IndexMediaType, 0), lost, matrix.Warn, matrix.ReferrersTag, "no list shows the artifact.", "Attach with oras"},
		{"lost beside another type", index("application/json", 0), lost, matrix.Warn, matrix.ReferrersTag, "no list shows the artifact.", "Attach with oras"},
		{"lost without the API", status(404), lost, matrix.Warn, matrix.ReferrersTag, "no list shows the artifact.", "Attach with oras"},
		{"lost, and the image is refused", status(403), lost, matrix.Info, matrix.StrategyUnknown, "no challenge that shows how to sign in.", ""},
		{"lost, and the image breaks", status(500), lost, matrix.Fail, matrix.StrategyUnknown, ".", ""},
		{"never listed", index(matrix.IndexMediaType, 0), unlisted, matrix.Warn, matrix.ReferrersTag, "is never listed.", "Attach and read by the tag schema"},
		{"the tag schema", status(404), unlisted, matrix.Warn, matrix.ReferrersTag, "has no referrers API.", ""},
		{"the scratch repository has no API", index(matrix.IndexMediaType, 0), matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true},
			matrix.Pass, matrix.ReferrersAPI, "nothing is attached here.", ""},
		{"refused", index(matrix.IndexMediaType, 0), matrix.Push{Strategy: matrix.PushRefused}, matrix.Pass, matrix.ReferrersAPI, "nothing is attached here.", ""},
		{"listed", index(matrix.IndexMediaType, 0), matrix.Push{Strategy: matrix.PushAPI, Accepted: true, OCISubject: true, Listed: true},
			matrix.Pass, matrix.ReferrersAPI, "nothing is attached here.", ""},
	} {
		o := subject(test.seen)
		o.Capabilities.Push = &test.push
		row := NewRow(Target{}, o)
		if row.Severity != test.severity || row.Strategy != test.strategy || !strings.HasSuffix(row.Detail, test.detail) {
			t.Errorf("%s: %s %s, %s", test.name, row.Severity, row.Strategy, row.Detail)
		}
		if test.remedy != "" && !strings.HasPrefix(row.Remedy[0], test.remedy) {
			t.Errorf("%s: %q", test.name, row.Remedy)
		}
		if effect := strings.Contains(row.Rule, "; and the write probe's artifact"); effect != (test.remedy != "") {
			t.Errorf("%s: by the rule %s", test.name, row.Rule)
		}
	}
}
