package registry

import (
	"slices"

	"refmatrix/matrix"
)

// exchanges are those of one row. What makes the row larger than matrix.MaxRow is left
// out at once, in the order of matrix.Row.Bound, because many rows wait at the same time.
type exchanges struct {
	all     []matrix.Exchange
	size    int  // bytes of text in them, less than they are in JSON
	headers bool // headers are left out
	whole   int  // exchanges before the first that has step, method and status only
	omitted matrix.Omitted
}

// add appends one exchange, or as much of it as is kept.
func (e *exchanges) add(x matrix.Exchange) {
	if e.headers {
		e.leaveOutHeaders(&x)
	}
	n := textOf(&x)
	if e.size+n > matrix.MaxRow && !e.headers {
		e.headers, e.size = true, 0
		for i := range e.all {
			e.leaveOutHeaders(&e.all[i])
			e.size += textOf(&e.all[i])
		}
		e.leaveOutHeaders(&x)
		n = textOf(&x)
	}
	if e.whole < len(e.all) || e.size+n > matrix.MaxRow {
		x = matrix.Exchange{Step: x.Step, Method: x.Method, Status: x.Status}
		e.omitted.Exchanges++
	} else {
		e.size += n
		e.whole++
	}
	e.all = append(e.all, x)
}

func (e *exchanges) leaveOutHeaders(x *matrix.Exchange) {
	e.omitted.Headers += len(x.Headers)
	x.Headers = nil
}

// recorded returns the exchanges that are whole, without the others in memory, and what
// was left out.
func (e *exchanges) recorded() ([]matrix.Exchange, matrix.Omitted) {
	if e.whole == len(e.all) {
		return e.all, e.omitted
	}
	return slices.Clone(e.all[:e.whole]), e.omitted
}

// textOf returns the bytes of the text of x.
func textOf(x *matrix.Exchange) int {
	n := len(x.Step) + len(x.Method) + len(x.URL) + len(x.Accept) + len(x.Scope) + len(x.ContentType) + len(x.Error) + len(x.Body)
	for name, value := range x.Headers {
		n += len(name) + len(value)
	}
	return n
}
