package verdict

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestAnnotationsKept: of the annotations of a descriptor those are kept that show a kind, so that
// a body of 4 MiB does not become many times as large.
func TestAnnotationsKept(t *testing.T) {
	var many []string
	for i := range 100_000 {
		many = append(many, fmt.Sprintf(`"%x":""`, i))
	}
	for _, test := range []struct{ name, raw, want string }{
		{"many", `{` + strings.Join(many, ",") + `,"predicateType":"p"}`, "predicateType=p"},
		{"those of all signers", `{"dev.sigstore.bundle.content":"a","dev.sigstore.bundle.predicateType":"b","in-toto.io/predicate-type":"c",` +
			`"dev.cosignproject.cosign/signature":"d","vnd.docker.reference.type":"e","vnd.docker.reference.digest":"f"}`,
			"dev.cosignproject.cosign/signature=d dev.sigstore.bundle.content=a dev.sigstore.bundle.predicateType=b " +
				"in-toto.io/predicate-type=c vnd.docker.reference.digest=f vnd.docker.reference.type=e"},
		{"twice", `{"predicateType":"a","predicateType":"b"}`, "predicateType=b"},
		{"a long one", `{"predicateType":"` + strings.Repeat("x", 1<<20) + `"}`, "predicateType=" + strings.Repeat("x", maxAnnotation)},
		{"a value that is not a string", `{"predicateType":"a","other":[{"predicateType":"b"}]}`, ""},
		{"a value that is null", `{"predicateType":"a","other":null}`, ""},
		{"a list", `["predicateType","a"]`, ""},
		{"a string", `"predicateType"`, ""},
		{"null", `null`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			one := AttachedBlob{Annotations: Annotations{"predicateType": "before"}}
			if err := json.Unmarshal([]byte(`{"annotations":`+test.raw+`}`), &one); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, name := range slices.Sorted(maps.Keys(one.Annotations)) {
				got = append(got, name+"="+one.Annotations[name])
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestLayersKept: of the layers of a manifest those are kept that show a kind, to a bound.
func TestLayersKept(t *testing.T) {
	layer := `{"mediaType":"application/spdx+json"}`
	for _, test := range []struct {
		name, raw string
		want      int
	}{
		{"many that show nothing", `[` + strings.Repeat(`{},`, 100_000) + layer + `]`, 1},
		{"many that show a kind", `[` + strings.Repeat(layer+`,`, 100_000) + layer + `]`, MaxAttachedBlobs + 1},
		{"one that is not an object", `[3,` + layer + `]`, 1},
		{"null", `null`, 0},
		{"an object", layer, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var one AttachedManifest
			_ = json.Unmarshal([]byte(`{"layers":`+test.raw+`}`), &one)
			if len(one.Layers) != test.want {
				t.Errorf("%d layers, want %d", len(one.Layers), test.want)
			}
		})
	}
}
