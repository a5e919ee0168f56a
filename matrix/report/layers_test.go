package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// formatFiles are the files that belong to a format, by the format. The others
// are the ground that formats stand on, and formats.go, which lists them.
var formatFiles = map[string][]string{
	"table":           {"table.go", "table_links.go"},
	"csv":             {"csv.go"},
	"markdown":        {"markdown.go", "markdown_actions.go", "markdown_findings.go", "markdown_links.go", "markdown_matrix.go"},
	"json":            {"json.go"},
	"html":            {"html*.go"},
	"junit":           {"junit.go"},
	"prometheus":      {"prometheus*.go"},
	"diff text":       {"diff_text.go"},
	"diff markdown":   {"diff_markdown.go"},
	"assess text":     {"assess_text.go"},
	"assess markdown": {"assess_markdown.go"},
	"explain":         {"explain.go", "explain_alike.go", "explain_links.go"},
}

// TestLayers: a format takes nothing from another, and the ground nothing from a
// format, so that a format can be read, changed and removed alone.
func TestLayers(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fileSet := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || path == "formats.go" {
			continue
		}
		file, err := parser.ParseFile(fileSet, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	// Other packages are not loaded: what is of theirs has no position here.
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Error: func(error) {}}
	_, _ = config.Check("report", fileSet, files, &info)
	found := 0
	for used, object := range info.Uses {
		from := fileSet.Position(object.Pos()).Filename
		owner := formatOf(from)
		if from == "" || owner == "" {
			continue
		}
		found++
		if at := fileSet.Position(used.Pos()); owner != formatOf(at.Filename) {
			t.Errorf("%s takes %s from %s, which belongs to the format %s", at, used.Name, from, owner)
		}
	}
	if found < 100 {
		t.Errorf("only %d uses of what formats declare were found", found)
	}
}

// formatOf returns the format that a file belongs to, "" for the ground.
func formatOf(path string) string {
	for format, patterns := range formatFiles {
		for _, pattern := range patterns {
			if ok, _ := filepath.Match(pattern, path); ok {
				return format
			}
		}
	}
	return ""
}
