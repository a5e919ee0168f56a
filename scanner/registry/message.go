package registry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxMessage bounds a message, in bytes. A longer one is left out and not cut: what is left of
// a secret that is cut is not found any more.
const maxMessage = 4 << 10

// Message returns what an error body says to people: the message of a JSON error, the title of
// a web page, or plain text. It is raw and whole, and "" if it is missing or if it is over
// maxMessage.
func Message(body []byte) string {
	body = body[:min(len(body), MaxError)]
	var text string
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
	case trimmed[0] == '{', trimmed[0] == '[':
		text = messageOfJSON(body)
	case strings.HasPrefix(http.DetectContentType(body), "text/html"):
		text = titleOf(body)
	case utf8.Valid(body) && bytes.IndexByte(body, 0) < 0:
		text = string(body)
	}
	if len(text) > maxMessage {
		return ""
	}
	return text
}

// messageOfJSON returns the message of a JSON error: that of the first error that has one
// (distribution specification, "Error Codes"), or else of a key that other servers use.
func messageOfJSON(body []byte) string {
	var answer struct {
		Errors      errorMessage `json:"errors"`
		Message     message      `json:"message"`           // GitLab, Nexus
		Description message      `json:"error_description"` // RFC 6749, section 5.2
		Detail      message      `json:"detail"`            // RFC 9457, section 3.1.4
		Details     message      `json:"details"`           // Docker Hub's token service
		Title       message      `json:"title"`             // RFC 9457, section 3.1.3
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return string(cmp.Or(message(answer.Errors), answer.Message, answer.Description, answer.Detail, answer.Details, answer.Title))
}

// errorMessage is the first message of an array of errors.
type errorMessage message

// UnmarshalJSON reads the errors, maxCodes of them at the most. It never fails.
func (m *errorMessage) UnmarshalJSON(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if opening, err := dec.Token(); err != nil || opening != json.Delim('[') {
		return nil
	}
	for n := 0; n < maxCodes && dec.More() && *m == ""; n++ {
		var one struct {
			Message message `json:"message"`
		}
		if dec.Decode(&one) != nil {
			return nil
		}
		*m = errorMessage(one.Message)
	}
	return nil
}

// message is a text of a JSON error, "" for a value that is not a string.
type message string

// UnmarshalJSON reads a string. It never fails.
func (m *message) UnmarshalJSON(raw []byte) error {
	var text string
	if raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		*m = message(text)
	}
	return nil
}

// titles are the elements of a web page that say what it is, the best first.
var titles = []*regexp.Regexp{
	regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title\s*>`),
	regexp.MustCompile(`(?is)<h1[^>]*>(.*?)</h1\s*>`),
}

var htmlTag = regexp.MustCompile(`<[^>]*>`)

// titleOf returns the title of a web page, or its first heading.
func titleOf(page []byte) string {
	for _, element := range titles {
		found := element.FindSubmatch(page)
		if found == nil {
			continue
		}
		if text := html.UnescapeString(string(htmlTag.ReplaceAll(found[1], nil))); strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}
