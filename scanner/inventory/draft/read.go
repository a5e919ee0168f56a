package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
	"gopkg.in/yaml.v3"
)

// maxInput bounds one input, in bytes: a pod list of a large cluster fits.
const maxInput = 256 << 20

// kinds are what an input can be; the first that takes its content reads it.
// JSON comes before YAML, which it is too, for its parser is many times faster,
// and pod lists are long.
var kinds = []struct {
	takes func(content []byte) bool
	read  func(d *Draft, content []byte, name string) error
}{
	{isJSON, (*Draft).addJSON},
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
	content, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if len(content) > maxInput {
		return fmt.Errorf("%s is over %d MiB: split it", name, maxInput>>20)
	}
	if bytes.IndexByte(content, 0) >= 0 {
		return fmt.Errorf("%s is binary: give text, YAML or JSON", name)
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	for _, kind := range kinds {
		if kind.takes(content) {
			return kind.read(d, content, name)
		}
	}
	return nil
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

// header returns the columns of a table of images and the line below them, nil
// if the first line with words is not such a header.
func header(all []string) (names []string, below int) {
	for i, line := range all {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		for _, names := range columns {
			if len(words) >= len(names) && strings.Join(words[:len(names)], " ") == strings.Join(names, " ") {
				return names, i + 1
			}
		}
		break
	}
	return nil, 0
}

func isTable(content []byte) bool {
	names, _ := header(lines(content[:min(len(content), 4<<10)]))
	return names != nil
}

// addTable reads the columns that name images, and skips those without a name
// (<none>).
func (d *Draft) addTable(content []byte, name string) error {
	all := lines(content)
	names, below := header(all)
	for n, line := range all[below:] {
		words := strings.Fields(line)
		if len(words) < len(names) {
			continue
		}
		text := strings.Join(words[:len(names)], ":")
		if !strings.Contains(text, "<none>") {
			d.addSeveral(text, fmt.Sprintf("%s:%d", name, below+n+1))
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

func (d *Draft) addList(content []byte, name string) error {
	for n, line := range lines(content) {
		d.addSeveral(line, fmt.Sprintf("%s:%d", name, n+1))
	}
	return nil
}

// addSeveral notes references with spaces or commas between them.
func (d *Draft) addSeveral(text, place string) {
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		d.add(one, place)
	}
}

// isJSON reports whether content is objects or arrays, one after another.
func isJSON(content []byte) bool {
	content = bytes.TrimSpace(content)
	ignore := func(json.RawMessage) error { return nil }
	return len(content) > 0 && (content[0] == '{' || content[0] == '[') && eachJSON(content, ignore) == nil
}

func eachJSON(content []byte, visit func(json.RawMessage) error) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	for {
		var document json.RawMessage
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = visit(document)
		}
		if err != nil {
			return err
		}
	}
}

func (d *Draft) addJSON(content []byte, name string) error {
	return eachJSON(content, func(raw json.RawMessage) error {
		var document any
		if err := json.Unmarshal(raw, &document); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if list, ok := document.([]any); ok {
			for _, item := range list {
				if text, ok := item.(string); ok {
					d.add(text, name)
				}
			}
		}
		d.walkJSON(document, name)
		return nil
	})
}

func (d *Draft) walkJSON(node any, name string) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			text, isText := value.(string)
			switch {
			case key == "status": // what runs was named in spec already
			case isImageKey(key) && isText:
				d.add(text, name)
			default:
				d.walkJSON(value, name)
			}
		}
	case []any:
		for _, item := range node {
			d.walkJSON(item, name)
		}
	}
}

// isImageKey knows the key of Kubernetes and compose, and that of docker ps.
func isImageKey(key string) bool { return key == "image" || key == "Image" }

func (d *Draft) addYAML(content []byte, name string) error {
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
