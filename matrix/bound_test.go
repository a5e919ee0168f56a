package matrix

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// rowOf returns a row of so many exchanges, headers in each, and links of each kind, with
// strings of a length.
func rowOf(exchanges, headers, links, length int) *Row {
	text := func(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat(`"`, length)) }
	r := &Row{Image: "a", Capabilities: &Capabilities{TagSchema: &TagSchema{OnlyTagCount: 1000}}}
	for i := range exchanges {
		x := Exchange{Step: "page", URL: text(i), Headers: map[string]string{}}
		for n := range headers {
			x.Headers[fmt.Sprint(n)] = text(n)
		}
		r.Exchanges = append(r.Exchanges, x)
	}
	tag := r.Capabilities.TagSchema
	for i := range links {
		tag.Links = append(tag.Links, Descriptor{Digest: text(i)})
		tag.OnlyTag, tag.OnlyAPI = append(tag.OnlyTag, text(i)), append(tag.OnlyAPI, text(i))
	}
	return r
}

// TestBoundOfARow: a row is not larger than its bound, what was left out is counted, and a
// row that fits stays as it is.
func TestBoundOfARow(t *testing.T) {
	for _, test := range []struct {
		name                              string
		exchanges, headers, links, length int
		want                              Omitted
	}{
		{"an ordinary row", 30, 5, 100, 40, Omitted{}},
		{"long headers", 60, 12, 0, 300, Omitted{Headers: 720}},
		{"many links", 5, 12, 200, 300, Omitted{Headers: 60, Links: 450}},
		{"long addresses", 60, 0, 0, 4096, Omitted{Exchanges: 29}},
		{"all of it", 250, 12, 200, 600, Omitted{Headers: 3000, Links: 450, Exchanges: 186}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rowOf(test.exchanges, test.headers, test.links, test.length)
			before := r.size()
			r.Bound()
			var got Omitted
			if r.Omitted != nil {
				got = *r.Omitted
			}
			if got != test.want {
				t.Errorf("%+v is left out of %d KiB, want %+v", got, before>>10, test.want)
			}
			if len(r.Exchanges)+got.Exchanges != test.exchanges {
				t.Errorf("%d exchanges are left, and %d counted", len(r.Exchanges), got.Exchanges)
			}
			if n := r.Capabilities.TagSchema.MissingFromTag(); n != test.links {
				t.Errorf("%d digests are counted that the tag lacks, of %d", n, test.links)
			}
			encoded, err := json.Marshal(r)
			if err != nil || len(encoded) > MaxRow {
				t.Errorf("the row takes %d KiB, %v", len(encoded)>>10, err)
			}
		})
	}
}

// TestBoundBeginsWithPlatforms: the exchanges of single platforms are left out before anything
// of the image itself.
func TestBoundBeginsWithPlatforms(t *testing.T) {
	r := rowOf(200, 5, 0, 100)
	for i := range r.Exchanges[100:] {
		r.Exchanges[100+i].Step = PlatformStep
	}
	r.Bound()
	if r.Omitted == nil || *r.Omitted != (Omitted{Exchanges: 100}) {
		t.Errorf("%+v is left out", r.Omitted)
	}
}

// TestWithoutExchanges: a row without its exchanges does not say that they were too large,
// and still says it of links. The row itself stays as it is.
func TestWithoutExchanges(t *testing.T) {
	for _, test := range []struct{ omitted, want *Omitted }{
		{nil, nil},
		{&Omitted{Headers: 1, Exchanges: 2}, nil},
		{&Omitted{Headers: 1, Links: 3, Exchanges: 2}, &Omitted{Links: 3}},
	} {
		r := Row{Registry: "a", Requests: 2, Exchanges: []Exchange{{}, {}}, Omitted: test.omitted}
		got := r.WithoutExchanges()
		want := &Row{Registry: "a", Requests: 2, Omitted: test.want}
		if !reflect.DeepEqual(got, want) || len(r.Exchanges) != 2 || r.Omitted != test.omitted {
			t.Errorf("%+v of %+v, want %+v", got, r, want)
		}
	}
}
