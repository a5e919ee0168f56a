package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Bounds on an inventory: what a person writes or a tool generates for
// thousands of registries stays far below them, an alias bomb does not.
const (
	maxSize  = 16 << 20  // bytes
	maxNodes = 1_000_000 // YAML nodes, aliases counted as what they stand for
	maxDepth = 32
)

// Load reads the inventory at path. env looks up variables, as os.LookupEnv
// does. The error is Faults, or says why the file cannot be read.
func Load(path string, env func(string) (string, bool)) (*Inventory, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: write an inventory, draft one with refmatrix init, or name it with -i", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", path, errors.Unwrap(err))
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: cannot be read: %w", path, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s: is a directory: name the inventory file in it", path)
	case info.Size() > maxSize:
		return nil, tooLarge(path)
	}
	inv, err := Parse(file, path, filepath.Dir(path), env)
	if err == nil && info.Mode().Perm()&0o077 != 0 && inv.inline {
		inv.Warnings = append(inv.Warnings, fmt.Sprintf("%s holds a secret and can be read by others (mode %04o): "+
			"chmod 600 it, or write ${NAME} or passwordFile", path, info.Mode().Perm()))
	}
	return inv, err
}

func tooLarge(name string) error {
	return fmt.Errorf("%s: is over 16 MiB: split the inventory", name)
}

// Parse reads an inventory from r. name stands in messages, relative files are
// looked for in dir.
func Parse(r io.Reader, name, dir string, env func(string) (string, bool)) (*Inventory, error) {
	inv, d, err := decode(r, name, dir, env)
	if err != nil {
		return nil, err
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return inv, nil
}

// Names returns the names of an inventory's registries in its order. Only they
// have to be valid: a merge runs where no secret and no CA file is, so all other
// faults are ignored. The error says that it is not YAML.
func Names(r io.Reader, name string, env func(string) (string, bool)) ([]string, error) {
	inv, _, err := decode(r, name, ".", env)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, registry := range inv.Registries {
		if registry.Name != "" {
			names = append(names, registry.Name)
		}
	}
	return names, nil
}

// decode reads an inventory as far as its faults let it. The decoder holds the
// faults.
func decode(r io.Reader, name, dir string, env func(string) (string, bool)) (*Inventory, *decoder, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: cannot be read: %w", name, err)
	case len(text) > maxSize:
		return nil, nil, tooLarge(name)
	case bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text):
		return nil, nil, fmt.Errorf("%s: is not text: an inventory is YAML in UTF-8", name)
	}
	root, err := parseYAML(text, name)
	if err != nil {
		return nil, nil, err
	}
	if err := bounded(root, name); err != nil {
		return nil, nil, err
	}
	d := &decoder{faults: faults{file: name}, dir: dir, env: env}
	inv := d.inventory(root)
	inv.Path = name
	return inv, d, nil
}

// limits are of a document as it is written, and then with its aliases followed, so that
// a fault says what is there.
var limits = []struct {
	follow  bool
	tooMany string
	tooDeep string
}{
	{
		tooMany: "holds more than %d values: split the inventory",
		tooDeep: "is nested more than %d levels deep",
	},
	{
		follow:  true,
		tooMany: "its aliases unfold into more than %d values: write out what is needed",
		tooDeep: "its aliases are nested more than %d levels deep, or hold themselves",
	},
}

// bounded refuses a document that holds or unfolds into more than anybody writes.
func bounded(root *yaml.Node, name string) error {
	for _, limit := range limits {
		nodes := 0
		var walk func(n *yaml.Node, depth int) error
		walk = func(n *yaml.Node, depth int) error {
			if nodes++; nodes > maxNodes {
				return Faults{{name, n.Line, "", fmt.Sprintf(limit.tooMany, maxNodes)}}
			}
			if depth > maxDepth {
				return Faults{{name, n.Line, "", fmt.Sprintf(limit.tooDeep, maxDepth)}}
			}
			if n.Kind == yaml.AliasNode && limit.follow {
				return walk(n.Alias, depth+1)
			}
			for _, child := range n.Content {
				if err := walk(child, depth+1); err != nil {
					return err
				}
			}
			return nil
		}
		if err := walk(root, 0); err != nil {
			return err
		}
	}
	return nil
}
