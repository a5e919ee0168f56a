package draft

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/distribution/reference"
	"gopkg.in/yaml.v3"
)

// Bounds on one input, in bytes. JSON is not held in memory, so that the pods of a large
// cluster fit; YAML takes some fifty times its size.
const (
	maxJSON = 4 << 30
	maxText = 256 << 20
	maxYAML = 32 << 20
)

// kinds are what a text can be, if it is not JSON; the first that takes its content reads
// it.
var kinds = []struct {
	takes func(content []byte) bool
	read  func(d *Draft, content []byte, name string) error
}{
	{isTable, (*Draft).addTable},
	{isList, (*Draft).addList},
	{func([]byte) bool { return true }, (*Draft).addYAML},
}

// Add reads one input, whose kind its content shows: JSON or YAML
// (kubectl get -o json, manifests, rendered Helm charts, compose files), of
// which every value of an image key counts, a JSON array of references, what
// docker images prints, or one reference a line. name stands in errors and in
// Skipped.
func (d *Draft) Add(r io.Reader, name string) error {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // it was peeked at
	}
	begin, _ := in.Peek(in.Size())
	if begin = bytes.TrimSpace(begin); len(begin) == 0 || begin[0] != '{' && begin[0] != '[' {
		return d.addText(in, name)
	}
	start := &startKept{r: in}
	images, err := jsonImages(start)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) && !start.over(): // YAML may begin so too
		return d.addText(io.MultiReader(bytes.NewReader(start.kept), in), name)
	case err != nil:
		return fmt.Errorf("read %s as JSON: %w", name, err)
	}
	for _, image := range images {
		d.add(image, name)
	}
	return nil
}

const byteOrderMark = "\ufeff"

// addText reads what is not JSON.
func (d *Draft) addText(r io.Reader, name string) error {
	content, err := readText(r, name, maxText)
	if err != nil {
		return err
	}
	if bytes.IndexByte(content, 0) >= 0 {
		return fmt.Errorf("%s is binary: give text, YAML or JSON", name)
	}
	for _, kind := range kinds {
		if kind.takes(content) {
			return kind.read(d, content, name)
		}
	}
	return nil
}

// readText reads at most the given number of bytes. More is an error.
func readText(r io.Reader, name string, most int) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(content) > most {
		return nil, fmt.Errorf("%s is over %d MiB: split it", name, most>>20)
	}
	return content, nil
}

// lines returns each line without its comment.
func lines(content []byte) []string {
	all := strings.Split(string(content), "\n")
	for i, line := range all {
		line, _, _ = strings.Cut(line, "#")
		all[i] = strings.TrimSpace(line)
	}
	return all
}

// columns are the headers of the tables that docker, podman, nerdctl and crictl
// print of their images.
var columns = [][]string{{"REPOSITORY", "TAG"}, {"IMAGE", "TAG"}, {"IMAGE"}}

// maxPreamble is how many lines may stand before a header: the legend of docker images,
// or what a person wrote above it.
const maxPreamble = 10

// header returns the columns of a table of images and the line below them, nil
// if none of the first lines is such a header.
func header(all []string) (names []string, below int) {
	for i, line := range all[:min(len(all), maxPreamble)] {
		words := strings.Fields(line)
		for _, names := range columns {
			if len(words) >= len(names) && slices.Equal(words[:len(names)], names) {
				return names, i + 1
			}
		}
	}
	return nil, 0
}

func isTable(content []byte) bool {
	names, _ := header(lines(content[:min(len(content), 4<<10)]))
	return names != nil
}

// notACell are characters of what docker prints in place of a name (<none>, <untagged>)
// and of the lines of a tree. No reference has one of them.
const notACell = "<>├└│"

// addTable reads the columns that name images, and skips those without a name.
func (d *Draft) addTable(content []byte, name string) error {
	all := lines(content)
	names, below := header(all)
	for n, line := range all[below:] {
		words := strings.Fields(line)
		if len(words) < len(names) {
			continue
		}
		if text := strings.Join(words[:len(names)], ":"); !strings.ContainsAny(text, notACell) {
			for _, one := range split(text) {
				d.add(one, fmt.Sprintf("%s:%d", name, below+n+1))
			}
		}
	}
	return nil
}

// isList reports whether no line of content has the look of YAML: a key or a
// list item.
func isList(content []byte) bool {
	for _, line := range lines(content) {
		if strings.HasSuffix(line, ":") || strings.Contains(line, ": ") || strings.HasPrefix(line, "- ") || line == "---" {
			return false
		}
	}
	return true
}

// addList reads references with line ends, spaces or commas between them. It refuses a
// text of which most words are not references.
func (d *Draft) addList(content []byte, name string) error {
	all := lines(content)
	words, references, firstOther := 0, 0, 0
	for n, line := range all {
		found := split(line)
		for _, word := range found {
			words++
			if d.isReference(word, len(found) == 1) {
				references++
			} else if firstOther == 0 {
				firstOther = n + 1
			}
		}
	}
	if others := words - references; others > references {
		return fmt.Errorf("%s is not a list of images: %d of its %d words are not image references, the first on line %d: "+
			"write one reference a line", name, others, words, firstOther)
	}
	for n, line := range all {
		for _, word := range split(line) {
			d.add(word, fmt.Sprintf("%s:%d", name, n+1))
		}
	}
	return nil
}

// isReference reports whether a word of a list is a reference and not a word of a
// sentence. A name without tag, digest and path has to stand alone on its line.
func (d *Draft) isReference(word string, alone bool) bool {
	return d.parse(word).registry != "" && (alone || strings.ContainsAny(word, "/:@"))
}

// counted is a line of uniq -c.
var counted = regexp.MustCompile(`^[0-9]+\s+(\S+)$`)

// split returns the words of a line: references with spaces or commas between them.
func split(line string) []string {
	if found := counted.FindStringSubmatch(line); found != nil {
		line = found[1]
	}
	return strings.FieldsFunc(line, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// isImageKey knows the key of Kubernetes and compose, and that of docker ps.
func isImageKey(key string) bool { return key == "image" || key == "Image" }

func (d *Draft) addYAML(content []byte, name string) error {
	if len(content) > maxYAML {
		return fmt.Errorf("%s is over %d MiB of YAML: write it as JSON, which takes less memory (kubectl get -o json), or split it",
			name, maxYAML>>20)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s is neither YAML nor a list of images: %w", name, err)
		}
		d.walkYAML(&document, name)
	}
}

// walkYAML visits each node once. It skips an alias, because its anchor was
// visited: no document unfolds.
func (d *Draft) walkYAML(node *yaml.Node, name string) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			switch {
			case key.Value == "status":
			case isImageKey(key.Value) && value.Kind == yaml.ScalarNode:
				d.add(value.Value, fmt.Sprintf("%s:%d", name, value.Line))
			default:
				d.walkYAML(value, name)
			}
		}
	case yaml.SequenceNode, yaml.DocumentNode:
		for _, item := range node.Content {
			if item.Kind == yaml.ScalarNode && node.Kind == yaml.SequenceNode && strings.ContainsAny(item.Value, "/:") {
				// A bare list of references, as - registry/app:1.
				if _, err := reference.ParseNormalizedNamed(item.Value); err == nil && isTopLevel(item) {
					d.add(item.Value, fmt.Sprintf("%s:%d", name, item.Line))
				}
				continue
			}
			d.walkYAML(item, name)
		}
	}
}

// isTopLevel reports whether an item stands in a list that is the document.
func isTopLevel(item *yaml.Node) bool { return item.Column <= 3 }
