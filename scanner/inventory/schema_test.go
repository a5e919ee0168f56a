package inventory_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/credential"
)

// node is as much of a JSON Schema as names keys.
type node struct {
	Ref        string           `json:"$ref"`
	Properties map[string]*node `json:"properties"`
	Items      *node            `json:"items"`
	Defs       map[string]*node `json:"$defs"`
}

// keys lists the schema's keys as dotted paths. What defaults share with a
// registry is listed once, at the registry.
func (n *node) keys(root *node, prefix string) []string {
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		return root.Defs[name].keys(root, prefix)
	}
	var out []string
	for key, child := range n.Properties {
		path := strings.TrimPrefix(prefix+"."+key, ".")
		out = append(out, path)
		if strings.HasPrefix(path, "defaults.") {
			continue
		}
		if child.Items != nil {
			out = append(out, child.Items.keys(root, path+"[]")...)
		}
		out = append(out, child.keys(root, path)...)
	}
	return out
}

// TestSchemaAgrees: the decoder and the schema know the same keys.
func TestSchemaAgrees(t *testing.T) {
	var root node
	if err := json.Unmarshal(inventory.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	got, want := root.keys(&root, ""), inventory.Fields()
	sort.Strings(got)
	sort.Strings(want)
	if diff := cmp.Diff(slices.Compact(want), slices.Compact(got)); diff != "" {
		t.Errorf("decoder (-) and schema (+) differ:\n%s", diff)
	}
}

// TestSchemaHelper: the decoder and the schema have one grammar of helper names.
func TestSchemaHelper(t *testing.T) {
	var root struct {
		Defs map[string]struct {
			Properties map[string]struct{ Pattern string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(inventory.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	const orVariable = `|\$\{` // what a variable holds is seen by the decoder only
	if got, want := root.Defs["auth"].Properties["helper"].Pattern, credential.HelperPattern+orVariable; got != want {
		t.Errorf("the schema has %s, the decoder %s", got, want)
	}
}

// TestSchemaDescribes: an editor has something to show for every key.
func TestSchemaDescribes(t *testing.T) {
	var walk func(at string, value any)
	walk = func(at string, value any) {
		object, _ := value.(map[string]any)
		properties, _ := object["properties"].(map[string]any)
		for key, child := range properties {
			property, _ := child.(map[string]any)
			if property["description"] == nil && property["$ref"] == nil {
				t.Errorf("%s.%s has no description", at, key)
			}
		}
		for key, child := range object {
			walk(at+"."+key, child)
		}
	}
	var root map[string]any
	if err := json.Unmarshal(inventory.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	walk("", root)
	for name, def := range root["$defs"].(map[string]any) {
		if def.(map[string]any)["description"] == nil {
			t.Errorf("$defs.%s has no description", name)
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(inventory.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:refmatrix:inventory:v1", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("urn:refmatrix:inventory:v1")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestSchemaJudges: what the decoder accepts the schema accepts, and what a
// schema can know to be wrong it refuses.
func TestSchemaJudges(t *testing.T) {
	schema := compiled(t)
	example, err := os.ReadFile("../../inventory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		good bool
	}{
		{string(example), true},
		{one(`rate: "${RATE}"`, "timeout: 1m30s", "auth: {username: u, password: p}", "labels: {a: 1, b: true}"), true},
		{one("writeProbe: {repository: a/b}", "expect: unsupported", "tls: {insecureSkipVerify: true}"), true},
		{one("auth: {token: t, realms: [auth.example.com]}", "retryCap: 0"), true},
		{one("auth: {realms: [auth.example.com]}"), true},
		{one("auth: {anonymous: true}", "rate: 0", `burst: "7"`), true},
		{"version: \"1\"\ndefaults: &d {rate: 3, images: [x, 'y:1']}\nregistries: [{<<: *d, url: 'http://[::1]:5000/base'}]", true},
		{"version: 1\nregistries: [{url: a.example}]", true},
		{"version: 1\nregistries: [{url: a.example/v2/}]", false},
		{"version: 1\nregistries: [{url: a.example, images: ['b/c:1', 'd:5']}]", true},
		{"version: 1\nregistries: [{url: a.example, images: ['b:5000/c:1']}]", false},
		{"version: 1\ndefaults: {images: ['b:5000/c:1']}\nregistries: [{url: a.example}]", false},
		{"version: 1\nregistries: [{url: 'https://a.example/ui?x'}]", false},
		{"version: 1\nregistries: [{url: 'u:p@a.example'}]", false},
		{"version: 1\ndefaults: {images: []}\nregistries: [{url: a.example}]", false},
		{one(`auth: {username: robot$x, password: "a$$b$1$$$$c$"}`), true},
		{one("auth: {username: u, password: a$b}"), false},
		{one("auth: {token: $$$PASSWORD}"), false},
		{one("auth: {identityToken: $PASSWORD}"), false},
		{one("auth: {username: u, password: p, token: t}"), false},
		{one("auth: {helper: x, dockerConfig: pull.json}"), false},
		{one(`auth: {dockerConfig: ""}`), false},
		{one("auth: {username: u}"), false},
		{one("auth: {password: p}"), false},
		{one("auth: {anonymous: false}"), false},
		{one("auth: {}"), false},
		{one("tls: {certFile: c.pem}"), false},
		{one("timeout: soon"), false},
		{one("concurrency: 0"), false},
		{one("retries: 1.5"), false},
		{one("labels: {a: [b]}"), false},
		{"version: 1\nregistries: [{url: a.example, images: []}]", false},
		{"registries: [{url: a.example, images: [x]}]", false},
		{one("require: [signature, sbom, provenance]", "leavePulls: 20"), true},
		{one("require: []", `leavePulls: "0"`), true},
		{"version: 1\ndefaults: {require: [vex], leavePulls: 5}\nregistries: [{url: a.example}]", true},
		{one("require: signature"), false},
		{one("require: [signatures]"), false},
		{one("require: [other]"), false},
		{one("require: [sbom, sbom]"), false},
		{one("leavePulls: -1"), false},
		{one("leavePulls: 1.5"), false},
		{one("rtae: 1"), false},
		{one("rate: -1"), false},
		{one("timeout: 10"), false},
		{one("auth: {helper: ../x}"), false},
		{one("expect: maybe"), false},
		{one("writeProbe: {}"), false},
		{"version: 2\nregistries: [{url: a.example, images: [x]}]", false},
		{"version: 1\nregistries: []", false},
		{"version: 1\nregistries: [{images: [x]}]", false},
	} {
		bySchema := schema.Validate(instance(t, test.text)) == nil
		_, parseErr := parse(t, test.text)
		if bySchema != test.good || (parseErr == nil) != test.good {
			t.Errorf("schema %v, decoder %v, want %v:\n%s", bySchema, parseErr, test.good, test.text)
		}
	}
	if err := schema.Validate(instance(t, uncommented(t, "../../inventory.yaml"))); err != nil {
		t.Errorf("the commented-out examples: %v", err)
	}
}

// instance turns YAML into what the validator takes.
func instance(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
