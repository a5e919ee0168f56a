package matrix

import (
	"encoding/json"
	"slices"
)

// MaxRow bounds the JSON of a row, in bytes, so that what one registry sends does not fill
// the reports of all.
const MaxRow = 256 << 10

// keptLinks is how many links of each kind are kept in a row that is too large.
const keptLinks = 50

// Omitted counts what was left out of a row because its JSON was over MaxRow.
type Omitted struct {
	Headers   int `json:"headers,omitempty"`   // response headers of exchanges
	Links     int `json:"links,omitempty"`     // links of the row and of the referrers tag, digests that only one list has, platforms
	Exchanges int `json:"exchanges,omitempty"` // those of single platforms, and then the last ones
}

// Bound leaves out of r what its verdict does not need until its JSON is MaxRow bytes at the
// most: the exchanges of single platforms, then headers, links and the last exchanges. Nearly
// every row stays as it is.
func (r *Row) Bound() {
	if r.surelyFits() {
		return
	}
	for _, leaveOut := range []func(*Row) Omitted{
		(*Row).leaveOutPlatforms, (*Row).leaveOutHeaders, (*Row).leaveOutLinks, (*Row).leaveOutExchanges,
	} {
		if r.size() <= MaxRow {
			return
		}
		gone := leaveOut(r)
		if r.Omitted == nil {
			r.Omitted = &Omitted{}
		}
		r.Omitted.Headers += gone.Headers
		r.Omitted.Links += gone.Links
		r.Omitted.Exchanges += gone.Exchanges
	}
}

// surelyFits reports whether r fits, by a look that is cheaper than encoding it: a
// printable character takes two bytes of JSON at the most beside its own.
func (r *Row) surelyFits() bool {
	const keys = 512 // of an exchange, and of what a row has beside
	n := 16 * keys
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		n += keys + 2*(len(x.URL)+len(x.Accept)+len(x.Scope)+len(x.ContentType)+len(x.Error)+len(x.Body))
		for name, value := range x.Headers {
			n += 8 + 2*(len(name)+len(value))
		}
	}
	if c := r.Capabilities; c != nil {
		n += 2 * 512 * len(c.ArtifactTypes)
		if tag := c.TagSchema; tag != nil {
			n += 2 * 512 * (2*len(tag.Links) + len(tag.OnlyTag) + len(tag.OnlyAPI))
		}
	}
	return n+r.linksAtMost() <= MaxRow
}

// linksAtMost is how many bytes of JSON r's links, platforms and losses take at the most.
func (r *Row) linksAtMost() (n int) {
	const keys = 256 // of one of them
	if r.Links != nil {
		for i := range r.Links.Items {
			link := &r.Links.Items[i]
			n += keys + 2*(len(link.Digest)+len(link.ArtifactType)+len(link.Subject)+len(link.Platform))
		}
		for _, p := range r.Links.Platforms {
			n += keys + 2*(len(p.Platform)+len(p.Digest))
		}
	}
	for _, platforms := range r.Lacking {
		for _, platform := range platforms {
			n += keys + 2*len(platform)
		}
	}
	for i := range r.Lost {
		n += keys + 2*(len(r.Lost[i].Digest)+len(r.Lost[i].Subject)+len(r.Lost[i].Platform))
	}
	return n
}

// size returns the bytes of r's JSON in matrix.json.
func (r *Row) size() int { return sizeOf(r) }

func sizeOf(value any) int {
	var n counter
	encoder := json.NewEncoder(&n)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return MaxRow // what cannot be encoded is reported where it is written
	}
	return int(n)
}

// counter counts what is written.
type counter int

func (n *counter) Write(b []byte) (int, error) {
	*n += counter(len(b))
	return len(b), nil
}

func (r *Row) leaveOutPlatforms() (gone Omitted) {
	all := len(r.Exchanges)
	r.Exchanges = slices.DeleteFunc(r.Exchanges, func(x Exchange) bool { return x.Step == PlatformStep })
	gone.Exchanges = all - len(r.Exchanges)
	return gone
}

func (r *Row) leaveOutHeaders() (gone Omitted) {
	for i := range r.Exchanges {
		gone.Headers += len(r.Exchanges[i].Headers)
		r.Exchanges[i].Headers = nil
	}
	return gone
}

func (r *Row) leaveOutLinks() (gone Omitted) {
	if links := r.Links; links != nil {
		gone.Links += keepFirst(&links.Items) + keepFirst(&links.Platforms)
	}
	for kind, platforms := range r.Lacking {
		gone.Links += keepFirst(&platforms)
		r.Lacking[kind] = platforms
	}
	gone.Links += keepFirst(&r.Lost)
	if r.Capabilities == nil || r.Capabilities.TagSchema == nil {
		return gone
	}
	tag := r.Capabilities.TagSchema
	tag.OnlyTagCount, tag.OnlyAPICount = tag.MissingFromAPI(), tag.MissingFromTag()
	gone.Links += keepFirst(&tag.Links) + keepFirst(&tag.OnlyTag) + keepFirst(&tag.OnlyAPI)
	return gone
}

// keepFirst leaves as many in a list as are kept, holds no others in memory, and returns
// how many it took out.
func keepFirst[T any](list *[]T) (gone int) {
	gone = max(len(*list)-keptLinks, 0)
	*list = slices.Clone((*list)[:len(*list)-gone])
	return gone
}

func (r *Row) leaveOutExchanges() (gone Omitted) {
	all := r.Exchanges
	r.Exchanges = nil
	left := MaxRow - r.size() - sizeOf(Omitted{Headers: 1 << 30, Links: 1 << 30, Exchanges: 1 << 30})
	for i := range all {
		if left -= sizeOf(&all[i]); left < 0 {
			gone.Exchanges = len(all) - i
			break
		}
		r.Exchanges = all[:i+1]
	}
	r.Exchanges = slices.Clone(r.Exchanges)
	return gone
}
