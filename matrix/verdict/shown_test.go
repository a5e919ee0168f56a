package verdict

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
)

// ourFields are the strings of an Observation that refmatrix itself wrote, or took
// from the inventory: a row shows them whole. Strings with a type of their own,
// such as matrix.Filter, are all ours. Every other string is from the wire.
var ourFields = map[string]bool{
	"Manifest.Answer.Fault.Text":      true, // cleaned where it is made
	"Referrers.Answer.Fault.Text":     true,
	"Referrers.End.Answer.Fault.Text": true,
	"Manifest.Method":                 true,
	"Manifest.NoDigest.Before":        true,
	"Manifest.NoDigest.After":         true,
	"Product.Name":                    true,
	"Credentials.Source":              true,
	"Credentials.Looked":              true,
	"Product.Signs.Label":             true,
	"Capabilities.ArtifactTypes.Name": true,
	"Capabilities.AbsentSubject":      true, // "http-404", "empty-index"
	"Capabilities.MalformedDigest":    true,
	"Capabilities.Head":               true,
	"Capabilities.CosignTags":         true, // suffixes
	"Capabilities.CosignListed":       true,
	"Capabilities.TagSchema.Digest":   true, // computed
	"Capabilities.FromRepository":     true,
	"Capabilities.Push.Repository":    true, // of the inventory
	"Capabilities.Push.Detail":        true,
	"Capabilities.Push.LeftBehind":    true, // computed
	"Capabilities.Push.LeftBlob":      true,
}

// eachString visits every string below v that may be from the wire, with its path.
func eachString(v reflect.Value, path string, visit func(reflect.Value, string)) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			visit(v, path)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			eachString(v.Elem(), path, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), path, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			eachString(v.Field(i), strings.TrimPrefix(path+"."+name, "."), visit)
		}
	case reflect.Map, reflect.Array, reflect.Interface, reflect.Func, reflect.Chan:
		panic("a string may hide in " + path + ": teach eachString, and show, to find it")
	}
}

// allocate makes every pointer and slice below v point to something.
func allocate(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		allocate(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		allocate(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			allocate(v.Field(i))
		}
	}
}

// filled is an observation with something in every string: its path, after "our "
// or "wire ".
func filled() *Observation {
	o := &Observation{}
	allocate(reflect.ValueOf(o).Elem())
	eachString(reflect.ValueOf(o).Elem(), "", func(v reflect.Value, path string) {
		if ourFields[path] {
			v.SetString("our " + path)
		} else {
			v.SetString("wire " + path)
		}
	})
	return o
}

func stars(string) string { return "***" }

// TestNothingRaw: no string of the wire is shown raw, and none of ours is changed,
// not in the observation that texts are worded by, not in a text, not in a row.
func TestNothingRaw(t *testing.T) {
	o := filled()
	s := show(o, stars)
	met := map[string]bool{}
	eachString(reflect.ValueOf(&s.Observation).Elem(), "", func(v reflect.Value, path string) {
		met[path] = true
		switch text := v.String(); {
		case ourFields[path] && text != "our "+path:
			t.Errorf("%s is ours, and shown as %q", path, text)
		case strings.Contains(text, "wire"):
			t.Errorf("%s is shown as %q: clean it in show, or name it in ourFields", path, text)
		}
	})
	for path := range ourFields {
		if !met[path] {
			t.Errorf("there is no %s", path)
		}
	}
	raw := func(what, text string) {
		if strings.Contains(text, "wire") {
			t.Errorf("%s is worded by the raw observation: %s", what, text)
		}
	}
	for _, fault := range []*Fault{o.Manifest.Fault, nil} {
		o.Manifest.Fault, o.Referrers.Fault = fault, fault
		encoded, err := json.Marshal(NewRow(Target{Clean: stars}, o))
		if err != nil {
			t.Fatal(err)
		}
		raw("a row", string(encoded))
	}
	for _, r := range reasons {
		raw(string(r.name), r.detail(s))
		v := Verdict{Reason: r.name, Severity: r.outcome.severity, Referrers: r.outcome.referrers, Strategy: r.outcome.strategy}
		for _, f := range findingRules {
			raw(f.code, f.text(s, v))
		}
		for name := range records {
			o, s := filled(), show(filled(), stars)
			o.Product.Name, s.Product.Name = name, name
			raw(name, strings.Join(remediesFor(o, s, v), " ")+contradiction(s, v)+unsentText(s, v))
		}
	}
}

// TestCleaningDecidesNothing: a row whose wire strings are all stars comes to the
// same as one that shows them.
func TestCleaningDecidesNothing(t *testing.T) {
	var all []*Observation
	for _, answer := range forecastTable {
		for _, product := range []Product{{}, {Name: "Harbor", Version: "2.7.0"}, {Name: "Harbor", Version: "2.11.0"}, {Name: "Quay"}} {
			o := subject(answer.seen)
			o.Product = product
			o.Manifest.Digest = "sha512:" + strings.Repeat("a", 128)
			o.Capabilities.ArtifactTypes = []matrix.ArtifactType{{Type: "application/spdx+json", Name: "SBOM (SPDX)", Count: 1}}
			all = append(all, o, with(subject(answer.seen), func(o *Observation) {
				o.Manifest.Digest, o.Manifest.Answer = "", answer.seen.Answer
			}))
		}
	}
	type decided struct {
		Verdict  Verdict
		Clients  map[string]matrix.Forecast
		Findings []string
		Remedies int
	}
	decide := func(o *Observation, clean func(string) string) (d decided) {
		s := show(o, clean)
		d.Verdict = judge(o, s)
		d.Clients, d.Remedies = s.clients, len(remediesFor(o, s, d.Verdict))
		for _, f := range findingsOn(o, s, d.Verdict) {
			d.Findings = append(d.Findings, f.Code)
		}
		d.Verdict.Detail = ""
		return d
	}
	for _, o := range all {
		if diff := cmp.Diff(decide(o, nil), decide(o, stars)); diff != "" {
			t.Errorf("%+v: %s", o, diff)
		}
	}
}

// TestShown: what cleaning makes of strings whose parts are shown.
func TestShown(t *testing.T) {
	hide := func(secret string) func(string) string {
		return func(text string) string { return strings.ReplaceAll(text, secret, "***") }
	}
	nothing := func(string) string { return "" }
	digest, other := "sha512:"+strings.Repeat("ab", 64), "sha512:"+strings.Repeat("cd", 64)
	named := func(o *Observation) { o.Manifest.Digest = other }
	tagged := func(o *Observation) {
		o.Manifest.Digest = digest
		o.Capabilities.TagSchema = &matrix.TagSchema{Tag: "sha512-" + strings.Repeat("ab", 32)}
	}
	nexus := func(o *Observation) {
		o.Product = Identify(Evidence{Headers: headers("Server", "Nexus/3.8-pass word")})
	}
	types := func(o *Observation) {
		o.Capabilities.FilterType = AbsentType
		o.Capabilities.ArtifactTypes = []matrix.ArtifactType{{Type: "a-pass", Count: 1}, {Type: "b", Count: 1}, {Type: "a-word", Count: 2}}
	}
	for _, test := range []struct {
		name  string
		seen  func(*Observation)
		clean func(string) string
		show  func(matrix.Row) any
		want  any
	}{
		{"a digest", tagged, hide("sha512"), func(r matrix.Row) any { return r.Digest }, "***" + digest[6:]},
		{"the digest of the inventory", named, hide("sha512"), func(r matrix.Row) any { return r.Digest }, other},
		{"its tag", tagged, hide("sha512"), func(r matrix.Row) any { return r.Capabilities.TagSchema.Tag }, "***-" + strings.Repeat("ab", 32)},
		{"a tag with half of a secret", tagged, hide(digest[7:]), func(r matrix.Row) any { return r.Capabilities.TagSchema.Tag }, "***"},
		{"a version", nexus, hide("word"), func(r matrix.Row) any { return *r.Product }, matrix.Product{Name: "Nexus", Version: "3.8-pass", Evidence: "Server: Nexus/3.8-pass ***"}},
		{"a version with half of a secret", nexus, hide("pass word"), func(r matrix.Row) any { return *r.Product }, matrix.Product{Name: "Nexus", Version: "***", Evidence: "Server: Nexus/3.8-***"}},
		{"types that look alike", types, func(text string) string { return text[:1] }, func(r matrix.Row) any { return r.Capabilities.ArtifactTypes }, []matrix.ArtifactType{{Type: "a", Count: 3}, {Type: "b", Count: 1}}},
		{"our own type", types, hide("vnd"), func(r matrix.Row) any { return r.Capabilities.FilterType }, AbsentType},
		{"what is cleaned away", tagged, nothing, func(r matrix.Row) any { return r.Digest }, "***"},
		{"without a cleaner", func(o *Observation) { o.Referrers.ContentType = "text/\x1b[31m" }, nil, func(r matrix.Row) any { return r.Detail }, `HTTP 404 text/\x1b[31m, no OCI index: the registry has no referrers API.`},
	} {
		row := NewRow(Target{Image: "app@" + other, Clean: test.clean}, with(subject(status(404)), test.seen))
		if diff := cmp.Diff(test.want, test.show(row)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}
