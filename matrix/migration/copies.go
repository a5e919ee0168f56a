package migration

import (
	"fmt"
	"net/url"
	"strings"

	"refmatrix/matrix"
)

// Copy is what one way to copy does with the links.
type Copy struct {
	Tool    string `json:"tool"`
	Command string `json:"command,omitempty"` // empty if the tool cannot address a side
	Kept    int    `json:"kept"`              // links found at the target afterwards
	Lost    int    `json:"lost"`
	AtLeast bool   `json:"unsure,omitempty"` // kept is the least, lost the most
	Fails   bool   `json:"fails,omitempty"`  // the tool stops with an error
	Note    string `json:"note,omitempty"`   // why, one clause

	reason    string // why it is not known what is kept, one clause; "" if it is known
	platforms bool   // it copies what is attached to the manifests of an index too
}

// side is one end of a copy on a command line.
type side struct {
	host  string
	image string // host, path and image
	plain bool   // over http
}

// copyTool is one entry of the table of copies.
type copyTool struct {
	name    string
	client  string // whose forecast holds for reading and writing links; "" if none are copied
	digests bool   // copies the tags that begin with sha256-<hex>, and follows the manifests of an index
	command func(from, to side) string
	note    string
}

// copyTools is what released tools do, the simplest command first, because of two
// that keep as much the first is named. All but skopeo are proven by real copies
// between the registries of the demo fleet, oras with one manifest at a time.
var copyTools = []copyTool{
	{name: "a plain copy", note: "copies the image alone",
		command: func(from, to side) string {
			return "crane copy" + flagIf(from.plain || to.plain, " --insecure") + arguments(from, to)
		}},
	{name: "skopeo copy", note: "copies the image alone",
		command: func(from, to side) string {
			from.image, to.image = "docker://"+from.image, "docker://"+to.image
			return "skopeo copy --all" + flagIf(from.plain, " --src-tls-verify=false") +
				flagIf(to.plain, " --dest-tls-verify=false") + arguments(from, to)
		}},
	{name: "oras cp -r", client: "oras", note: "copies what oras lists as referrers, no tags",
		command: func(from, to side) string {
			return "oras cp -r --concurrency 1" + flagIf(from.plain, " --from-plain-http") +
				flagIf(to.plain, " --to-plain-http") + arguments(from, to)
		}},
	{name: "regctl image copy", client: "regctl", digests: true, note: "copies referrers and sha256-* tags",
		command: func(from, to side) string {
			plain := func(s side) string {
				return flagIf(s.plain, " --host "+matrix.ShellWord("reg="+s.host+",tls=disabled"))
			}
			return "regctl" + plain(from) + plain(to) + " image copy --referrers --digest-tags" + arguments(from, to)
		}},
}

func flagIf(is bool, flag string) string {
	if is {
		return flag
	}
	return ""
}

func arguments(from, to side) string {
	return " " + matrix.ShellWord(from.image) + " " + matrix.ShellWord(to.image)
}

// copy returns what the tool does with links. push is what the write probe found
// at the target, or nil if it did not look.
func (t *copyTool) copy(source, target *matrix.Row, push *matrix.Push, links Links, index bool) Copy {
	out := Copy{Tool: t.name, Note: t.note}
	if unnameable(source) == "" && unnameable(target) == "" {
		out.Command = t.command(sideOf(source.URL, source.Image), sideOf(target.URL, source.Image))
	}
	if t.client != "" {
		t.judge(&out, source, target, push, links, index)
		out.platforms = t.digests && !out.Fails
	}
	out.Lost = links.Total() - out.Kept
	return out
}

// judge predicts what a tool that copies links keeps, from what its client does at
// both ends.
func (t *copyTool) judge(out *Copy, source, target *matrix.Row, push *matrix.Push, links Links, index bool) {
	reads, writes := source.Clients[t.client].Read, t.writes(target, push)
	referrers := links.Referrers() > 0 || index // an index may have some on its platforms
	fails := func(why string) { out.Fails, out.Note = true, why }
	atLeast := func(least int, why string) { out.Kept, out.AtLeast, out.Note, out.reason = least, true, why, why }
	switch {
	case push != nil && push.Strategy == matrix.PushRefused:
		fails("the target refused the write probe's push")
	case reads == matrix.OutcomeError:
		fails(t.client + " stops at the source's answer")
	case writes == matrix.OutcomeError && referrers:
		fails(t.client + " stops at the target's answer")
	case reads == "":
		atLeast(0, t.client+" was not run against an answer like the source's ("+string(source.Reason)+")")
	case writes == "" && referrers:
		atLeast(0, t.client+" was not run against an answer like the target's ("+string(target.Reason)+")")
	case writes == matrix.OutcomeNothing && referrers:
		out.Note = "what " + t.client + " writes at the target is found by nobody"
	case t.digests && writes == matrix.OutcomeTag && mixed(source):
		out.Kept, out.AtLeast = len(links.CosignTags), true
		out.Note = "writes the target's referrers tag link by link and as a copy of the source's, and the last one wins"
	case t.digests && writes == matrix.OutcomeAPI && push == nil && mixed(source):
		atLeast(len(links.CosignTags), "whether the target answers OCI-Subject was not tried "+
			"(--write-probe, where the inventory has writeProbe for it), "+
			"and without it the source's referrers tag overwrites what the API had")
	case t.digests:
		out.Kept = links.Total()
	case reads == matrix.OutcomeAPI:
		out.Kept = links.ByAPI
	case reads == matrix.OutcomeTag:
		out.Kept = source.Capabilities.TagSchema.Descriptors
	}
}

// writes returns the outcome if the tool's client pushes a referrer at the target.
// The forecast of a row without a write probe assumes that a registry with the API
// answers OCI-Subject; push shows whether it does.
func (t *copyTool) writes(target *matrix.Row, push *matrix.Push) matrix.Outcome {
	forecast := target.Clients[t.client]
	switch {
	case push == nil:
	case push.OCISubject && forecast.Read != "" && (forecast.Read != matrix.OutcomeAPI || push.Unlisted()):
		return matrix.OutcomeNothing
	case !push.OCISubject && forecast.Push == matrix.OutcomeAPI:
		return matrix.OutcomeTag
	}
	return forecast.Push
}

// mixed reports whether the source has both the API and a referrers tag that
// lists something else: a copy of that tag then collides with the one that a
// tool maintains at a target without OCI-Subject, and would change it.
func mixed(source *matrix.Row) bool {
	t := source.Capabilities.TagSchema
	return t.MissingFromAPI()+t.MissingFromTag() > 0 // counted only if there are both
}

// sideOf joins a registry's url and an image for a command line.
func sideOf(address, image string) side {
	scheme, host, _ := strings.Cut(strings.TrimSuffix(address, "/"), "://")
	return side{host: host, image: host + "/" + image, plain: scheme == "http"}
}

// unnameable returns a note on why no command names the registry of row, "" if
// commands can. An inventory holds hosts only, but a matrix.json can come from
// anywhere.
func unnameable(row *matrix.Row) string {
	u, err := url.Parse(row.URL)
	switch {
	case err != nil || !matrix.NameableHost(row.URL):
		return fmt.Sprintf(hostNote, row.Registry)
	case strings.Trim(u.Path, "/") != "": // copy tools look for /v2/ at the root alone
		return fmt.Sprintf(pathNote, row.Registry)
	}
	return ""
}
