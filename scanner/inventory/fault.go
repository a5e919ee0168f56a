package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Fault is one thing wrong in an inventory.
type Fault struct {
	File    string
	Line    int    // 0 if the fault is of the whole file
	Path    string // the key: "registries[3].rate"; empty for the whole file
	Message string // what is wrong, and the fix if it is not plain; never a secret
}

// Error returns file:line: key: message.
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	b.WriteString(": ")
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults is every fault of an inventory, in the order of its lines.
type Faults []Fault

// Error returns the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds what is listed of a file that is wrong all over.
const maxFaults = 200

// faults gathers what goes wrong while one file is read.
type faults struct {
	file string
	list Faults
	more int // found beyond maxFaults
}

func (f *faults) add(at *yaml.Node, path, format string, args ...any) {
	line := 0
	if at != nil {
		line = at.Line
	}
	if len(f.list) == maxFaults {
		f.more++
		return
	}
	f.list = append(f.list, Fault{f.file, line, path, fmt.Sprintf(format, args...)})
}

// err returns the faults in the order of their lines, nil if there are none.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	if f.more > 0 {
		return append(f.list, Fault{f.file, 0, "", fmt.Sprintf("%d more faults are not listed: fix these first", f.more)})
	}
	return f.list
}
