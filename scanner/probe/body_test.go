package probe

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// validDigest is the digest of nothing.
const validDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// index returns an index of descriptors.
func index(descriptors ...string) string {
	return `{"schemaVersion":2,"mediaType":"` + matrix.IndexMediaType + `","manifests":[` + strings.Join(descriptors, ",") + `]}`
}

func read(text string) body { return readBody(&registry.Response{Bytes: []byte(text)}) }

// TestInvalidDescriptors: what no client can use is counted alone.
func TestInvalidDescriptors(t *testing.T) {
	long := strings.Repeat("x", maxName)
	before, after := `{"digest":"sha256:`+strings.Repeat("1", 64)+`"}`, `{"digest":"sha256:`+strings.Repeat("2", 64)+`"}`
	for _, test := range []struct {
		name, descriptor string
		invalid          bool
	}{
		{"a digest and nothing else", `{"digest":"` + validDigest + `"}`, false},
		{"types as long as types are", `{"digest":"` + validDigest + `","mediaType":"` + long + `","artifactType":"` + long + `"}`, false},
		{"an algorithm that we do not know", `{"digest":"blake3:00ff"}`, false},
		{"an object with all that JSON has", `{"digest":"` + validDigest + `","annotations":{"a]":"},[\"\\","b":[1,[{}],null]}}`, false},
		{"a media type that is longer", `{"digest":"` + validDigest + `","mediaType":"` + long + `x"}`, true},
		{"an artifact type that is longer", `{"digest":"` + validDigest + `","artifactType":"` + long + `x"}`, true},
		{"no digest", `{"mediaType":"text/plain"}`, true},
		{"null", `null`, true},
		{"an empty object", `{}`, true},
		{"a digest without an algorithm", `{"digest":"latest"}`, true},
		{"a digest that is cut", `{"digest":"` + validDigest[:70] + `"}`, true},
		{"a digest that is too long", `{"digest":"blake3:` + strings.Repeat("0", 255) + `"}`, true},
		{"an annotation of 1 MiB", `{"digest":"` + validDigest + `","annotations":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`, false},
		{"an artifact type of 1 MiB", `{"digest":"` + validDigest + `","artifactType":"` + strings.Repeat("x", 1<<20) + `"}`, true},
		{"an artifact type of escapes", `{"digest":"` + validDigest + `","artifactType":"` + strings.Repeat(`\u0061`, maxName) + `"}`, false},
		{"null for an artifact type", `{"digest":"` + validDigest + `","artifactType":null}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := read(index(before, test.descriptor, after))
			if got.kind != verdict.BodyIndex {
				t.Fatalf("it is %s", got.kind)
			}
			total, invalid := 3, 0
			if test.invalid {
				total, invalid = 2, 1
			}
			if got.index.Total != total || got.index.Invalid != invalid || len(got.index.Descriptors) != total || len(got.listed.hashes) != total {
				t.Errorf("%d descriptors, %d of them kept, %d compared, and %d invalid", got.index.Total, len(got.index.Descriptors), len(got.listed.hashes), got.index.Invalid)
			}
		})
	}
}

// TestDuplicateDescriptors: of several descriptors with one digest the first counts, as
// long as digests are told apart.
func TestDuplicateDescriptors(t *testing.T) {
	descriptor := func(i int, artifactType string) string {
		return fmt.Sprintf(`{"digest":"sha256:%064d","artifactType":"%s"}`, i, artifactType)
	}
	got := read(index(descriptor(1, "first"), descriptor(1, "second"), descriptor(2, "first"), descriptor(1, "first")))
	if got.index.Total != 2 || len(got.index.Descriptors) != 2 || got.index.Descriptors[0].ArtifactType != "first" || got.index.Invalid != 0 {
		t.Errorf("of two digests %d are counted, kept are %+v", got.index.Total, got.index.Descriptors)
	}
	many := make([]string, maxDigests+2)
	for i := range many {
		many[i] = descriptor(i, "")
	}
	many[1], many[maxDigests+1] = many[0], many[0]
	if got = read(index(many...)); got.index.Total != maxDigests+1 || !got.listed.full() {
		t.Errorf("%d are counted, full %t, want %d: one is a duplicate, and one is too far down to be told apart", got.index.Total, got.listed.full(), maxDigests+1)
	}
}

// TestDigestsOfPages: the digests of pages are told apart until a page finds no room.
func TestDigestsOfPages(t *testing.T) {
	page := func(from, to int) (d digests) {
		for i := from; i < to; i++ {
			d.add(fmt.Sprintf("sha256:%064d", i))
		}
		return d
	}
	var all digests
	for _, test := range []struct {
		from, to, known, want int
		full                  bool
	}{
		{0, 10, 0, 10, false},
		{5, 15, 5, 15, false},
		{15, 15, 0, 15, false},
		{15, maxDigests - 1, 0, maxDigests - 1, false},
		{0, 20, 20, maxDigests - 1, false},
		{maxDigests - 1, maxDigests + 1, 0, maxDigests - 1, true},
		{maxDigests - 1, maxDigests, 0, maxDigests - 1, true},
	} {
		known := all.addAll(page(test.from, test.to))
		if known != test.known || len(all.hashes) != test.want || all.full() != test.full {
			t.Errorf("%d to %d: %d known, %d in all, full %t", test.from, test.to, known, len(all.hashes), all.full())
		}
	}
	if len(all.first) != maxDescriptors || all.first[14] != fmt.Sprintf("sha256:%064d", 14) {
		t.Errorf("%d are kept by name", len(all.first))
	}
}

// TestListBounds: all descriptors of a list are counted, and few of them kept.
func TestListBounds(t *testing.T) {
	descriptors := make([]string, maxDigests+500)
	for i := range descriptors {
		descriptors[i] = fmt.Sprintf(`{"digest":"sha256:%064d","artifactType":"%s%d"}`, i, strings.Repeat("x", 200), i)
	}
	got := read(index(descriptors...))
	kept := 0
	for _, d := range got.index.Descriptors {
		kept += len(d.Digest) + len(d.ArtifactType)
	}
	if got.index.Total != len(descriptors) || !got.listed.full() || len(got.listed.hashes) != maxDigests || len(got.listed.first) != maxDescriptors {
		t.Errorf("%d descriptors, %d compared, %d of them by name", got.index.Total, len(got.listed.hashes), len(got.listed.first))
	}
	if len(got.index.Descriptors) == 0 || kept > maxKept+maxName*3 {
		t.Errorf("%d descriptors of %d bytes are kept", len(got.index.Descriptors), kept)
	}
	empty := read(index(strings.Repeat("{},", maxDigests+499) + "{}"))
	if empty.index.Invalid != maxDigests+500 || empty.index.Total != 0 {
		t.Errorf("of empty objects %d are descriptors and %d are not", empty.index.Total, empty.index.Invalid)
	}
}

// TestCompareDigests: lists are compared by all that was read of them, and named where
// the name was kept.
func TestCompareDigests(t *testing.T) {
	var long, short digests
	for i := range 3000 {
		one := fmt.Sprintf("sha256:%064d", i)
		long.add(one)
		if i%2 == 0 {
			short.add(one)
		}
	}
	names, n := long.without(short, 3)
	if n != 1500 || len(names) != 3 || names[0] != fmt.Sprintf("sha256:%064d", 1) {
		t.Errorf("%d are missing, of them %v", n, names)
	}
	if names, n := short.without(long, 3); n != 0 || names != nil {
		t.Errorf("%d are missing, of them %v", n, names)
	}
	if !long.contain(fmt.Sprintf("sha256:%064d", 2999)) || short.contain(fmt.Sprintf("sha256:%064d", 2999)) {
		t.Error("what was added last is not told apart")
	}
}

// TestCutBodies: of an error body that goes on beyond its bound the codes are read, as
// far as they came.
func TestCutBodies(t *testing.T) {
	for _, test := range []struct {
		name, text string
		kind       verdict.BodyKind
		codes      string
	}{
		{"codes first", `{"errors":[{"code":"DENIED","detail":"` + strings.Repeat("x", 100), verdict.BodyJSON, ""},
		{"one code whole", `{"errors":[{"code":"DENIED","detail":{}},{"code":"UNAU`, verdict.BodyJSON, "DENIED"},
		{"a key before", `{"a":{"b":[1,2]},"errors":[{"code":"A"},{"code":"B"},{"code":[{},{}]},{"code":"C"},`, verdict.BodyJSON, "A,B,C"},
		{"a value that goes on", `{"message":"` + strings.Repeat("x", 100), verdict.BodyJSON, ""},
		{"an array", `[{},{},`, verdict.BodyJSON, ""},
		{"text", `{ this is a page`, verdict.BodyText, ""},
		{"an index of no objects", `{"schemaVersion":2,"manifests":["a","b`, verdict.BodyJSON, ""},
		{"a page", `<html><body>` + strings.Repeat("x", 100), verdict.BodyHTML, ""},
	} {
		got := readBody(&registry.Response{Bytes: []byte(test.text), Cut: true})
		if got.kind != test.kind || strings.Join(got.codes, ",") != test.codes || got.index != nil {
			t.Errorf("%s: it is %s with the codes %v, want %s with %q", test.name, got.kind, got.codes, test.kind, test.codes)
		}
	}
}

// TestCutIndex: of an index that goes on beyond its bound the descriptors that it begins
// with are read.
func TestCutIndex(t *testing.T) {
	valid := `{"digest":"` + validDigest + `"}`
	for _, test := range []struct {
		text           string
		total, invalid int
	}{
		{`{"schemaVersion":2,"manifests":[` + valid + `,{"digest":"sha256:11`, 1, 0},
		{`{"manifests":[` + valid + `,{},` + valid + `,`, 1, 1},
		{`{"schemaVersion":2,"manifests":[{"digest":"`, 0, 0},
	} {
		got := readBody(&registry.Response{Bytes: []byte(test.text), Cut: true})
		if got.kind != verdict.BodyIndex || got.index.Total != test.total || got.index.Invalid != test.invalid || !got.listed.full() {
			t.Errorf("%s: it is %s, %+v", test.text, got.kind, got.index)
		}
	}
}

// TestBeginsIndex: a 404 is read on if its manifests begin, and not if it is an error.
func TestBeginsIndex(t *testing.T) {
	for _, test := range []struct {
		text string
		want bool
	}{
		{index(`{"digest":"` + validDigest), true},
		{`{"annotations":{"a":"b"},"schemaVersion":2,"manifests":[`, true},
		{`{"errors":[{"code":[{},{}`, false},
		{`{"schemaVersion":2,"errors":[],"manifests":[{}`, false},
		{`{"schemaVersion":2,"manifests":{`, false},
		{`{"a":"` + strings.Repeat("x", 100), false},
		{`[[[[`, false},
		{`<html>`, false},
		{``, false},
	} {
		if got := beginsIndex([]byte(test.text)); got != test.want {
			t.Errorf("%.60s: %t", test.text, got)
		}
	}
}

// TestErrorCodes: of a whole error body the first few codes are read, and none that is
// longer than codes are.
func TestErrorCodes(t *testing.T) {
	many := strings.Repeat(`{"code":"A"},`, 10)
	for _, test := range []struct {
		text string
		want int
	}{
		{`{"errors":[` + many + `{"code":"B"}]}`, 5},
		{`{"errors":[{"code":"` + strings.Repeat("x", 256) + `"},{"code":"B"},{"code":7},{"code":{"a":[]}},{}]}`, 1},
		{`{"errors":{"code":"A"}}`, 0},
		{`{"errors":null}`, 0},
		{`{"errors":"A"}`, 0},
	} {
		if got := read(test.text); got.kind != verdict.BodyJSON || len(got.codes) != test.want {
			t.Errorf("%.60s is %s with the codes %v", test.text, got.kind, got.codes)
		}
	}
}

// TestReadingCosts: no body costs much more than itself to be read.
func TestReadingCosts(t *testing.T) {
	const size = registry.MaxIndex
	fill := func(before, each, after string) []byte {
		n := (size - len(before) - len(after)) / len(each)
		return []byte(before + strings.Repeat(each, n) + after)
	}
	for _, test := range []struct {
		name string
		text []byte
		kind verdict.BodyKind
		most uint64 // bytes allocated, those freed meanwhile included
	}{
		{"objects for an error code", fill(`{"errors":[{"code":[`, `{},`, `{}]}]}`), verdict.BodyJSON, 1 << 20},
		{"objects for descriptors", fill(`{"schemaVersion":2,"manifests":[`, `{},`, `{}]}`), verdict.BodyIndex, 8 << 20},
		{"descriptors", fill(`{"schemaVersion":2,"manifests":[`, `{"digest":"`+validDigest+`"},`, `{}]}`), verdict.BodyIndex, 12 << 20},
		{"a string for an artifact type", fill(`{"schemaVersion":2,"manifests":[{"digest":"`+validDigest+`","artifactType":"`, `\u0000`, `"}]}`), verdict.BodyIndex, 1 << 20},
		{"a string for an error code", fill(`{"errors":[{"code":"`, `xxxxxx`, `"}]}`), verdict.BodyJSON, 1 << 20},
		{"a string for the media type", fill(`{"schemaVersion":2,"manifests":[],"mediaType":"`, `xxxxxx`, `"}`), verdict.BodyManifest, 1 << 20},
		{"an annotation", fill(`{"schemaVersion":2,"annotations":{"a":"`, `xxxxxx`, `"},"manifests":[]}`), verdict.BodyIndex, 1 << 20},
		{"layers", fill(`{"schemaVersion":2,"config":{},"layers":[`, `{},`, `{}]}`), verdict.BodyManifest, 1 << 20},
		{"arrays in arrays", fill(``, `[`, ``), verdict.BodyText, 4 << 20},
		{"objects in objects", fill(``, `{"a":`, ``), verdict.BodyText, 4 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp := &registry.Response{Bytes: test.text}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := readBody(resp)
			runtime.ReadMemStats(&after)
			if cost := after.TotalAlloc - before.TotalAlloc; got.kind != test.kind || cost > test.most {
				t.Errorf("it is %s and costs %d KiB, want %s and %d at the most", got.kind, cost>>10, test.kind, test.most>>10)
			}
		})
	}
}
