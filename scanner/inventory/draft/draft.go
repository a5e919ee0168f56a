// Package draft makes a first inventory out of what names images already: a
// docker config, lists, Kubernetes objects, compose files. It reads no
// credential and writes none.
package draft

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"gopkg.in/yaml.v3"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/credential"
)

// Draft collects registries and the images seen on them. The zero Draft is
// ready.
type Draft struct {
	seen    map[string]map[string]int // registry -> image -> how often it was named
	read    map[string]entry          // what the inventory makes of HOST/IMAGE
	Skipped []string                  // what was left out: why, its text and its place
}

// AddConfig reads the hosts that a docker config knows (auths, credHelpers).
// What it holds of credentials is not looked at.
func (d *Draft) AddConfig(r io.Reader, name string) error {
	content, err := readText(r, name, maxText)
	if err != nil {
		return err
	}
	hosts, err := credential.Hosts(content)
	if err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	for _, key := range slices.Sorted(maps.Keys(hosts)) {
		found := d.lookUp(hosts[key], placeholder)
		if found.registry == "" {
			d.skip("not a registry", key, "in the docker config")
			continue
		}
		d.register(found.registry)
	}
	return nil
}

// skip notes what was left out, without the account that may stand in it.
func (d *Draft) skip(why, text, place string) {
	d.Skipped = append(d.Skipped, fmt.Sprintf("%s: %.100q %s", why, inventory.WithoutUserinfo(text), place))
}

// register adds a registry, if it is not there yet, and returns its images.
func (d *Draft) register(registry string) map[string]int {
	if d.seen == nil {
		d.seen = map[string]map[string]int{}
	}
	if d.seen[registry] == nil {
		d.seen[registry] = map[string]int{}
	}
	return d.seen[registry]
}

// add notes one reference as people write them: alpine is docker.io's
// library/alpine:latest (distribution/reference, "normalized").
func (d *Draft) add(text, place string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	found := d.parse(text)
	if found.registry == "" {
		d.skip("not an image reference", text, "at "+place)
		return
	}
	d.register(found.registry)[found.image]++
}

// parse reads one reference, also as the status of a pod or skopeo has it. The entry is
// zero if text is not one.
func (d *Draft) parse(text string) entry {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "docker-pullable://"), "docker://")
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil || !isHost(reference.Domain(named)) {
		return entry{}
	}
	named = reference.TagNameOnly(named)
	// A tag beside a digest says nothing more.
	image := reference.Path(named)
	switch full := named.(type) {
	case reference.Canonical:
		image += "@" + full.Digest().String()
	case reference.NamedTagged:
		image += ":" + full.Tag()
	}
	return d.lookUp(reference.Domain(named), image)
}

// isHost reports whether host is one. An invalid host counts as part of the path, and what
// stands before a slash in capitals as a host, although it is a word of a sentence or a
// repository in capitals.
func isHost(host string) bool { return host == "localhost" || strings.ContainsAny(host, ".:") }

// entry is an image at a registry, both by the names that the inventory has for them. They
// are the same for all spellings of one: capitals in a host, the names of Docker Hub, and
// library/ there.
type entry struct{ registry, image string }

// lookUp returns what the inventory makes of an image at host. The entry is zero if that is
// a fault: the reference package accepts ports and names that no registry has. Therefore
// every draft is valid: no two of its registries or images are the same to the inventory.
func (d *Draft) lookUp(host, image string) entry {
	if d.read == nil {
		d.read = map[string]entry{}
	}
	key := host + "/" + image
	found, ok := d.read[key]
	if !ok {
		given := entry{host, image}
		found = parseEntry(given)
		if found != given && found != parseEntry(found) { // its own names have to stay what they are
			found = entry{}
		}
		d.read[key] = found
	}
	return found
}

func parseEntry(of entry) entry {
	text := fmt.Sprintf("version: 1\nregistries: [{url: %q, images: [%q]}]\n", urlOf(of.registry), of.image)
	inv, err := inventory.Parse(strings.NewReader(text), "", ".", func(string) (string, bool) { return "", false })
	if err != nil {
		return entry{}
	}
	r := inv.Registries[0]
	return entry{r.Name, r.Images[0].String()}
}

// placeholder stands where no image of a registry is known.
const placeholder = "library/alpine:latest"

// Registries counts the registries found.
func (d *Draft) Registries() int { return len(d.seen) }

// Write writes the inventory, at most images test images for each registry,
// the most used first. It is valid unchanged.
func (d *Draft) Write(w io.Writer, images int) error {
	if len(d.seen) == 0 {
		return errors.New("no image and no registry was found: write one reference a line, or the output of docker images or of kubectl get pods -o json")
	}
	hosts := make([]string, 0, len(d.seen))
	for host := range d.seen {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	registries := &yaml.Node{Kind: yaml.SequenceNode}
	for _, host := range hosts {
		registries.Content = append(registries.Content, d.registry(host, images))
	}
	version := scalar("1")
	version.Tag = "!!int"
	root := mapping(scalar("version"), version, scalar("registries"), registries)
	root.HeadComment = "Drafted by refmatrix init. Credentials come from the docker config unless auth: says otherwise."
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return fmt.Errorf("write the draft: %w", err)
	}
	return encoder.Close()
}

func (d *Draft) registry(host string, images int) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, image := range d.most(host, images) {
		list.Content = append(list.Content, scalar(image))
	}
	entry := mapping(scalar("url"), scalar(urlOf(host)), scalar("images"), list)
	if len(d.seen[host]) == 0 {
		list.Content = []*yaml.Node{scalar(placeholder)}
		list.LineComment = "none was seen: name an image that exists there"
	}
	return entry
}

// most returns the n most named images of host.
func (d *Draft) most(host string, n int) []string {
	names := make([]string, 0, len(d.seen[host]))
	for image := range d.seen[host] {
		names = append(names, image)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(d.seen[host][b]-d.seen[host][a], cmp.Compare(a, b))
	})
	return names[:min(n, len(names))]
}

// urlOf leaves https unsaid, as the inventory does; a registry on this machine
// is reached by http, as docker does it.
func urlOf(host string) string {
	name := strings.Trim(host, "[]")
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	if ip := net.ParseIP(name); name == "localhost" || ip != nil && ip.IsLoopback() {
		return "http://" + host
	}
	return host
}

func scalar(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	return node
}

func mapping(content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: content}
}
