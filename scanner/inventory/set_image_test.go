package inventory_test

import (
	"fmt"
	"testing"

	"refmatrix/scanner/inventory"
)

// TestSetImage: an image that is chosen on the command line is read as images: would, and is
// not the default one.
func TestSetImage(t *testing.T) {
	inv, err := parse(t, "version: 1\nregistries: [{url: docker.io}, {url: a.example, images: [b]}]\n")
	if err != nil {
		t.Fatal(err)
	}
	hub, other := &inv.Registries[0], &inv.Registries[1]
	for _, test := range []struct {
		registry *inventory.Registry
		text     string
		want     string
	}{
		{hub, "alpine", "[library/alpine:latest]"},
		{hub, "team/app:1", "[team/app:1]"},
		{other, "app:2", "[app:2]"},
	} {
		if err := test.registry.SetImage(test.text); err != nil || fmt.Sprint(test.registry.Images) != test.want || test.registry.NoImages {
			t.Errorf("%s: %v, %s, none given %v", test.text, err, test.registry.Images, test.registry.NoImages)
		}
	}
	if err := other.SetImage("UPPER"); err == nil || fmt.Sprint(other.Images) != "[app:2]" {
		t.Errorf("UPPER is taken: %v, %s", err, other.Images)
	}
}
