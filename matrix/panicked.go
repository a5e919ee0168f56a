package matrix

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Panicked is the error that is made of a panic, which is a bug of refmatrix.
type Panicked struct {
	cause string
	stack []byte
}

// FromPanic returns what recover returned as an error, and nil if there was no panic.
// It is called in the deferred function that calls recover, so that the stack is
// that of the panic.
//
// A panic's value may hold what a registry sent, secrets with it. Only what the
// runtime itself says is repeated, which is types and numbers; of any other value
// it is the type.
func FromPanic(value any) error {
	if value == nil {
		return nil
	}
	p := &Panicked{cause: fmt.Sprintf("panic with a %T", value), stack: debug.Stack()}
	if fault, ok := value.(runtime.Error); ok {
		p.cause = fault.Error()
	}
	return p
}

// Error implements error, in one line.
func (p *Panicked) Error() string {
	return "internal error: " + p.cause + ": this is a bug of refmatrix, please report it with the lines below"
}

// Stack returns where it happened: functions, files and lines, without values.
func (p *Panicked) Stack() string { return string(p.stack) }
