package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// parseYAML returns the one document of text.
func parseYAML(text []byte, name string) (*yaml.Node, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if separators(text) > maxNodes {
		return nil, Faults{{name, 0, "", fmt.Sprintf("holds more than %d lines and values: split the inventory", maxNodes)}}
	}
	reader := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := reader.Decode(&document); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty: an inventory has the keys version and registries", name)
	} else if err != nil {
		return nil, syntaxFault(err, text, name)
	}
	var more yaml.Node
	if err := reader.Decode(&more); err == nil {
		return nil, Faults{{name, more.Line, "", "a second document begins here: an inventory is one"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxFault(err, text, name)
	}
	return document.Content[0], nil
}

// separators counts what stands between values, before they cost memory: a text
// of values alone takes sixty times its size once parsed.
func separators(text []byte) int {
	n := 0
	for _, separator := range []string{"\n", ",", "[", "{"} {
		n += bytes.Count(text, []byte(separator))
	}
	return n
}

// libraryLine is the line in the YAML library's messages, if any. It is where
// the block around the fault begins, or one before, or missing.
var libraryLine = regexp.MustCompile(`^yaml: (line \d+: )?`)

// messageOf is an error of the YAML library without its name, its line, and
// the word behind a * that it repeats: a secret that was not quoted may begin
// with one.
func messageOf(err error) string {
	message := libraryLine.ReplaceAllString(err.Error(), "")
	if strings.HasPrefix(message, "unknown anchor") {
		return "a value that begins with * names no anchor: quote it"
	}
	return message
}

// tabIndent is a line that is indented with a tab, which YAML does not allow.
var tabIndent = regexp.MustCompile(`(?m)^ *\t`)

// syntaxFault is err, of text, with its line.
func syntaxFault(err error, text []byte, name string) error {
	message := messageOf(err)
	first, last := locate(text, message)
	lines := bytes.Split(text, []byte("\n"))
	at := bytes.Join(lines[min(first, len(lines))-1:min(last, len(lines))], []byte("\n"))
	switch {
	case bytes.Contains(at, []byte("${")):
		message += `: quote a value that holds ${...}`
	case tabIndent.Match(at):
		message += ": indent with spaces, not with tabs"
	}
	return Faults{{name, first, "", "is not YAML: " + message}}
}

// Bounds on the search for the line of a fault: how many lines a parser can
// have read past it, and the size of what is parsed once for each of them.
const (
	maxLookahead = 20
	maxSearched  = 1 << 20
)

// locate finds the line, from 1, where text first fails with message, and the
// last line that the parser read for it. A parser that is handed line by line
// fails in the line it was handed last, or a few before where it had to look
// ahead: then the text up to those lines fails in the same way.
func locate(text []byte, message string) (first, last int) {
	last = 1
	if _, n := fails(text); n > 0 {
		last = n
	}
	first = last
	ends := lineEnds(text)
	for first > 1 && last-first < maxLookahead && len(text) <= maxSearched {
		if before, _ := fails(text[:ends[first-2]]); before != message {
			return first, last
		}
		first--
	}
	if first == 1 {
		return first, last
	}
	return last, last // a long flow collection: nearer to its end than to its beginning
}

// lineEnds returns the offset behind each line of text.
func lineEnds(text []byte) []int {
	var ends []int
	for i, c := range text {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	return append(ends, len(text))
}

// fails parses text and returns the message of what is wrong with it, "" if
// nothing is, and how many lines were read until then.
func fails(text []byte) (message string, read int) {
	lines := &lineReader{rest: text}
	decoder := yaml.NewDecoder(lines)
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		switch {
		case errors.Is(err, io.EOF):
			return "", lines.read
		case err != nil:
			return messageOf(err), lines.read
		}
	}
}

// lineReader hands a text out line by line.
type lineReader struct {
	rest []byte
	read int // lines begun
	open bool
}

// Read implements io.Reader.
func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		return 0, io.EOF
	}
	if !l.open {
		l.read++
	}
	n := bytes.IndexByte(l.rest, '\n') + 1
	l.open = n == 0 || n > len(p)
	if l.open {
		n = min(len(l.rest), len(p))
	}
	copy(p, l.rest[:n])
	l.rest = l.rest[n:]
	return n, nil
}
