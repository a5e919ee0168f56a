package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"
)

// Scratch is the repository that the write probe may use.
const Scratch = "scratch/refmatrix"

// usualImages are those of every registry that has no others.
var usualImages = []string{Linked + ":" + LinkedTag, Bare + ":" + BareTag}

// WriteInventory writes the inventory of the fleet and the files it names
// beside it, and returns its path.
func (f *Fleet) WriteInventory() (string, error) {
	for name, password := range map[string]string{"password": Password, "wrong-password": WrongPassword} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(password+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("write the password file: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(f.dir, "ca.pem"), f.CA(), 0o644); err != nil {
		return "", fmt.Errorf("write the authority's certificate: %w", err)
	}
	var entries []map[string]any
	for _, r := range f.registries {
		entries = append(entries, entry(r))
	}
	encoded, err := yaml.Marshal(map[string]any{
		"version": 1,
		"defaults": map[string]any{
			"images": usualImages,
			"rate":   0, "timeout": "5s", "retries": 1, "retryCap": "2s",
		},
		"registries": entries,
	})
	if err != nil {
		return "", fmt.Errorf("write the inventory: %w", err)
	}
	path := filepath.Join(f.dir, "inventory.yaml")
	if err := os.WriteFile(path, encoded, 0o644); err != nil {
		return "", fmt.Errorf("write the inventory: %w", err)
	}
	return path, nil
}

// required are the registries of whose images the inventory requires kinds: one without the
// referrers API, and one with it that has the image Platforms too.
var required = map[string]struct{ images, kinds []string }{
	"ggcr-tags": {usualImages, []string{"signature", "sbom"}},
	"ggcr-referrers": {
		append(slices.Clone(usualImages), Platforms+":"+PlatformsTag),
		[]string{"signature", "sbom", "provenance"},
	},
}

func entry(r Registry) map[string]any {
	e := map[string]any{
		"name":   r.Name,
		"url":    r.URL,
		"labels": map[string]string{"kind": r.Kind, "group": r.Group},
	}
	switch {
	case r.Password == WrongPassword:
		e["auth"] = map[string]any{"username": r.Username, "passwordFile": "wrong-password"}
	case r.Username != "":
		e["auth"] = map[string]any{"username": r.Username, "passwordFile": "password"}
	default:
		e["auth"] = map[string]any{"anonymous": true}
	}
	if r.TLS {
		e["tls"] = map[string]any{"caFile": "ca.pem"}
	}
	if of, ok := required[r.Name]; ok {
		e["images"], e["require"] = of.images, of.kinds
	}
	switch {
	case r.Image != "":
		e["images"] = []string{r.Image}
	case r.Down && r.Kind == "none":
		e["images"] = []string{Linked + ":" + LinkedTag}
	case r.probed != "":
		e["images"] = []string{r.probed}
		e["writeProbe"] = map[string]any{"repository": Scratch}
	default:
		e["writeProbe"] = map[string]any{"repository": Scratch}
	}
	return e
}
