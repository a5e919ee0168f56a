package hostile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestPasswordsOfTheProtocol: a password that is a word of the protocol, and of
// what reports say themselves, changes no verdict and no word of ours, and a
// registry that repeats it finds it in no report.
func TestPasswordsOfTheProtocol(t *testing.T) {
	const image = "json/image/index/manifests"
	passwords := []string{"canary-8hX2kQ9v", "json", "image", "index", "manifests"}
	dir := t.TempDir()
	text := "version: 1\ndefaults: {images: [" + image + "], rate: 0, retries: 0, timeout: 20s}\nregistries:\n"
	var names []string
	for n, password := range passwords {
		s := serveHTTP(t, n, nil, func(*server) http.HandlerFunc { return repeating(password) })
		names = append(names, fmt.Sprint("registry ", n))
		text += fmt.Sprintf("  - {name: '%s', url: '%s', auth: {username: robot, passwordFile: %s}}\n", names[n], s.origin, writeSecret(t, dir, fmt.Sprint("secret-", n), password))
	}
	_, shown := run(t, dir, text, nil, names...)
	for _, password := range passwords {
		if strings.Contains(shown, "echo-"+password) {
			t.Errorf("%s is in a report", password)
		}
	}
	if strings.Count(shown, "echo-***") < len(passwords) {
		t.Error("nothing was repeated, so that nothing was tried")
	}
	content, err := os.ReadFile(filepath.Join(dir, "out", "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Rows []map[string]any }
	if err := json.Unmarshal(content, &m); err != nil || len(m.Rows) != len(passwords) {
		t.Fatalf("%d rows, %v", len(m.Rows), err)
	}
	for n, one := range m.Rows {
		if one["reason"] != "referrers-listed" || one["image"] != image+":latest" {
			t.Errorf("%s: %v of %v", passwords[n], one["reason"], one["image"])
		}
		for _, key := range []string{"severity", "referrers", "strategy", "confidence", "detail", "remedy", "requests", "clients", "findings", "image"} {
			if first := m.Rows[0]; !reflect.DeepEqual(first[key], one[key]) {
				t.Errorf("%s: %s is %v, and not %v", passwords[n], key, one[key], first[key])
			}
		}
	}
}

// repeating is a healthy registry with Basic that repeats the password wherever a
// report has a place for text of the registry's.
func repeating(password string) http.HandlerFunc {
	echo := "echo-" + password
	list := `{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"artifactType":"application/vnd.` + echo + `","size":1,"digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111"}]}`
	return func(w http.ResponseWriter, r *http.Request) {
		if _, sent, _ := r.BasicAuth(); sent != password {
			wants(w, `Basic realm="x"`)
			return
		}
		w.Header().Set("Server", "Nexus/3.80.0-06 "+echo)
		w.Header().Set("Warning", `299 - "`+echo+`"`)
		switch path := r.URL.Path; {
		case strings.HasSuffix(path, "/manifests/latest"):
			w.Header().Set("Docker-Content-Digest", manifestDigest)
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json; "+echo)
		case strings.HasSuffix(path, "/referrers/"+manifestDigest) && !r.URL.Query().Has("artifactType"):
			w.Header().Set("Content-Type", indexType)
			_, _ = fmt.Fprint(w, list)
		case strings.Contains(path, "/referrers/sha256:"):
			empty(w, r)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, echo, echo)
		}
	}
}
