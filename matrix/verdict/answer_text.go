package verdict

import (
	"fmt"
	"net/http"
	"strings"

	"refmatrix/matrix"
)

// refusedOrIrrelevant returns refusal for a status of 400 and over. Others, such as
// 201, 204, 206 and 304, refuse nothing and answer nothing.
func (a *Answer) refusedOrIrrelevant(refusal string) string {
	if a.Status < http.StatusBadRequest {
		return "that does not answer the request"
	}
	return refusal
}

// listedText counts what the list holds: all of it if every page was read, else
// what its first page has.
func listedText(s *shown) string {
	switch total := s.Capabilities.Descriptors; {
	case s.Referrers.Bound > 0 && s.Referrers.Index.Total == 0:
		return "more than refmatrix reads"
	case total != nil:
		return matrix.Quantity(*total, "descriptor")
	case s.Referrers.Next, s.Referrers.Bound > 0:
		return "at least " + matrix.Quantity(s.Referrers.Index.Total, "descriptor")
	}
	return matrix.Quantity(s.Referrers.Index.Total, "descriptor")
}

// pagesText describes what is behind an empty first page.
func pagesText(s *shown) string {
	if total := s.Capabilities.Descriptors; total != nil {
		return "its pages list " + matrix.Quantity(*total, "descriptor")
	}
	return "what the other pages list was not read"
}

var bodyText = map[BodyKind]string{
	BodyEmpty:    "empty",
	BodyIndex:    "an OCI index",
	BodyManifest: "another kind of manifest",
	BodyJSON:     "other JSON",
	BodyHTML:     "a web page",
	BodyText:     "plain text",
	BodyBinary:   "binary data",
	"":           "unread",
}

// Text returns what a body of the kind is, for sentences.
func (k BodyKind) Text() string { return bodyText[k] }

// answerText describes an answer: status, media type, error codes, and the registry's own
// words in quotes. Those of a 404 say no more than its status.
func answerText(a *Answer) string {
	text := fmt.Sprintf("HTTP %d", a.Status)
	if a.ContentType != "" {
		text += " " + matrix.BareMediaType(a.ContentType)
	}
	if len(a.Codes) > 0 {
		text += " (" + strings.Join(a.Codes, ", ") + ")"
	}
	if a.Message != "" && a.Status != http.StatusNotFound {
		text += ` "` + a.Message + `"`
	}
	return text
}

// titledText is answerText with the title of a web page, under every status.
func titledText(a *Answer) string {
	text := answerText(a)
	if a.Message != "" && a.Body == BodyHTML && a.Status == http.StatusNotFound { // which answerText does not quote
		text += ` "` + a.Message + `"`
	}
	return text
}

// quotedIn returns the registry's own words if detail quotes them, else "".
func (s *shown) quotedIn(detail string) string {
	if message := s.decisive().Message; message != "" && strings.Contains(detail, `"`+message+`"`) {
		return message
	}
	return ""
}

func typeText(contentType string) string {
	if contentType == "" {
		return "no media type at all"
	}
	return matrix.BareMediaType(contentType)
}
