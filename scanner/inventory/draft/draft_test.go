package draft_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/inventory/draft"
)

// drafted returns the inventory that d writes, which has to be valid.
func drafted(t *testing.T, d *draft.Draft) *inventory.Inventory {
	t.Helper()
	var out bytes.Buffer
	if err := d.Write(&out, 3); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	inv, err := inventory.Parse(&out, "draft.yaml", ".", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return inv
}

// FuzzAdd: whatever is read, what is drafted is a valid inventory.
func FuzzAdd(f *testing.F) {
	for _, text := range []string{
		"alpine", "a.example/b:1 # c", "image: x", "- a/b:1\n- c", `{"image":"a/b@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}`,
		"a: &x [*x]", "localhost:5000/a", "[::1]:5000/a", "x: {image: '${A}/b'}", "A.example/b", "a_b.example/c:1", "--- \nimage: 7",
		"registry-1.docker.io/a\nindex.docker.io/library/a", "a.io/a.io/b", "[a, b/c:1]", "[{}, [\"a\"]]{}", "IMAGE\na\n<none>", "3 a\n4 b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(5*time.Second, func() { panic(fmt.Sprintf("hangs: %q", text)) }).Stop()
		var d draft.Draft
		if d.Add(strings.NewReader(text), "input") != nil || d.Registries() == 0 {
			return
		}
		drafted(t, &d)
	})
}

// TestDraftIsValid: whatever the spellings of hosts and repositories are, and wherever they
// come from, the draft is a valid inventory, and its own images make the same one again.
func TestDraftIsValid(t *testing.T) {
	hosts := []string{
		"", "docker.io/", "index.docker.io/", "registry-1.docker.io/", "quay.io/", "Quay.IO/", "quay.io:443/", "localhost/", "LocalHost:5000/",
		"localhost:5000/", "127.0.0.1:5000/", "[::1]:5000/", "[::1]/", "a_b.example/", "a.example:99999/", "a..example/", "hub.docker.com/",
		"github.com/", "xn--bcher-kva.example/", strings.Repeat("x", 130) + ".example/",
	}
	repositories := []string{
		"alpine", "library/alpine", "team/app", "quay.io/team/app", "docker.io/library/alpine", "r/library/alpine", "v2/a", "a__b/c.d-e", "UPPER/case",
		"ghcr.io/a", strings.Repeat("a/", 130) + "b",
	}
	tails := []string{"", ":latest", ":1.0", ":v1@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", ":-x", "@sha256:1"}
	keys := []string{"https://index.docker.io/v1/", "docker.io", "registry-1.docker.io/v2/", "HTTPS://QUAY.IO", "quay.io/team", "[fe80::1%25eth0]", "ftp://x", "u:p@a.example", ""}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	for range 100 {
		var d draft.Draft
		references, auths := []string{"alpine"}, map[string]struct{}{}
		for range 1 + random.IntN(12) {
			references = append(references, pick(hosts)+pick(repositories)+pick(tails))
			auths[pick(keys)] = struct{}{}
		}
		list, _ := json.Marshal(references)
		config, _ := json.Marshal(map[string]any{"auths": auths})
		if err := d.Add(bytes.NewReader(list), "list"); err != nil {
			t.Fatal(err)
		}
		if err := d.AddConfig(bytes.NewReader(config), "config"); err != nil {
			t.Fatal(err)
		}
		first := drafted(t, &d)
		var again draft.Draft
		for _, r := range first.Registries {
			for _, image := range r.Images {
				reference := r.Name + "/" + image.String()
				if err := again.Add(strings.NewReader(reference), "again"); err != nil {
					t.Errorf("%s of %q: %v", reference, references, err)
				}
			}
		}
		if got, want := images(drafted(t, &again)), images(first); got != want {
			t.Fatalf("%q: %s became %s", references, want, got)
		}
	}
}

// images lists the images of an inventory by registry, in the order of their names.
func images(inv *inventory.Inventory) string {
	var out []string
	for _, r := range inv.Registries {
		slices.SortFunc(r.Images, func(a, b inventory.Image) int { return strings.Compare(a.String(), b.String()) })
		out = append(out, fmt.Sprint(r.Name, r.Images))
	}
	return strings.Join(out, " ")
}

// pods is the JSON of a list of pods as kubectl prints it, made while it is read. It notes
// how large the heap was meanwhile.
type pods struct {
	left    int // pods
	rest    []byte
	largest uint64 // bytes of the heap
	length  int64
}

func (p *pods) Read(into []byte) (int, error) {
	if len(p.rest) == 0 {
		switch {
		case p.left < 0:
			return 0, io.EOF
		case p.left == 0:
			p.rest = []byte(`{"kind":"Pod"}]}`)
		default:
			p.rest = fmt.Appendf(nil, `{"kind":"Pod","metadata":{"name":"p%d","annotations":{"a":%q}},"spec":{"containers":[{"image":"quay.io/team/app%d:1"}]},`+
				`"status":{"containerStatuses":[{"image":"ghcr.io/never:1"}]}},`, p.left, strings.Repeat("x", 8<<10), p.left%5)
		}
		if p.length == 0 {
			p.rest = append([]byte(`{"kind":"List","items":[`), p.rest...)
		}
		if p.left%100 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			p.largest = max(p.largest, m.HeapAlloc)
		}
		p.left--
	}
	n := copy(into, p.rest)
	p.rest = p.rest[n:]
	p.length += int64(n)
	return n, nil
}

// TestManyPods: a list of pods takes no memory for what is not an image.
func TestManyPods(t *testing.T) {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	list := &pods{left: 2100}
	var d draft.Draft
	if err := d.Add(list, "pods"); err != nil {
		t.Fatal(err)
	}
	if got, want := images(drafted(t, &d)), "quay.io[team/app0:1 team/app1:1 team/app2:1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if grown := int64(list.largest) - int64(before.HeapAlloc); list.length < 16<<20 || grown > 8<<20 {
		t.Errorf("%d MiB of pods took %d MiB", list.length>>20, grown>>20)
	}
}

// TestUnusualJSON: what begins like JSON and is not is read as YAML if that shows early, and
// is an error if it shows late.
func TestUnusualJSON(t *testing.T) {
	padding := strings.Repeat(`{"note":"`+strings.Repeat("x", 1000)+`"},`, 2000)
	for _, test := range []struct{ name, text, images, err string }{
		{"flow style", "{image: quay.io/a/b}", "quay.io[a/b:latest]", ""},
		{"flow style after JSON", "{\"image\": \"quay.io/a/b\"}\n---\nimage: quay.io/a/c\n", "quay.io[a/b:latest a/c:latest]", ""},
		{"an image key in a status", `{"status":{"spec":{"image":"quay.io/a/b"}},"spec":{"image":"quay.io/a/c"}}`, "quay.io[a/c:latest]", ""},
		{"only the document's own array", `["quay.io/a/b",{"x":["quay.io/a/c"]},["quay.io/a/d"]]`, "quay.io[a/b:latest]", ""},
		{"white space first", "\ufeff\n\n [\"quay.io/a/b\"]", "quay.io[a/b:latest]", ""},
		{"cut off late", "[" + padding, "", "read x as JSON: unexpected EOF"},
		{"cut off early", `{"items":[{"image":"quay.io/a/b"`, "", "read x as JSON: unexpected EOF"},
		{"deep", strings.Repeat("[", 2<<20), "", "read x as JSON: nested more than 10000 levels deep"},
	} {
		var d draft.Draft
		err := d.Add(strings.NewReader(test.text), "x")
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.err) || d.Registries() > 0 {
				t.Errorf("%s: got %v and %d registries, want %s", test.name, err, d.Registries(), test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := images(drafted(t, &d)); got != test.images {
			t.Errorf("%s: got %s, want %s", test.name, got, test.images)
		}
	}
}

// TestLists: a word of a list is a reference if it looks like one or stands alone, and a
// list is one if most of its words are.
func TestLists(t *testing.T) {
	for _, test := range []struct{ text, images, err string }{
		{"alpine\nnginx\n", "docker.io[library/alpine:latest library/nginx:latest]", ""},
		{"alpine, nginx:1", "docker.io[library/alpine:latest library/nginx:1]", ""},
		{"alpine nginx redis quay.io/a/b:1", "", "x is not a list of images: 3 of its 4 words"},
		{"docker://quay.io/a/b quay.io/a/c:1\n{{ .Values.image }}\nalpine\nnginx", "docker.io[library/alpine:latest library/nginx:latest] quay.io[a/b:latest a/c:1]", ""},
		{"These words\nare not images", "", "x is not a list of images: 5 of its 5 words are not image references, the first on line 1"},
		{"   7 nginx\n   3 alpine\n", "docker.io[library/alpine:latest library/nginx:latest]", ""},
		{"", "", "no image"},
	} {
		var d draft.Draft
		err := d.Add(strings.NewReader(test.text), "x")
		if err == nil {
			err = d.Write(io.Discard, 1)
		}
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("%q: got %v, want %s", test.text, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
		} else if got := images(drafted(t, &d)); got != test.images {
			t.Errorf("%q: got %s, want %s", test.text, got, test.images)
		}
	}
}

// TestLargeYAML: YAML that would take gigabytes once parsed is refused.
func TestLargeYAML(t *testing.T) {
	var d draft.Draft
	text := "items:\n" + "- image: quay.io/a/b # " + strings.Repeat("x", 33<<20)
	const want = "x is over 32 MiB of YAML: write it as JSON"
	if err := d.Add(strings.NewReader(text), "x"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
