package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ggcr "github.com/google/go-containerregistry/pkg/v1/remote"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const indexType = "application/vnd.oci.image.index.v1+json"

const html = "<!DOCTYPE html><html><body>sign in</body></html>"

// answers are what registries say on GET referrers.
var answers = append([]answer{
	{name: "200 index, OCI-Subject", contentType: indexType, body: "{index}", status: 200, subject: true},
	{name: "200 index", contentType: indexType, body: "{index}", status: 200},
	{name: "200 index, charset", contentType: indexType + "; charset=utf-8", body: "{index}", status: 200},
	{name: "200 index, charset, OCI-Subject", contentType: indexType + "; charset=utf-8", body: "{index}", status: 200, subject: true},
	{name: "200 index, charset of no value", contentType: indexType + "; charset", body: "{index}", status: 200},
	{name: "200 index, type in capitals", contentType: "Application/VND.oci.image.index.v1+json", body: "{index}", status: 200},
	{name: "200 index, other type", contentType: "application/json", body: "{index}", status: 200},
	{name: "200 index, other type, OCI-Subject", contentType: "application/json", body: "{index}", status: 200, subject: true},
	{name: "200 index, empty mediaType", contentType: indexType, body: `{"schemaVersion":2,"mediaType":"","manifests":{manifests}}`, status: 200},
	{name: "200 page", contentType: "text/html", body: html, status: 200},
	{name: "200 page, index type", contentType: indexType, body: html, status: 200},
	{name: "200 text", contentType: "text/plain", body: "ok", status: 200},
	{name: "200 empty", status: 200},
	{name: "200 empty, index type", contentType: indexType, status: 200, unsaid: "oras notation cosign crane regctl containerd"},
	{name: "200 JSON", contentType: "application/json", body: "{}", status: 200, unsaid: "containerd"},
	{name: "200 JSON, index type", contentType: indexType, body: "{}", status: 200, unsaid: "oras notation cosign crane regctl containerd"},
	{name: "404 text", contentType: "text/plain", body: "404 page not found", status: 404},
	{name: "404 text, OCI-Subject", contentType: "text/plain", body: "404 page not found", status: 404, subject: true},
	{name: "404 page", contentType: "text/html", body: html, status: 404},
	{name: "404 empty", status: 404},
	{name: "404 index", contentType: indexType, body: "{index}", status: 404},
	{name: "405, OCI-Subject", contentType: "text/plain", status: 405, subject: true},
	{name: "200 empty list, OCI-Subject", contentType: indexType, body: emptyList, status: 200, subject: true},
	{name: "200 empty list", contentType: indexType, body: emptyList, status: 200},
	{name: "404 NAME_UNKNOWN", contentType: "application/json", body: `{"errors":[{"code":"NAME_UNKNOWN"}]}`, status: 404},
	{name: "400", contentType: "application/json", body: `{"errors":[{"code":"UNSUPPORTED"}]}`, status: 400},
	{name: "400 MANIFEST_INVALID", contentType: "application/json", body: `{"errors":[{"code":"MANIFEST_INVALID"}]}`, status: 400},
	{name: "403 page", contentType: "text/html", body: html, status: 403},
	{name: "200 index of 4 MiB", contentType: indexType, body: indexOver(4<<20 - 4096), status: 200},
	{name: "200 index over 4 MiB", contentType: indexType, body: indexOver(4 << 20), status: 200},
	{name: "200 index over 4 MiB, OCI-Subject", contentType: indexType, body: indexOver(4 << 20), status: 200, subject: true},
	{name: "200 index over 4 MiB, sized", contentType: indexType, body: indexOver(4 << 20), status: 200, sized: true},
	{name: "200 index over 4393216 bytes", contentType: indexType, body: indexOver(4393216), status: 200},
	{name: "200 index over 4393216 bytes, sized", contentType: indexType, body: indexOver(4393216), status: 200, sized: true},
	{name: "200 index over 4393216 bytes, other type", contentType: "application/json", body: indexOver(4393216), status: 200, sized: true},
	{name: "200 index over 4393216 bytes, charset", contentType: indexType + "; charset=utf-8", body: indexOver(4393216), status: 200, sized: true},
	{name: "200 empty list, charset", contentType: indexType + "; charset=utf-8", body: emptyList, status: 200},
	{name: "200 empty list, other type", contentType: "application/json", body: emptyList, status: 200},
	{name: "303 to a page of 404", contentType: "text/html", body: html, status: 404, away: "page"},
	{name: "303 to a page of 404 of another origin", contentType: "text/html", body: html, status: 404, away: "another"},
	{name: "303 to a page of 429", contentType: "text/html", body: html, status: 429, away: "page"},
	{name: "303 to a page of 429 of another origin", contentType: "text/html", body: html, status: 429, away: "another"},
	{name: "303 to a page of 200", contentType: "text/html", body: html, status: 200, away: "page"},
	{name: "303 to a page of 200 of another origin", contentType: "text/html", body: html, status: 200, away: "another"},
	{name: "303 to a page of 403 of another origin", contentType: "text/html", body: html, status: 403, away: "another"},
	{name: "303 to a page of 500", contentType: "text/html", body: html, status: 500, away: "page"},
	{name: "200 index, push refused with 401", contentType: indexType, body: "{index}", status: 200, refused: 401},
	{name: "200 index, push refused with 403", contentType: indexType, body: "{index}", status: 200, refused: 403},
	{name: "404, push refused with 405", contentType: "text/plain", body: "404 page not found", status: 404, refused: 405},
	{name: "404, push refused with 400", contentType: "text/plain", body: "404 page not found", status: 404, refused: 400},
}, bare(401, 402, 403, 405, 406, 410, 415, 418, 421, 422, 426, 429, 451, 500, 501, 503)...)

const emptyList = `{"schemaVersion":2,"manifests":[]}`

// indexOver is a list of more bytes than size, most of them before its descriptors.
func indexOver(size int) string {
	return `{"schemaVersion":2,"mediaType":"` + indexType + `","annotations":{"org.example.padding":"` +
		strings.Repeat("x", size) + `"},"manifests":{manifests}}`
}

// bare are answers of a status and nothing else.
func bare(statuses ...int) []answer {
	var out []answer
	for _, status := range statuses {
		out = append(out, answer{name: fmt.Sprint(status), contentType: "text/plain", status: status})
	}
	return out
}

// TestWaysOut: what remedies recommend where the endpoint stops oras and cosign. Forced to
// the tag schema, oras attaches and finds; a .sig tag is written and read.
func TestWaysOut(t *testing.T) {
	for _, a := range append(bare(400, 403, 405, 406, 500, 503), answer{name: "303", contentType: "text/html", body: html, status: 429, away: "page"}) {
		t.Run(a.name, func(t *testing.T) {
			s := serveScripted(t, a)
			repo := s.oras(t)
			if err := repo.SetReferrersCapability(false); err != nil { // as oras does by --distribution-spec v1.1-referrers-tag
				t.Fatal(err)
			}
			content, d := artifact(t, "application/vnd.pushed")
			if err := repo.Push(t.Context(), d, bytes.NewReader(content)); err != nil {
				t.Fatal(err)
			}
			_, of := encode(t, subject, ocispec.MediaTypeImageManifest)
			var found []string
			err := repo.Referrers(t.Context(), of, "", func(page []ocispec.Descriptor) error {
				for _, one := range page {
					found = append(found, one.Digest.String())
				}
				return nil
			})
			if err != nil || !slices.Equal(found, []string{d.Digest.String()}) {
				t.Errorf("oras finds %v, %v", found, err)
			}
			tag, err := name.NewTag(s.host+"/"+repository+":"+strings.Replace(of.Digest.String(), ":", "-", 1)+".sig", name.Insecure)
			if err != nil {
				t.Fatal(err)
			}
			if err := ggcr.Write(tag, empty.Image, ggcrOptions(t)...); err != nil { // a .sig has no subject
				t.Fatal(err)
			}
			if _, err := ggcr.Image(tag, ggcrOptions(t)...); err != nil {
				t.Error(err)
			}
		})
	}
}
