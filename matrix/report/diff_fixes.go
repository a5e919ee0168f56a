package report

import (
	"refmatrix/matrix"
)

// changeFix is the changes of one kind that need the same to be done.
type changeFix struct {
	remedy string // what to do first, "" if nothing is
	places changePlaces
	seen   []changeSeen
}

// changeSeen is the changes of a fix that read the same.
type changeSeen struct {
	detail string
	fields string
	places changePlaces
}

// changePlaces are images by their registries, in the order of changes or rows.
type changePlaces struct {
	registries []string
	images     map[string][]string // by registry
	total      int                 // images
}

func (p *changePlaces) add(registry, image string) {
	if p.images == nil {
		p.images = map[string][]string{}
	}
	if p.images[registry] == nil {
		p.registries = append(p.registries, registry)
	}
	p.images[registry] = append(p.images[registry], image)
	p.total++
}

// changeFixes returns the changes of a kind by what to do, in their order.
func changeFixes(d matrix.Diff, kind matrix.ChangeKind) []*changeFix {
	var out []*changeFix
	fixes := map[string]*changeFix{}
	seen := map[[3]string]int{}
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Kind != kind {
			continue
		}
		remedy := ""
		if len(c.Remedy) > 0 && kind != matrix.Improvement && kind != matrix.Recovered {
			remedy = c.Remedy[0]
		}
		f := fixes[remedy]
		if f == nil {
			f = &changeFix{remedy: remedy}
			fixes[remedy], out = f, append(out, f)
		}
		f.places.add(c.Registry, c.Image)
		one := changeSeen{detail: c.Detail, fields: fieldText(*c)}
		key := [3]string{remedy, withoutIDs(one.detail, c.URL), one.fields}
		at, ok := seen[key]
		if !ok {
			at = len(f.seen)
			seen[key], f.seen = at, append(f.seen, one)
		}
		f.seen[at].places.add(c.Registry, c.Image)
	}
	return out
}

// wholeRegistries returns the registries all of whose images have a change of kind.
func wholeRegistries(d matrix.Diff, kind matrix.ChangeKind) map[string]bool {
	out := map[string]bool{}
	for _, r := range d.Registries {
		if r.Kind == kind {
			out[r.Registry] = true
		}
	}
	return out
}

// names lists the registries of p, limit of them at most, with their images while these are
// few. format is how the medium sets a registry off. With a limit of 0 it counts
// them alone.
func (p *changePlaces) names(m medium, format string, whole map[string]bool, limit int) markup {
	if limit == 0 {
		return m.sprintf("%s, %s", matrix.Quantity(len(p.registries), "registry"), matrix.Quantity(p.total, "image"))
	}
	var parts []markup
	for i, registry := range p.registries {
		if i == limit {
			parts = append(parts, m.sprintf("and %s", matrix.Quantity(len(p.registries)-i, "more registry")))
			break
		}
		images := p.images[registry]
		part := m.sprintf(format, nameText(registry))
		switch n := matrix.Quantity(len(images), "image"); {
		case len(images) <= maxNamedImages:
			part += m.sprintf(" %s", m.names(images))
		case whole[registry]:
			part += m.sprintf(" (all %s)", n)
		default:
			part += m.sprintf(" (%s)", n)
		}
		parts = append(parts, part)
	}
	return join(parts, "; ")
}
