package matrix

// RegistryChange is a change that all images of a registry have. It is one change of the
// registry: a registry that is gone with its 12 images is not 12 changes.
type RegistryChange struct {
	Registry string     `json:"registry"`
	Kind     ChangeKind `json:"kind"`
	Images   int        `json:"images"` // that the registry has in one of the scans, each once
}

// registryKind is a kind of change at a registry.
type registryKind struct {
	registry string
	kind     ChangeKind
}

// registryChanges returns the registries all of whose images have a change of one kind, in the
// order of changes. images counts the images of each registry in both scans.
func registryChanges(changes []Change, images map[string]int) (out []RegistryChange) {
	counts := countChanges(changes)
	for i := range changes {
		key := registryKind{changes[i].Registry, changes[i].Kind}
		if n := counts[key]; n == images[key.registry] {
			out = append(out, RegistryChange{key.registry, key.kind, n})
			delete(counts, key)
		}
	}
	return out
}

func countChanges(changes []Change) map[registryKind]int {
	counts := map[registryKind]int{}
	for i := range changes {
		counts[registryKind{changes[i].Registry, changes[i].Kind}]++
	}
	return counts
}

// countImages counts the images of each registry that are in one of two scans.
func countImages(older, newer []Row) map[string]int {
	seen := map[key]bool{}
	counts := map[string]int{}
	for _, rows := range [][]Row{older, newer} {
		for i := range rows {
			if k := rows[i].key(); !seen[k] {
				seen[k] = true
				counts[rows[i].Registry]++
			}
		}
	}
	return counts
}

// keepRegistries returns those of registries all of whose changes are still among changes.
func keepRegistries(registries []RegistryChange, changes []Change) (out []RegistryChange) {
	counts := countChanges(changes)
	for _, r := range registries {
		if counts[registryKind{r.Registry, r.Kind}] == r.Images {
			out = append(out, r)
		}
	}
	return out
}

// Size returns the number of changes. What all images of a registry have in common is one.
func (d Diff) Size() int {
	n := len(d.Changes)
	for _, r := range d.Registries {
		n -= r.Images - 1
	}
	return n
}
