package report

import (
	"fmt"
	"strings"
	"time"

	"refmatrix/matrix"
)

// maxNamedLinks bounds the links that one line names.
const maxNamedLinks = 5

// shortDigest is the first 12 hexadecimal digits of a digest, or what is shown instead of one.
func shortDigest(digest string) string {
	_, encoded, ok := strings.Cut(digest, ":")
	if !ok {
		encoded = digest
	}
	runes := []rune(encoded)
	return string(runes[:min(len(runes), 12)])
}

// linkText is a link as a line names it: "sbom 44136fa355b3 on linux/arm64".
func linkText(kind matrix.LinkKind, digest, platform string) string {
	if kind == "" {
		kind = "link"
	}
	text := string(kind) + " " + shortDigest(digest)
	if platform != "" {
		text += " on " + platform
	}
	return text
}

// lostText names lost links, and since when.
func lostText(lost []matrix.Lost) string {
	return listed(lost, func(l matrix.Lost) string {
		text := linkText(l.Kind, l.Digest, l.Platform) + " since " + l.Since.UTC().Format(time.DateOnly)
		if l.Replaced {
			text += " (replaced)"
		}
		return text
	})
}

// newText names new links.
func newText(links []matrix.Link) string {
	return listed(links, func(l matrix.Link) string { return linkText(l.Kind, l.Digest, l.Platform) })
}

// missingText names the required kinds that an image lacks, and the platforms that lack them.
func missingText(r *matrix.Row) string {
	return listed(r.Missing(), func(kind matrix.LinkKind) string {
		if lacking := r.Lacking[kind]; len(lacking) > 0 {
			return fmt.Sprintf("%s (on %s)", kind, listed(lacking, func(platform string) string { return platform }))
		}
		return string(kind)
	})
}

// listed joins the texts of the first few things, and says how many more there are.
func listed[T any](all []T, text func(T) string) string {
	var parts []string
	for _, one := range all[:min(len(all), maxNamedLinks)] {
		parts = append(parts, text(one))
	}
	if rest := len(all) - len(parts); rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(parts, ", ")
}
