package inventory

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// decoder turns YAML nodes into an Inventory. It goes on after a fault, so
// that one run finds them all.
type decoder struct {
	faults
	dir      string
	env      func(string) (string, bool)
	inline   bool // a secret was written out in the file
	warnings []string
}

// field is one key of a mapping: set reads its value.
type field struct {
	key string
	set func(n *yaml.Node, path string)
}

// mapping reads the keys of n by fields. Unknown keys and keys that come
// twice are faults. It returns the nodes by key, nil if n is not a mapping.
func (d *decoder) mapping(n *yaml.Node, path string, fields []field) map[string]*yaml.Node {
	n = resolved(n)
	if n.Kind != yaml.MappingNode {
		d.add(n, path, "must be a mapping of keys, not %s", kindOf(n))
		return nil
	}
	seen := map[string]*yaml.Node{}
	for _, pair := range d.pairs(n, path) {
		key := pair[0].Value
		at := join(path, key)
		if _, twice := seen[key]; twice {
			d.add(pair[0], at, "duplicate key")
			continue
		}
		seen[key] = pair[1]
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == key })
		if i < 0 {
			d.add(pair[0], at, "unknown key%s", suggestion(key, fields))
			continue
		}
		fields[i].set(pair[1], at)
	}
	return seen
}

// pairs lists keys and values, those that a merge key (<<) brings included
// where the mapping does not have them itself.
func (d *decoder) pairs(n *yaml.Node, path string) [][2]*yaml.Node {
	var own, merged [][2]*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := resolved(n.Content[i]), n.Content[i+1]
		switch {
		case key.Tag == "!!merge":
			merged = append(merged, d.merged(value, path)...)
		case key.Kind != yaml.ScalarNode:
			d.add(key, path, "a key must be text")
		default:
			own = append(own, [2]*yaml.Node{key, value})
		}
	}
	have := map[string]bool{}
	for _, pair := range own {
		have[pair[0].Value] = true
	}
	for _, pair := range merged {
		if key := pair[0].Value; !have[key] {
			have[key] = true
			own = append(own, pair)
		}
	}
	return own
}

// merged reads the value of a merge key: a mapping, or a list of them.
func (d *decoder) merged(value *yaml.Node, path string) [][2]*yaml.Node {
	switch value = resolved(value); value.Kind {
	case yaml.MappingNode:
		return d.pairs(value, path)
	case yaml.SequenceNode:
		var out [][2]*yaml.Node
		for _, one := range value.Content {
			if one = resolved(one); one.Kind == yaml.MappingNode {
				out = append(out, d.pairs(one, path)...)
			}
		}
		return out
	}
	d.add(value, path, "<< takes a mapping")
	return nil
}

func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// join appends a key to a path, quoted where printing it could do harm.
func join(path, key string) string {
	if !isPrintable(key) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// sequence calls each with the items of a list and their paths.
func (d *decoder) sequence(n *yaml.Node, path string, each func(item *yaml.Node, path string)) {
	n = resolved(n)
	if n.Kind != yaml.SequenceNode {
		d.add(n, path, "must be a list, not %s", kindOf(n))
		return
	}
	for i, item := range n.Content {
		each(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// text reads a scalar with its variables expanded.
func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	n = resolved(n)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.add(n, path, "must be text, not %s", kindOf(n))
		return "", false
	}
	value, missing := expand(n.Value, d.env)
	if missing != "" {
		d.add(n, path, "%s", missing)
		return "", false
	}
	return value, true
}

// requiredText reads text that must be neither empty nor hold control characters.
func (d *decoder) requiredText(n *yaml.Node, path string) (string, bool) {
	value, ok := d.text(n, path)
	switch {
	case !ok:
		return "", false
	case strings.TrimSpace(value) == "":
		d.add(n, path, "must not be empty")
		return "", false
	case !isPrintable(value):
		d.add(n, path, "must not hold control characters")
		return "", false
	}
	return value, true
}

func (d *decoder) number(n *yaml.Node, path string, least, most float64, into *float64) {
	value, ok := d.text(n, path)
	if !ok {
		return
	}
	parsed, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || math.IsNaN(parsed) || math.IsInf(parsed, 0):
		d.add(n, path, "%q is not a number", value)
	case parsed < 0 && least == 0:
		d.add(n, path, "must not be negative")
	case parsed < least || parsed > most:
		d.add(n, path, "must be from %.0f to %.0f", least, most)
	default:
		*into = parsed
	}
}

func (d *decoder) integer(n *yaml.Node, path string, least, most int, into *int) {
	value, ok := d.text(n, path)
	if !ok {
		return
	}
	parsed, err := strconv.Atoi(value)
	switch {
	case err != nil:
		d.add(n, path, "%q is not a whole number", value)
	case parsed < 0 && least == 0:
		d.add(n, path, "must not be negative")
	case parsed < least || parsed > most:
		d.add(n, path, "must be from %d to %d", least, most)
	default:
		*into = parsed
	}
}

func (d *decoder) duration(n *yaml.Node, path string, least, most time.Duration, into *time.Duration) {
	value, ok := d.text(n, path)
	if !ok {
		return
	}
	parsed, err := time.ParseDuration(value)
	_, bare := strconv.ParseFloat(value, 64)
	switch {
	case bare == nil && value != "0":
		d.add(n, path, "%q has no unit: write %ss or %sms", value, value, value)
	case err != nil:
		d.add(n, path, "%q is not a duration: write 10s, 500ms or 1m30s", value)
	case parsed < least || parsed > most:
		d.add(n, path, "must be from %s to %s", least, most)
	default:
		*into = parsed
	}
}

func (d *decoder) boolean(n *yaml.Node, path string, into *bool) {
	value, ok := d.text(n, path)
	if !ok {
		return
	}
	switch value {
	case "true":
		*into = true
	case "false":
		*into = false
	default:
		d.add(n, path, "%q is neither true nor false", value)
	}
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return "a single value"
}

// misplaced are keys that are often written beside the mapping that they belong in.
var misplaced = []struct {
	under string
	keys  []string
}{
	{"auth", append([]string{"username", "realms"}, waysToSignIn...)},
	{"tls", []string{"caFile", "certFile", "keyFile", "insecureSkipVerify"}},
}

// suggestion names the known key that an unknown one was probably meant for.
func suggestion(key string, fields []field) string {
	for _, parent := range misplaced {
		isHere := func(f field) bool { return f.key == parent.under }
		if slices.Contains(parent.keys, key) && slices.ContainsFunc(fields, isHere) {
			return fmt.Sprintf(": write it under %s:", parent.under)
		}
	}
	best, least := "", 3
	for _, f := range fields {
		if n := distance(strings.ToLower(key), strings.ToLower(f.key)); n < least {
			best, least = f.key, n
		}
	}
	if best != "" {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
	}
	slices.Sort(known)
	return ": the keys here are " + strings.Join(known, ", ")
}

// distance counts the edits between two words (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
