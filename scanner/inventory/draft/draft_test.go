package draft_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/inventory/draft"
)

// FuzzAdd: whatever is read, what is drafted is a valid inventory.
func FuzzAdd(f *testing.F) {
	for _, text := range []string{
		"alpine", "a.example/b:1 # c", "image: x", "- a/b:1\n- c", `{"image":"a/b@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}`,
		"a: &x [*x]", "localhost:5000/a", "[::1]:5000/a", "x: {image: '${A}/b'}", "A.example/b", "a_b.example/c:1", "--- \nimage: 7",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(5*time.Second, func() { panic(fmt.Sprintf("hangs: %q", text)) }).Stop()
		var d draft.Draft
		if d.Add(strings.NewReader(text), "input") != nil {
			return
		}
		var out bytes.Buffer
		if d.Write(&out, 2) != nil {
			return
		}
		if _, err := inventory.Parse(&out, "draft.yaml", ".", func(string) (string, bool) { return "", false }); err != nil {
			t.Errorf("%q became an invalid inventory: %v", text, err)
		}
	})
}
