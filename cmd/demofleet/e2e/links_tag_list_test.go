package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	inmemory "github.com/google/go-containerregistry/pkg/registry"
)

// TestTagList: what is attached by tags is found, whatever the list of the repository's tags
// says. Entries of three images have that list read.
func TestTagList(t *testing.T) {
	front := &refusing{next: inmemory.New(inmemory.Logger(log.New(io.Discard, "", 0)))}
	server := serve(t, front.ServeHTTP)
	image := fill(t, server.URL)
	tags := []string{"latest", "second", "third"}
	repo := plainRepository(t, server.URL, repository)
	var images []string
	for _, tag := range tags {
		if err := repo.Tag(t.Context(), image.index, tag); err != nil {
			t.Fatal(err)
		}
		images = append(images, repository+":"+tag)
	}
	w := newWeeks(t, "tags", server.URL, strings.Join(images, ", "),
		", timeout: 1s, require: ["+strings.ReplaceAll(required, " ", ", ")+"]")
	// What cosign 2 attached to the image itself shows that a list hides it.
	pushProvenance(t, repo, digestTag(image.index)+".att")
	judgeAll(t, w, true)
	w.baseline = w.history()[0]
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, 0} {
		t.Run(fmt.Sprintf("refused/%d", status), func(t *testing.T) {
			w.t = t
			front.refuse(refusal{path: "/tags/list$"}, image, status)
			judgeAll(t, w, status == http.StatusForbidden || status == http.StatusNotFound)
		})
	}
	front.now.Store(nil)
	// A pull-through proxy may list what it has cached, and products hide tags that are not of
	// images.
	for name, hidden := range map[string]string{"cosign's tags": ".att", "referrers tags": "sha256-"} {
		t.Run("hides "+name, func(t *testing.T) {
			w.t = t
			front.hidden.Store(&hidden)
			judgeAll(t, w, true)
		})
	}
}

// judgeAll scans and compares the coverage of every row, none of which has lost a link. If it is
// not exact, a row may have had no time for all: more is unknown then.
func judgeAll(t *testing.T, w *weeks, exact bool) {
	t.Helper()
	const want = "present present present absent"
	for i, r := range w.scanAll(0, "lost") {
		got := coverage(r)
		for n, kind := range strings.Fields(got) {
			if right := strings.Fields(want)[n]; kind != right && (exact || kind != "unknown") || len(r.Lost) > 0 {
				t.Errorf("row %d: %s, lost %+v, want %s and nothing", i, got, r.Lost, want)
				break
			}
		}
	}
}

// listTags lists the tags of the registry, but for those that hold a text.
func (f *refusing) listTags(w http.ResponseWriter, r *http.Request, hidden string) {
	answer := httptest.NewRecorder()
	f.next.ServeHTTP(answer, r)
	var list struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	shown := []string{}
	for _, tag := range list.Tags {
		if !strings.Contains(tag, hidden) {
			shown = append(shown, tag)
		}
	}
	list.Tags = shown
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list)
}
