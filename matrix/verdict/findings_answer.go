package verdict

import (
	"fmt"

	"refmatrix/matrix"
)

func filterIs(f matrix.Filter) func(*Observation, Verdict) bool {
	return seen(func(o *Observation) bool { return o.Capabilities.Filter == f })
}

// Conditions on the forecast of a client.

func failsToRead(f matrix.Forecast) bool     { return f.Read == matrix.OutcomeError }
func failsOnlyToPush(f matrix.Forecast) bool { return f.Push == matrix.OutcomeError && !failsToRead(f) }
func findsNothing(f matrix.Forecast) bool    { return f.Read == matrix.OutcomeNothing }
func losesWrites(f matrix.Forecast) bool     { return f.Push == matrix.OutcomeNothing }
func readsTheAPI(f matrix.Forecast) bool     { return f.Read == matrix.OutcomeAPI }

// isOverLimit reports whether the list is longer than a client reads. all are the forecasts
// for o: no client has another reason to fail on an index, or to find nothing in it, but
// one that stays empty.
func isOverLimit(o *Observation, all map[string]matrix.Forecast) bool {
	return okIndex(o) && !staysEmpty(o) && clientsThat(all, failsToRead)+clientsThat(all, findsNothing) != ""
}

// stoppedClients names the clients that the answer stops with an error, by the forecasts
// for o. Those that a long list or a refused push stops have findings of their own.
func stoppedClients(o *Observation, all map[string]matrix.Forecast) (reading, pushing string) {
	if !isOverLimit(o, all) {
		reading = clientsThat(all, failsToRead)
	}
	if !pushIs(matrix.PushRefused, o) {
		pushing = clientsThat(all, failsOnlyToPush)
	}
	return reading, pushing
}

// invalidDescriptors counts the descriptors of the API's list and of the referrers tag
// that are not valid.
func invalidDescriptors(o *Observation) int {
	n := o.Capabilities.Invalid
	if tag := o.Capabilities.TagSchema; tag != nil {
		n += tag.Invalid
	}
	return n
}

// pageText says what is wrong with the pages of a list.
var pageText = map[matrix.Pagination]string{
	matrix.PageLoop:    "The next links of the list run in a circle: clients that follow them hang or repeat.",
	matrix.PageForeign: "A next link of the list leads to another origin; it was not followed, and clients lose the credentials there.",
	matrix.PageBroken:  "A next link of the list answered no OCI index: clients see only the pages before it.",
}

// answerFindings are about what the referrers endpoint answers.
var answerFindings = []findingRule{
	{
		code:    "spec-404",
		meaning: "An index came under 404, which the specification forbids.",
		remedy:  "Ask the vendor to answer 200 where the API is there.",
		source:  listing,
		when:    func(_ *Observation, v Verdict) bool { return v.Reason == matrix.IndexOn404 },
		text: sentence("A registry with the API must not answer 404 here (distribution specification v1.1, Listing Referrers); " +
			"clients treat every 404 as no API and use the tag schema."),
	},
	{
		code:    "invalid-descriptors",
		meaning: "A list has descriptors without a valid digest, or with a type of more than 255 bytes.",
		remedy:  "Ask the vendor for descriptors as the image specification has them; what is attached by these cannot be read.",
		source:  "image specification, Descriptor and Digests; RFC 6838 section 4.2",
		when:    seen(func(o *Observation) bool { return invalidDescriptors(o) > 0 }),
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("The list has %s that no client can use, without a valid digest or with a type of more than 255 bytes: they are left out of all counts.",
				matrix.Quantity(invalidDescriptors(&s.Observation), "descriptor"))
		},
	},
	{
		code:    "list-bounded",
		meaning: "The list is over refmatrix's own bound and was not read to its end.",
		remedy:  "Delete what is attached to this image and not needed any more, or ask the vendor to page the list: oras, notation and containerd read 4 MiB of a list.",
		source:  listing + "; clients measured",
		when:    seen(func(o *Observation) bool { return o.Referrers.Bound > 0 && o.Referrers.Index != nil }),
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("The list is over the %d bytes that refmatrix reads, so what it holds is not known in full; "+
				"oras and notation fail on a list over 4 MiB, and containerd finds nothing in it.", s.Referrers.Bound)
		},
	},
	{
		code:    "type-parameters",
		meaning: "The index type is written with parameters or in capitals.",
		remedy:  "Let the registry, or the proxy that adds the charset, send " + matrix.IndexMediaType + " and nothing else.",
		source:  "RFC 9110 section 8.3.1; clients measured",
		when: seen(func(o *Observation) bool {
			return okIndex(o) && MatchType(o.Referrers.ContentType) == matrix.TypeParameters
		}),
		text: sentence("The Content-Type carries parameters or capitals: oras, notation and cosign compare it whole and " +
			"fall back to tags, regctl and containerd do not."),
	},
	{
		code:    "clients-fail",
		meaning: "Some clients fail on this answer instead of falling back.",
		remedy:  "Use the other clients here, or force the tag schema (oras --distribution-spec v1.1-referrers-tag), until the answer is fixed.",
		source:  "clients measured, see the forecast table",
		when: seen(func(o *Observation) bool {
			read, push := stoppedClients(o, forecast(o))
			return read+push != ""
		}),
		text: func(s *shown, _ Verdict) string {
			read, push := stoppedClients(&s.Observation, s.clients)
			switch {
			case read != "" && push != "":
				return fmt.Sprintf("On this answer, reading fails for %s, and attaching for %s: these clients do not fall back to the tag schema.", read, push)
			case read != "":
				return fmt.Sprintf("On this answer, reading fails for %s: these clients do not fall back to the tag schema.", read)
			default:
				return fmt.Sprintf("On this answer, attaching fails for %s: these clients do not fall back to the tag schema.", push)
			}
		},
	},
	{
		code:    "writes-lost",
		meaning: "What a client attaches is not found afterwards.",
		remedy:  "Attach with a client that writes the tag here, or force the tag schema, until the answer is fixed.",
		source:  "clients measured, see the forecast table",
		when: seen(func(o *Observation) bool {
			all := forecast(o)
			return clientsThat(all, losesWrites) != "" && !o.Capabilities.Push.Unlisted() && !isOverLimit(o, all)
		}),
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("%s take this for a registry with the API and write no tag, but do not read its list: "+
				"what they attach is found by nobody later.", clientsThat(s.clients, losesWrites))
		},
	},
	{
		code:    "list-misleads",
		meaning: "Clients read a list that does not depend on the image.",
		remedy:  "Read by the tag schema until the answer depends on the digest.",
		source:  listing + "; clients measured, see the forecast table",
		when: func(o *Observation, v Verdict) bool {
			return v.Reason == matrix.IgnoresDigest && clientsThat(forecast(o), readsTheAPI) != ""
		},
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("%s take this list for that of the image: they find what is not attached to it.",
				clientsThat(s.clients, readsTheAPI))
		},
	},
	{
		code:    "list-over-limit",
		meaning: "The list is longer than some clients read.",
		remedy:  "Delete referrers that are not needed any more, or have the registry send shorter pages; until then read the list with crane or regctl.",
		source:  "oras-go, MaxMetadataBytes; containerd, MaxManifestSize; clients measured",
		when:    seen(func(o *Observation) bool { return isOverLimit(o, forecast(o)) }),
		text: func(s *shown, _ Verdict) string {
			text := fmt.Sprintf("The list has %d bytes, over the limit of some clients", s.Referrers.Bytes)
			if fail := clientsThat(s.clients, failsToRead); fail != "" {
				text += ": reading fails for " + fail
			}
			if blind := clientsThat(s.clients, findsNothing); blind != "" {
				text += "; " + blind + " finds nothing in it"
			}
			return text + "."
		},
	},
	{
		code:    "page-loop",
		meaning: "The pages of the list do not end or lead away.",
		remedy:  "Fix the next links of the registry or of the proxy before it: they have to lead on, on the same origin, to an OCI index.",
		source:  listing + "; RFC 8288",
		when:    seen(func(o *Observation) bool { return pageText[o.Capabilities.Pagination] != "" }),
		text:    func(s *shown, _ Verdict) string { return pageText[s.Capabilities.Pagination] },
	},
	{
		code:    "filter-ignored",
		meaning: "?artifactType= changes nothing, and clients must filter themselves.",
		remedy:  "Expect clients to fetch the whole list of an image; they filter it themselves.",
		source:  listing,
		when:    filterIs(matrix.FilterIgnored),
		text:    sentence("The artifactType filter is ignored; clients filter themselves, at the price of the whole list."),
	},
	{
		code:    "filter-misstated",
		meaning: "OCI-Filters-Applied came with a list that was not filtered.",
		remedy:  "Ask the vendor to leave the header out where the filter was not applied, and filter by artifact type on the client's side.",
		source:  listing,
		when:    filterIs(matrix.FilterMisstated),
		text: sentence("OCI-Filters-Applied says that the artifactType filter was applied, but other types are listed: " +
			"clients that trust the header, as oras does, take them for what they asked for."),
	},
	{
		code:    "filter-fails",
		meaning: "The filtered list leaves out what it was asked for, or is refused.",
		remedy:  "List without an artifact type and filter on the client's side, and ask the vendor to fix the filter.",
		source:  listing,
		when:    filterIs(matrix.FilterFails),
		text: sentence("A request with ?artifactType= is refused or leaves out the very type it asks for: clients that " +
			"filter find nothing."),
	},
	{
		code:    "contradicts-record",
		meaning: "The measurement differs from what is reported of this product and version.",
		remedy:  "Scan the registry from beside it, without the proxy, and compare.",
		source:  "the product table",
		when:    contradicts,
		text:    contradiction,
	},
}
