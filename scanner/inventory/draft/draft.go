// Package draft makes a first inventory out of what names images already: a
// docker config, lists, Kubernetes objects, compose files. It reads no
// credential and writes none.
package draft

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"gopkg.in/yaml.v3"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/address"
)

// Draft collects registries and the images seen on them. The zero Draft is
// ready.
type Draft struct {
	seen    map[string]map[string]int // host -> image -> how often it was named
	Skipped []string                  // what looked like an image reference and is not one, with its place
}

// AddConfig reads the hosts that a docker config knows (auths, credHelpers).
// What it holds of credentials is not looked at.
func (d *Draft) AddConfig(r io.Reader, name string) error {
	content, err := io.ReadAll(io.LimitReader(r, maxInput))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var config struct {
		Auths       map[string]struct{} // only the keys matter
		CredHelpers map[string]string
	}
	if err := json.Unmarshal(content, &config); err != nil {
		// Not the error's own words: they may quote a credential.
		return fmt.Errorf("%s is no docker config", name)
	}
	for host := range config.Auths {
		d.host(host)
	}
	for host := range config.CredHelpers {
		d.host(host)
	}
	return nil
}

// host notes the registry of a key of a docker config, of which no image is known.
func (d *Draft) host(key string) {
	_, rest, ok := strings.Cut(key, "://")
	if !ok {
		rest = key
	}
	host, _, _ := strings.Cut(rest, "/")
	host = address.CanonicalHost(host)
	if !d.admit(host, placeholder) {
		d.skip(key, "in the docker config")
		return
	}
	d.count(host, "")
}

// skip notes what was left out, without the account that may stand in it.
func (d *Draft) skip(text, place string) {
	d.Skipped = append(d.Skipped, fmt.Sprintf("%.100q %s", inventory.WithoutUserinfo(text), place))
}

func (d *Draft) count(host, image string) {
	if d.seen == nil {
		d.seen = map[string]map[string]int{}
	}
	if d.seen[host] == nil {
		d.seen[host] = map[string]int{}
	}
	if image != "" {
		d.seen[host][image]++
	}
}

// add notes one reference as people write them: alpine is docker.io's
// library/alpine:latest (distribution/reference, "normalized").
func (d *Draft) add(text, place string) {
	text = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(text), "docker-pullable://"), "docker://")
	if text == "" {
		return
	}
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil || reference.Domain(named) == "" { // a host that is none counts as part of the path
		d.skip(text, "at "+place)
		return
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
	if !d.admit(reference.Domain(named), image) {
		d.skip(text, "at "+place)
		return
	}
	d.count(reference.Domain(named), image)
}

// admit reports whether an inventory takes the host and the image: reference
// lets ports and names through that no registry has.
func (d *Draft) admit(host, image string) bool {
	if _, err := inventory.ParseImage(image); err != nil {
		return false
	}
	if d.seen[host] != nil {
		return true
	}
	entry := fmt.Sprintf("version: 1\nregistries: [{url: %q, images: [%q]}]\n", urlOf(host), placeholder)
	_, err := inventory.Parse(strings.NewReader(entry), host, ".", func(string) (string, bool) { return "", false })
	return err == nil
}

// placeholder stands where no image of a registry is known.
const placeholder = "library/alpine:latest"

// Registries counts the registries found.
func (d *Draft) Registries() int { return len(d.seen) }

// Write writes the inventory, at most images test images for each registry,
// the most used first. It is valid unchanged.
func (d *Draft) Write(w io.Writer, images int) error {
	if len(d.seen) == 0 {
		return errors.New("no image and no registry was found")
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
	name := host
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
