package report

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable passes JSON on and writes what is not printable in its strings as
// escapes, C1 controls and bidirectional overrides included; to a JSON reader
// they are the same. Each Write has to hold whole characters, as those of a
// json.Encoder do.
type printable struct{ w io.Writer }

func (p printable) Write(b []byte) (int, error) {
	var out []byte
	from := 0
	for i := 0; i < len(b); {
		if b[i] < 0x7f { // JSON escapes the rest of ASCII, and blanks are its own
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if !unicode.IsPrint(r) {
			out = append(out, b[from:i]...)
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
			from = i + size
		}
		i += size
	}
	if from == 0 {
		return p.w.Write(b)
	}
	if _, err := p.w.Write(append(out, b[from:]...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// indentedJSON writes v as JSON for people and programs.
func indentedJSON[T any](w io.Writer, v T, _ Options) error {
	encoder := json.NewEncoder(printable{w})
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
