package probe_test

import (
	"encoding/json"
	"strings"
	"testing"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
)

// TestLinksHoldNoSecret: a password that the registry sends as a part of a digest, a type, a
// platform or a link to a page is in no place of the row and in none of its exchanges.
func TestLinksHoldNoSecret(t *testing.T) {
	build := func() (c *contents, passwords map[string]string) {
		c = newContents()
		amd64, arm64 := on(c.image("a"), "linux/swordfish7391"), on(c.image("b"), "linux/arm64")
		image := c.index("1", amd64, arm64)
		artifact := c.artifact("application/vnd.trombone8842", nil)
		c.attach(amd64, artifact)
		c.attachByTag(arm64, c.artifact(notationType, nil))
		c.sign(image)
		part := func(d map[string]any) string { return d["digest"].(string)[20:36] }
		return c, map[string]string{
			"a platform's name":     "swordfish7391",
			"an artifact's type":    "trombone8842",
			"the image's digest":    part(image),
			"a platform's digest":   part(amd64),
			"another one's digest":  part(arm64),
			"an artifact's digest":  part(artifact),
			"all of a digest":       strings.TrimPrefix(amd64["digest"].(string), "sha256:"),
			"a digest and a suffix": strings.TrimPrefix(image["digest"].(string), "sha256:")[50:] + ".sig",
		}
	}
	_, passwords := build()
	for name, password := range passwords {
		t.Run(name, func(t *testing.T) {
			c, _ := build()
			row := c.probed(t, probe.Full, func(r *inventory.Registry) {
				r.Auth = inventory.Auth{Username: "u", Password: inventory.Secret(password)}
			})
			text, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			if at := strings.Index(string(text), password); at >= 0 {
				t.Errorf("the row has %s", text[max(at-100, 0):min(at+100, len(text))])
			}
			if row.Links == nil || row.Links.Total == 0 {
				t.Error("the row has no links")
			}
		})
	}
}
