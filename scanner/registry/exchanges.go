package registry

import "refmatrix/matrix"

// exchanges are those of one row. What makes the row larger than matrix.MaxRow is left
// out at once, in the order of matrix.Row.Bound, because many rows wait at the same time.
type exchanges struct {
	all     []matrix.Exchange
	size    int  // bytes of text in them, less than they are in JSON
	headers bool // headers are left out
	full    bool // no more exchanges are kept whole
	omitted matrix.Omitted
}

// add appends one exchange, or as much of it as is kept.
func (e *exchanges) add(x matrix.Exchange) {
	if e.headers {
		e.leaveOutHeaders(&x)
	}
	n := textOf(&x)
	platform := x.Step == matrix.PlatformStep && e.size+n > maxPlatformText
	if e.size+n > matrix.MaxRow && !e.headers && !platform {
		e.headers, e.size = true, 0
		for i := range e.all {
			e.leaveOutHeaders(&e.all[i])
			e.size += textOf(&e.all[i])
		}
		e.leaveOutHeaders(&x)
		n = textOf(&x)
	}
	e.full = e.full || !platform && e.size+n > matrix.MaxRow
	if e.full || platform {
		x = matrix.Exchange{Step: x.Step, Method: x.Method, Status: x.Status}
		e.omitted.Exchanges++
	} else {
		e.size += n
	}
	e.all = append(e.all, x)
}

// maxPlatformText is how many bytes of text a row may have before the exchanges of single
// platforms are left out: a half, so that the others and their headers stay.
const maxPlatformText = matrix.MaxRow / 2

func (e *exchanges) leaveOutHeaders(x *matrix.Exchange) {
	e.omitted.Headers += len(x.Headers)
	x.Headers = nil
}

// recorded returns the exchanges that are whole, without the others in memory, and what
// was left out.
func (e *exchanges) recorded() ([]matrix.Exchange, matrix.Omitted) {
	if e.omitted.Exchanges == 0 {
		return e.all, e.omitted
	}
	kept := make([]matrix.Exchange, 0, len(e.all)-e.omitted.Exchanges)
	for i := range e.all {
		if e.all[i].URL != "" { // which every exchange has that is whole
			kept = append(kept, e.all[i])
		}
	}
	return kept, e.omitted
}

// textOf returns the bytes of the text of x.
func textOf(x *matrix.Exchange) int {
	n := len(x.Step) + len(x.Method) + len(x.URL) + len(x.Accept) + len(x.Scope) + len(x.ContentType) + len(x.Error) + len(x.Body)
	for name, value := range x.Headers {
		n += len(name) + len(value)
	}
	return n
}
