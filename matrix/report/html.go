package report

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"refmatrix/matrix"
)

//go:embed html/*.tmpl html/*.css html/*.js
var pageFiles embed.FS

// The parts of the page's one style and one script, in the order they need.
var (
	pageStyles  = []string{"page.css", "matrix.css", "details.css", "print.css"}
	pageScripts = []string{"data.js", "lines.js", "details.js", "table.js", "controls.js"}
)

// assets is what is the same on every page.
type assets struct {
	Policy string // Content-Security-Policy
	Style  template.CSS
	Script template.JS
	page   *template.Template
}

// loadAssets reads the embedded files once; that they read and parse is a
// matter of the build and not of the matrix.
var loadAssets = sync.OnceValues(func() (*assets, error) {
	style, err := joined(pageStyles)
	if err != nil {
		return nil, err
	}
	style = columnStyle() + style
	script, err := joined(pageScripts)
	if err != nil {
		return nil, err
	}
	script = "(() => {\n'use strict';\n" + script + "})();\n"
	page, err := template.ParseFS(pageFiles, "html/page.tmpl", "html/trend.tmpl", "html/links.tmpl")
	if err != nil {
		return nil, err
	}
	// The two conversions hold for embedded text alone; nothing of a matrix is
	// ever in it.
	return &assets{
		Policy: contentPolicy(script, style),
		Style:  template.CSS(style),
		Script: template.JS(script),
		page:   page,
	}, nil
})

// joined puts embedded files one after the other.
func joined(names []string) (string, error) {
	var out strings.Builder
	for _, name := range names {
		text, err := pageFiles.ReadFile("html/" + name)
		if err != nil {
			return "", err
		}
		out.Write(text)
	}
	return out.String(), nil
}

// contentPolicy allows the page's own script and style by their hashes, and
// nothing else: what a hostile name might smuggle in could neither run nor
// call out. Trusted types close the script's own ways to make markup of text.
func contentPolicy(script, style string) string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src " + hash(script), "style-src " + hash(style), "img-src data:",
		"base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
	}, "; ")
}

// htmlPage renders one self-contained page: what to do, the matrix of registries, which
// unfold to their images, and the evidence of every row. It requests nothing from the network,
// and its policy does not let it.
func htmlPage(w io.Writer, m *matrix.Matrix, o Options) error {
	a, err := loadAssets()
	if err != nil {
		return fmt.Errorf("load the page: %w", err)
	}
	p := newPage(m, o)
	p.assets = a
	out := bufio.NewWriterSize(w, 64<<10) // the template writes every few bytes
	if err := a.page.Execute(out, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	// Between the two parts of the template, because that would hold all of it in memory
	// several times.
	if err := p.payload.write(out); err != nil {
		return fmt.Errorf("encode the rows: %w", err)
	}
	if err := a.page.ExecuteTemplate(out, "end", p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return out.Flush() // the first error of any write comes out here
}
