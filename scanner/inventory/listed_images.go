package inventory

import (
	"net/url"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"refmatrix/scanner/registry/address"
)

// listedImage is one item of images:, which is checked when the url is known.
type listedImage struct {
	Image
	host string // HOST:PORT that the item begins with; it names a registry, whatever the url is
	rest string // the item without it
	node *yaml.Node
	path string
}

// images reads a list of images. It is never nil, also if nothing in it is valid, so
// that it is not taken for one that was left out.
func (d *decoder) images(n *yaml.Node, path string) []listedImage {
	if n := resolved(n); n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		d.add(n, path, "is empty: name an image, or leave images out to try %s", DefaultImage)
	}
	images := []listedImage{}
	d.sequence(n, path, func(item *yaml.Node, path string) {
		value, ok := d.requiredText(item, path)
		if !ok {
			return
		}
		listed := listedImage{rest: value, node: item, path: path}
		if found := hostAndPort.FindStringSubmatch(value); found != nil {
			listed.host, listed.rest = found[1], found[2]
		}
		image, err := ParseImage(listed.rest)
		if err != nil {
			d.add(item, path, "%v", err)
			return
		}
		listed.Image = image
		images = append(images, listed)
	})
	return images
}

// hostAndPort is a reference that begins with a host and a port. A repository has no colon,
// so this is never one.
var hostAndPort = regexp.MustCompile(`^((?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]+)/(.+)$`)

// withoutHosts refuses the images under defaults: that name a registry, and returns the
// others.
func (d *decoder) withoutHosts(images []listedImage) []listedImage {
	var kept []listedImage
	for _, image := range images {
		if image.host != "" {
			d.add(image.node, image.path, "leave the registry out: write %s, which is then tried at every registry", image.rest)
			continue
		}
		kept = append(kept, image)
	}
	return kept
}

// setImages sets the images of r, or the default one if none were given. It completes
// Docker Hub's short names and refuses what makes no sense at this registry.
func (d *decoder) setImages(r *entry) {
	if r.images == nil {
		r.Images, r.NoImages = []Image{DefaultImage}, true
		return
	}
	seen := map[Image]bool{}
	for _, item := range r.images {
		image := item.Image
		if wrong := item.misplaced(r.URL); wrong != "" {
			d.add(item.node, item.path, "%s", wrong)
			continue
		}
		image = r.complete(image)
		if seen[image] {
			d.add(item.node, item.path, "duplicate image %s", image)
		}
		seen[image] = true
		r.Images = append(r.Images, image)
	}
}

// SetImage makes the image that text spells, as images: would, the only one of r.
func (r *Registry) SetImage(text string) error {
	image, err := ParseImage(text)
	if err != nil {
		return err
	}
	r.Images, r.NoImages = []Image{r.complete(image)}, false
	return nil
}

// complete returns image with what Docker Hub's short names leave out.
func (r *Registry) complete(image Image) Image {
	if r.URL != nil && r.URL.Host == address.HubHost && !strings.Contains(image.Repository, "/") {
		image.Repository = "library/" + image.Repository
	}
	return image
}

// misplaced returns what is wrong with an image that names a registry, or "". base is the
// url of the entry, nil if that is invalid. A repository may begin with another host, as at
// a mirror (docker.io/library/alpine): without a port, that is not taken for a registry. On
// Docker Hub no repository begins so, because there the name of an account comes first.
func (l *listedImage) misplaced(base *url.URL) string {
	host, rest := l.host, l.rest
	if host == "" {
		host, rest, _ = strings.Cut(l.rest, "/")
	}
	switch {
	case rest == "" || base == nil && l.host == "":
		return ""
	case base == nil:
		return "leave the registry out: write " + rest
	case address.SameOrigin(&url.URL{Scheme: base.Scheme, Host: address.ServingHost(strings.ToLower(host))}, base):
		return "leave the registry out: write " + strings.TrimPrefix(rest, strings.TrimPrefix(base.Path+"/", "/"))
	case l.host != "", base.Host == address.HubHost && strings.Contains(host, "."):
		return host + " is another registry: this image belongs to an entry of its own"
	}
	return ""
}
