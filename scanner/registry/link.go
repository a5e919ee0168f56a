package registry

import (
	"net/url"
	"slices"
	"strings"
)

// link is one value of a Link header (RFC 8288, section 3).
type link struct {
	target    string   // as sent; may be relative
	relations []string // in lower case
}

// parseLinks reads the links of one header field. A value that does not begin
// with a target in angle brackets is skipped.
func parseLinks(field string) []link {
	var links []link
	r := headerReader{text: field}
	for r.skip(" \t,"); !r.done(); r.skip(" \t,") {
		if !r.accept('<') {
			r.skipElement()
			continue
		}
		one := link{target: r.until("<>")}
		if !r.accept('>') {
			r.skipElement()
			continue
		}
		one.relations = r.relations()
		links = append(links, one)
		r.skipElement()
	}
	return links
}

// relations reads the parameters of a link and returns the words of its rel. A
// second rel is ignored (RFC 8288, section 3.3).
func (r *headerReader) relations() []string {
	var relations []string
	found := false
	for r.skip(" \t"); r.accept(';'); r.skip(" \t") {
		r.skip(" \t")
		name := r.token()
		value, ok := r.parameter(" \t,;")
		if ok && !found && strings.EqualFold(name, "rel") {
			relations, found = strings.Fields(strings.ToLower(value)), true
		}
	}
	return relations
}

// Next returns the absolute URL of the next page: the first target of a Link
// header that has the relation next (RFC 8288; distribution specification v1.1,
// "Listing Referrers"). It is nil without one. A target with userinfo is not
// one: that is a credential of the registry's choice. It may have a fragment, which is
// not for requests.
func (r *Response) Next() *url.URL {
	for _, field := range r.Header.Values("Link") {
		for _, one := range parseLinks(field) {
			if !slices.Contains(one.relations, "next") {
				continue
			}
			target, err := r.URL.Parse(one.target)
			if err == nil && target.User == nil && target.Host != "" {
				return target
			}
		}
	}
	return nil
}

// MayGoOn reports whether a Link header seems to name a next page that Next does not return:
// its target has userinfo or cannot be parsed, or its brackets are missing. The list may not be
// whole then.
func (r *Response) MayGoOn() bool {
	names := func(field string) bool { return strings.Contains(strings.ToLower(field), "next") }
	return r.Next() == nil && slices.ContainsFunc(r.Header.Values("Link"), names)
}
