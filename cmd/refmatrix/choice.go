package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// choice is the value of a flag that takes one of a fixed list of values, or
// several with commas between them. A value that is not on the list is refused
// here, with the same error for every flag, and the shell completes the others.
type choice[T any] struct {
	value T

	flag    string
	text    string                      // as it was given
	isGiven bool                        // on the command line
	allowed []string                    // what errors and completions list
	parse   func(text string) (T, bool) // it may know aliases, which are not listed
	several bool
	alone   string // of several: the value that goes with no other
	adds    string // of several: what may stand before the first, to add to the standard value
}

// oneOf is the choice of one of the values allowed.
func oneOf[T ~string](allowed ...T) choice[T] {
	var c choice[T]
	for _, word := range allowed {
		c.allowed = append(c.allowed, string(word))
	}
	c.parse = func(text string) (T, bool) { return T(text), slices.Contains(allowed, T(text)) }
	return c
}

// oneFormat is the choice of one of the formats.
func oneFormat[T any](formats report.Formats[T]) choice[report.Format[T]] {
	return choice[report.Format[T]]{
		allowed: formats.Names(),
		parse:   formats.Find,
	}
}

// matrixFormats is the choice of several formats of a matrix.
func matrixFormats() choice[[]matrixFormat] {
	return choice[[]matrixFormat]{
		allowed: append(report.Matrices.Names(), "all"),
		several: true,
		parse:   report.Matrices.Parse,
	}
}

// matrixFormat is a format that a matrix is rendered in.
type matrixFormat = report.Format[*matrix.Matrix]

// addFlag adds the flag to cmd, with the value that it has if it is not given.
func (c *choice[T]) addFlag(cmd *cobra.Command, name, shorthand, standard, help string) {
	c.flag = name
	err := c.Set(standard)
	c.isGiven = false
	cmd.Flags().VarP(c, name, shorthand, help)
	if err = errors.Join(err, cmd.RegisterFlagCompletionFunc(name, c.complete)); err != nil {
		panic(err) // a mistake in this program
	}
}

// Set implements pflag.Value.
func (c *choice[T]) Set(text string) error {
	value, ok := c.parse(text)
	if !ok {
		return usage("--%s %q: choose %s%s", c.flag, c.unknown(text), c.list(), c.rules())
	}
	c.value, c.text, c.isGiven = value, text, true
	return nil
}

// given is the value on the command line, the zero value if the flag is not there.
func (c *choice[T]) given() T {
	if !c.isGiven {
		return *new(T)
	}
	return c.value
}

// rules is what an error adds to the list of values.
func (c *choice[T]) rules() string {
	if c.alone == "" {
		return ""
	}
	return fmt.Sprintf("; %s before the first adds to the default, %s stands alone", c.adds, c.alone)
}

// unknown is the value in text that is not a choice.
func (c *choice[T]) unknown(text string) string {
	if !c.several {
		return text
	}
	for word := range strings.SplitSeq(text, ",") {
		if _, ok := c.parse(word); !ok {
			return strings.TrimSpace(word)
		}
	}
	return text
}

// list is what there is to choose, as a sentence has it: "text, markdown or
// json".
func (c *choice[T]) list() string {
	last := len(c.allowed) - 1
	if last == 0 {
		return c.allowed[0]
	}
	return strings.Join(c.allowed[:last], ", ") + " or " + c.allowed[last]
}

// String implements pflag.Value.
func (c *choice[T]) String() string { return c.text }

// Type implements pflag.Value.
func (c *choice[T]) Type() string { return "string" }

// complete lists what the shell can offer for text: after a comma, the values that
// do not stand before it.
func (c *choice[T]) complete(_ *cobra.Command, _ []string, text string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	if !c.several {
		return c.allowed, directive
	}
	before := text[:strings.LastIndexByte(text, ',')+1]
	if before == "" && c.adds != "" && strings.HasPrefix(text, c.adds) {
		before = c.adds
	}
	given := strings.Split(strings.TrimPrefix(before, c.adds), ",")
	var out []cobra.Completion
	for _, word := range c.allowed {
		if !slices.Contains(given, word) && (before == "" || word != c.alone) {
			out = append(out, before+word)
		}
	}
	return out, directive | cobra.ShellCompDirectiveNoSpace
}

// cleanFlagError is an error of a flag without what pflag puts before the
// errors of choices, which name their flag themselves.
func cleanFlagError(_ *cobra.Command, err error) error {
	if refused := (*failure)(nil); errors.As(err, &refused) {
		return refused
	}
	return err
}
