package matrix

import (
	"fmt"
	"slices"
	"strings"
)

// Move says what becomes of an image's links when it moves.
type Move string

// The moves, from the gravest.
const (
	LosesLinks       Move = "loses-links"        // every copy loses some
	CannotTell       Move = "cannot-tell"        // source or target was not measured far enough
	SafeWithCommands Move = "safe-with-commands" // a plain copy loses some, the named command none
	Safe             Move = "safe"               // nothing is attached, any copy will do
)

// Moves lists every move in the order summaries name them.
var Moves = []Move{LosesLinks, CannotTell, SafeWithCommands, Safe}

// AssessmentSchema names the format of an assessment as JSON.
const AssessmentSchema = "refmatrix-assessment/v1"

// Assessment says what happens to the links of a source when its images move
// to a target.
type Assessment struct {
	Schema string            `json:"schema"`
	Source string            `json:"source"`
	Target string            `json:"target"`
	Counts map[Move]int      `json:"counts"`
	Images []ImageAssessment `json:"images"`
}

// ImageAssessment is what happens to the links of one image.
type ImageAssessment struct {
	Registry string   `json:"registry"`
	Image    string   `json:"image"`
	Digest   string   `json:"digest,omitempty"`
	Verdict  Move     `json:"verdict"`
	Detail   string   `json:"detail"` // one sentence
	Links    Links    `json:"links"`
	Target   Strategy `json:"target_strategy"`
	Copies   []Copy   `json:"copies,omitempty"`
	Command  string   `json:"command,omitempty"` // that keeps every link, or loses the fewest
}

// Links is what hangs on an image at the source, by the way it hangs there.
type Links struct {
	ByAPI      int            `json:"by_api"`   // the referrers API lists them
	OnlyTag    int            `json:"only_tag"` // only the referrers tag lists them
	CosignTags []string       `json:"cosign_tags,omitempty"`
	Types      []ArtifactType `json:"types,omitempty"` // of what the API lists
}

// Total counts the links, a cosign tag as one.
func (l Links) Total() int { return l.ByAPI + l.OnlyTag + len(l.CosignTags) }

// Copy is what one way to copy does with the links.
type Copy struct {
	Tool    string `json:"tool"`
	Command string `json:"command"`
	Kept    int    `json:"kept"` // links found at the target afterwards
	Lost    int    `json:"lost"`
	Unsure  bool   `json:"unsure,omitempty"` // kept is the least, lost the most: it depends on what is written last
	Fails   bool   `json:"fails,omitempty"`  // the tool stops with an error
	Note    string `json:"note,omitempty"`   // why, one clause
}

// Assess compares the rows of source, image by image, with what target
// supports. Both have to come from a scan with every capability step.
func Assess(source, target *Matrix) Assessment {
	a := Assessment{Schema: AssessmentSchema, Source: named(source), Target: named(target), Counts: map[Move]int{}}
	for i := range source.Rows {
		image := assessImage(&source.Rows[i], targetRow(target, source.Rows[i].Image))
		a.Counts[image.Verdict]++
		a.Images = append(a.Images, image)
	}
	return a
}

// Safe reports whether a way was found to move every image without loss.
func (a Assessment) Safe() bool { return a.Counts[LosesLinks] == 0 && a.Counts[CannotTell] == 0 }

// named names the registries of m.
func named(m *Matrix) string {
	var names []string
	for i := range m.Rows {
		if !slices.Contains(names, m.Rows[i].Registry) {
			names = append(names, m.Rows[i].Registry)
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%d registries", len(names))
	}
	return strings.Join(names, ", ")
}

// targetRow gives the row that speaks for image at the target: the same image
// where it was measured, else any where all that were measured agree. It is nil
// where none was, or where they differ: support is a matter of the repository.
func targetRow(target *Matrix, image string) *Row {
	var found *Row
	for i := range target.Rows {
		row := &target.Rows[i]
		switch {
		case row.Strategy == StrategyUnknown:
		case row.Image == image:
			return row
		case found == nil:
			found = row
		case found.Strategy != row.Strategy || found.Reason != row.Reason && row.Severity != Pass:
			return nil
		}
	}
	return found
}

func assessImage(source, target *Row) ImageAssessment {
	out := ImageAssessment{Registry: source.Registry, Image: source.Image, Digest: source.Digest, Target: StrategyUnknown, Verdict: CannotTell}
	if target != nil {
		out.Target = target.Strategy
	}
	links, gap := linksOf(source)
	out.Links = links
	switch {
	case gap != "":
		out.Detail = gap
		return out
	case links.Total() == 0:
		out.Verdict, out.Detail = Safe, "Nothing is attached: any copy will do."
		return out
	case target == nil:
		out.Detail = "What the target supports was not measured, or differs between its repositories: name an image of the same repository there."
		return out
	}
	best := -1
	for _, tool := range copyTools {
		made := tool.copy(source, target, links)
		if best < 0 || made.Kept > out.Copies[best].Kept {
			best = len(out.Copies)
		}
		out.Copies = append(out.Copies, made)
	}
	kept := out.Copies[best]
	out.Command = kept.Command
	out.Verdict, out.Detail = SafeWithCommands, fmt.Sprintf("A plain copy loses %s; %s keeps them all.", count(links.Total(), "link"), kept.Tool)
	if kept.Lost > 0 {
		out.Verdict = LosesLinks
		out.Detail = fmt.Sprintf("%d of %s are lost with the best copy (%s).", kept.Lost, count(links.Total(), "link"), kept.Tool)
		if kept.Kept == 0 {
			out.Command = ""
		}
	}
	return out
}

// linksOf counts what hangs on the image of row; gap says what was not
// measured, a sentence, "" where nothing is missing.
func linksOf(row *Row) (links Links, gap string) {
	c := row.Capabilities
	if row.Strategy == StrategyUnknown || c == nil {
		return links, "The source could not be measured: " + row.Detail
	}
	if c.TagSchema == nil || c.TagSchema.State == TagUnknown || c.CosignTags == nil || row.Referrers == Supported && c.Descriptors == nil {
		return links, "The links at the source were not looked at in full: scan it with --probe full."
	}
	if row.Referrers == Supported {
		links.ByAPI, links.OnlyTag, links.Types = *c.Descriptors, len(c.TagSchema.OnlyTag), c.ArtifactTypes
	} else if c.TagSchema.State == TagIndex {
		links.OnlyTag = c.TagSchema.Descriptors
	}
	links.CosignTags = c.CosignTags
	return links, ""
}

// copyTool is one line of the table of copies.
type copyTool struct {
	name    string
	client  string // whose forecast holds for reading and writing links; "" where none are copied
	digests bool   // copies the tags that begin with sha256-<hex> as well
	command func(from, to string, plainFrom, plainTo bool) string
	note    string
}

// copyTools is what released tools do, the simplest command first: where two
// keep as much, the first is named. All but skopeo are proven by real copies
// between the registries of the demo fleet.
var copyTools = []copyTool{
	{name: "a plain copy", note: "copies the image alone",
		command: func(from, to string, _, _ bool) string { return "crane copy " + from + " " + to }},
	{name: "skopeo copy", note: "copies the image alone",
		command: func(from, to string, _, _ bool) string {
			return "skopeo copy --all docker://" + from + " docker://" + to
		}},
	{name: "oras cp -r", client: "oras", note: "copies what oras lists as referrers, no tags",
		command: func(from, to string, plainFrom, plainTo bool) string {
			flags := ""
			if plainFrom {
				flags += " --from-plain-http"
			}
			if plainTo {
				flags += " --to-plain-http"
			}
			return "oras cp -r" + flags + " " + from + " " + to
		}},
	{name: "regctl image copy", client: "regctl", digests: true, note: "copies referrers and sha256-* tags",
		command: func(from, to string, _, _ bool) string {
			return "regctl image copy --referrers --digest-tags " + from + " " + to
		}},
}

// copy says what the tool does with links.
func (t *copyTool) copy(source, target *Row, links Links) Copy {
	out := Copy{Tool: t.name, Note: t.note, Command: t.command(
		reference(source.URL, source.Image), reference(target.URL, source.Image), isPlain(source.URL), isPlain(target.URL))}
	if t.client != "" {
		switch read, push := source.Clients[t.client].Read, target.Clients[t.client].Push; {
		case read == OutcomeError:
			out.Fails, out.Note = true, t.client+" stops at the source's answer"
		case push == OutcomeError && links.ByAPI+links.OnlyTag > 0:
			out.Fails, out.Note = true, t.client+" stops at the target's answer"
		case read == OutcomeAPI:
			out.Kept = links.ByAPI
		case read == OutcomeTag:
			out.Kept = tagged(source)
		}
		if t.digests && !out.Fails {
			out.Kept = links.Total()
		}
		if t.digests && overwrites(source, target.Clients[t.client].Push) {
			out.Kept, out.Unsure = len(links.CosignTags), true
			out.Note = "writes the target's referrers tag link by link and as a copy of the source's, and the last one wins"
		}
		if push := target.Clients[t.client].Push; push == OutcomeNothing {
			out.Kept, out.Note = 0, "what "+t.client+" writes at the target is found by nobody"
		}
	}
	out.Lost = links.Total() - out.Kept
	return out
}

// overwrites reports whether a copy of the source's referrers tag collides with
// the tag that the tool maintains at the target, and would change it: the
// source has both the API and a tag that lists something else.
func overwrites(source *Row, push Outcome) bool {
	t := source.Capabilities.TagSchema
	return push == OutcomeTag && source.Referrers == Supported && t.State == TagIndex && len(t.OnlyTag)+len(t.OnlyAPI) > 0
}

// tagged counts the links that the referrers tag of row lists.
func tagged(row *Row) int {
	if t := row.Capabilities.TagSchema; t.State == TagIndex {
		return t.Descriptors
	}
	return 0
}

// reference joins a registry's url and an image for a command line.
func reference(url, image string) string {
	_, rest, _ := strings.Cut(url, "://")
	return shellWord(strings.TrimSuffix(rest, "/") + "/" + image)
}

func isPlain(url string) bool { return strings.HasPrefix(url, "http://") }

// shellWord quotes s where a shell would read more into it than a word.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/:@+", r))
	}
	if strings.IndexFunc(s, plain) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
