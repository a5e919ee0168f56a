package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// writeReport puts the figures between the markers of performance.md, and the
// picture beside it.
func (b *bench) writeReport() error {
	path := filepath.Join(b.write, "performance.md")
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const begin, end = "<!-- figures -->\n", "<!-- end of figures -->"
	before, rest, ok := strings.Cut(string(document), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no part for the figures", path)
	}
	var out strings.Builder
	out.WriteString("\n| goal | figure |  |\n| --- | --- | --- |\n")
	for _, g := range b.goals {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", g.text, g.figure, map[bool]string{true: "ok", false: "short"}[g.met])
	}
	out.WriteString("\n```\n" + strings.TrimSpace(b.report.String()) + "\n```\n\n")
	if n := len(b.growths); n > 1 {
		first, last := b.growths[n-2], b.growths[n-1]
		per := 1000 / float64(last.n-first.n)
		fmt.Fprintf(&out, "From %d to %d registries 1,000 more cost %.2f s of wall time (floor %.2f s), %.2f s of CPU (floor %.2f s) and %.1f MB of memory.\n\n",
			first.n, last.n, per*(last.scan.Wall-first.scan.Wall).Seconds(), per*(last.floor.Wall-first.floor.Wall).Seconds(),
			per*(last.scan.CPU-first.scan.CPU).Seconds(), per*(last.floor.CPU-first.floor.CPU).Seconds(), per*megabytes(last.scan.RSS-first.scan.RSS))
	}
	if err := os.WriteFile(path, []byte(before+begin+out.String()+end+after), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.write, "performance.svg"), []byte(b.picture()), 0o644)
}

// picture draws wall, CPU and memory against the size of the fleet, both axes
// logarithmic, the scan beside the floor.
func (b *bench) picture() string {
	const width, height, left, top = 250.0, 180.0, 60.0, 34.0
	panels := []struct {
		title, unit string
		of          func(sample) float64
	}{
		{"wall", "s", func(s sample) float64 { return s.Wall.Seconds() }},
		{"CPU", "s", func(s sample) float64 { return s.CPU.Seconds() }},
		{"peak RSS", "MB", func(s sample) float64 { return megabytes(s.RSS) }},
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="11">`+"\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", 3*(width+left)+20, height+top+50)
	for i, p := range panels {
		x0, y0 := left+float64(i)*(width+left), top+height
		low, high := math.Inf(1), math.Inf(-1)
		for _, g := range b.growths {
			for _, s := range []sample{g.scan, g.floor} {
				low, high = min(low, p.of(s)), max(high, p.of(s))
			}
		}
		low, high = math.Floor(math.Log10(max(low, 1e-3))), math.Ceil(math.Log10(high))
		x := func(n int) float64 {
			return x0 + (math.Log10(float64(n))-1)/max(math.Log10(float64(b.most))-1, 1)*(width-20)
		}
		y := func(v float64) float64 { return y0 - (math.Log10(max(v, 1e-3))-low)/max(high-low, 1)*height }
		fmt.Fprintf(&out, `<text x="%g" y="20" font-size="13" font-weight="bold">%s (%s)</text>`+"\n", x0, p.title, p.unit)
		for decade := low; decade <= high; decade++ {
			value := math.Pow(10, decade)
			fmt.Fprintf(&out, `<line x1="%g" x2="%g" y1="%g" y2="%g" stroke="#ddd"/><text x="%g" y="%g" text-anchor="end">%g</text>`+"\n", x0, x0+width-20, y(value), y(value), x0-6, y(value)+4, value)
		}
		for _, line := range []struct {
			name, colour string
			of           func(growth) sample
		}{{"floor", "#999", func(g growth) sample { return g.floor }}, {"refmatrix", "#2b5c94", func(g growth) sample { return g.scan }}} {
			var points []string
			for _, g := range b.growths {
				px, py := x(g.n), y(p.of(line.of(g)))
				points = append(points, fmt.Sprintf("%.1f,%.1f", px, py))
				fmt.Fprintf(&out, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, px, py, line.colour)
			}
			fmt.Fprintf(&out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), line.colour)
		}
		for _, g := range b.growths {
			fmt.Fprintf(&out, `<text x="%.1f" y="%g" text-anchor="middle">%d</text>`, x(g.n), y0+18, g.n)
		}
		fmt.Fprintf(&out, `<text x="%g" y="%g" text-anchor="middle">registries</text>`+"\n", x0+width/2-10, y0+36)
	}
	fmt.Fprintf(&out, `<text x="%g" y="20" fill="#2b5c94">refmatrix</text><text x="%g" y="20" fill="#777">floor</text>`+"\n</svg>\n", left+130, left+195)
	return out.String()
}
