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

// linkLine is a link with all that is known of it. digest is its digest as it is to be shown.
func linkLine(l *matrix.Link, digest string) string {
	kind := string(l.Kind)
	if kind == "" {
		kind = "link of unknown kind"
	}
	parts := []string{kind + " " + digest}
	switch {
	case l.Depth > 1:
		parts[0] += " attached to " + shortDigest(l.Subject)
	case l.Platform != "":
		parts[0] += " on " + l.Platform
	}
	parts = append(parts, "in "+placesText(l.Where))
	if l.ArtifactType != "" {
		parts = append(parts, l.ArtifactType)
	}
	if l.TypedAway {
		parts = append(parts, "listed under another type")
	}
	return strings.Join(parts, ", ")
}

// linkTotals is how many links of depth 1 a row has: "3 (signature 2; sbom 1)".
func linkTotals(r *matrix.Row) string {
	text := fmt.Sprint(r.Links.Total)
	if counts := kindCountsText(r.Links.Counts()); counts != "" {
		text += " (" + counts + ")"
	}
	if kept := len(r.Links.Items); kept < r.Links.Total {
		text += fmt.Sprintf(", the first %d are kept", kept)
	}
	return text
}

// placesText names places; "-" stands for an empty list.
func placesText(places []matrix.Place) string { return orDash(strings.Join(texts(places), " ")) }

// lostText names lost links, and since when.
func lostText(lost []matrix.Lost) string {
	return listed(lost, func(l matrix.Lost) string { return linkText(l.Kind, l.Digest, l.Platform) + sinceText(l) })
}

// lossText names a lost link with what it was attached to, and since when.
func lossText(l matrix.Lost) string {
	text := linkText(l.Kind, l.Digest, l.Platform)
	if l.Platform == "" {
		text += " of " + shortDigest(l.Subject)
	}
	return text + sinceText(l)
}

// lossesText names what r lost.
func lossesText(r *matrix.Row) string { return listed(r.Lost, lossText) }

func sinceText(l matrix.Lost) string {
	text := " since " + l.Since.UTC().Format(time.DateOnly)
	if l.Replaced {
		text += " (replaced)"
	}
	return text
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
func listed[T any](all []T, text func(T) string) string { return listedUpTo(maxNamedLinks, all, text) }

func listedUpTo[T any](limit int, all []T, text func(T) string) string {
	var parts []string
	for _, one := range all[:min(len(all), limit)] {
		parts = append(parts, text(one))
	}
	if rest := len(all) - len(parts); rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(parts, ", ")
}
