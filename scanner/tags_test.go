package scanner_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/scanner/probe"
)

// tagList is how a registry lists the tags of four images, and what is requested then.
type tagList struct {
	name   string
	list   func(http.ResponseWriter, *http.Request) bool
	exists map[string]bool
	lists  int // requests for the list
	tags   int // requests for referrers tags, of 4 images
	cosign int // requests for cosign tags
}

// tagPage answers with one page of tags.
func tagPage(status int, link string, names ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, q *http.Request) bool {
		if link != "" {
			w.Header().Set("Link", link)
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"tags": names})
		return true
	}
}

// numberedTags are n tags, of which the first four are those of the images.
func numberedTags(n int) []string {
	names := []string{"v0", "v1", "v2", "v3"}
	for i := len(names); i < n; i++ {
		names = append(names, fmt.Sprintf("x%d", i))
	}
	return names
}

// fourTags are those of the images alone, and tagOf is the referrers tag of one of them.
var fourTags = numberedTags(4)

func tagOf(tag string) string { return strings.Replace(hubDigest("app-0:"+tag), ":", "-", 1) }

var tagLists = []tagList{
	{"the tags of images alone", nil, nil, 1, 1, 3},
	{"a referrers tag", nil, map[string]bool{tagOf("v2"): true}, 1, 4, 3},
	{"the referrers tag of the first image", nil, map[string]bool{tagOf("v0"): true}, 1, 4, 3},
	{"a signature of cosign", nil, map[string]bool{tagOf("v2") + ".sig": true}, 1, 1, 6},
	{"pulled tags alone, a referrers tag among them", tagPage(http.StatusOK, "", append([]string{tagOf("v1")}, fourTags...)...),
		map[string]bool{tagOf("v1"): true, tagOf("v2"): true}, 1, 4, 3},
	{"pulled tags alone, a signature of cosign among them", tagPage(http.StatusOK, "", append([]string{tagOf("v1") + ".sig"}, fourTags...)...),
		map[string]bool{tagOf("v1") + ".sig": true, tagOf("v2") + ".sig": true}, 1, 1, 6},
	{"a signature of cosign is missing", tagPage(http.StatusOK, "", fourTags...),
		map[string]bool{tagOf("v0") + ".sig": true, tagOf("v1") + ".sig": true}, 1, 4, 12},
	{"refused", tagPage(http.StatusForbidden, "", fourTags...), nil, 1, 4, 12},
	{"not there", tagPage(http.StatusNotFound, ""), nil, 1, 4, 12},
	{"a server in trouble", tagPage(http.StatusServiceUnavailable, ""), nil, 2, 4, 12},
	{"the first image's tag is missing", tagPage(http.StatusOK, "", "v1", "v2", "v3"), nil, 1, 4, 12},
	{"another image's tag is missing", tagPage(http.StatusOK, "", "v0", "v1", "v3"), nil, 1, 2, 6},
	{"a tag that exists is missing", tagPage(http.StatusOK, "", fourTags...),
		map[string]bool{tagOf("v0"): true}, 1, 4, 12},
	{"a tag that does not exist", tagPage(http.StatusOK, "", append([]string{tagOf("v0")}, fourTags...)...),
		nil, 1, 4, 12},
	{"as long as pages are", tagPage(http.StatusOK, "", numberedTags(100)...), nil, 1, 4, 12},
	{"too many", tagPage(http.StatusOK, "", numberedTags(10_001)...), nil, 1, 4, 12},
	{"the next page on another origin", tagPage(http.StatusOK, `<http://127.0.0.9:1/x>; rel="next"`, fourTags...), nil, 1, 4, 12},
	{"the same page for ever", tagPage(http.StatusOK, `<?last=v3>; rel=next`, fourTags...), nil, 2, 4, 12},
	{"a last page that links on", func(w http.ResponseWriter, q *http.Request) bool {
		names := fourTags[:2]
		switch q.URL.Query().Get("last") {
		case "v1":
			names = fourTags[2:]
		case "v3":
			names = nil
		}
		w.Header().Set("Link", fmt.Sprintf(`<?last=%s>;rel="next"`, append([]string{"v3"}, names...)[len(names)]))
		_ = json.NewEncoder(w).Encode(map[string]any{"tags": names})
		return true
	}, nil, 3, 1, 3},
	{"more pages than are read", func(w http.ResponseWriter, q *http.Request) bool {
		n := len(q.URL.Query().Get("last"))
		w.Header().Set("Link", fmt.Sprintf(`<?last=%s>;rel="next"`, strings.Repeat("x", n+1)))
		_ = json.NewEncoder(w).Encode(map[string]any{"tags": append([]string{fmt.Sprint("x", n)}, fourTags...)})
		return true
	}, nil, 20, 4, 12},
	{"not a list", func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `{"tags":[["v0"]]}`)
		return true
	}, nil, 1, 4, 12},
	{"a web page", func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `<html>`)
		return true
	}, nil, 1, 4, 12},
}

// TestListOfTags: a tag that the list of tags does not have is not requested, unless the list
// cannot be relied on.
func TestListOfTags(t *testing.T) {
	for _, test := range tagLists {
		t.Run(test.name, func(t *testing.T) {
			h := &hub{repositories: 1, tags: 4, list: test.list, exists: test.exists}
			m := h.scan(t, probe.Full, 4)
			if got := [3]int{h.kinds["tags"], h.kinds["tag"], h.kinds["cosign"]}; got != [3]int{test.lists, test.tags, test.cosign} {
				t.Errorf("requests for the list, referrers tags and cosign tags: %v, want %v", got, [3]int{test.lists, test.tags, test.cosign})
			}
			for _, row := range m.Rows {
				tag, caps := strings.Replace(row.Digest, ":", "-", 1), row.Capabilities
				state := matrix.TagAbsent
				if test.exists[tag] {
					state = matrix.TagIndex
				}
				if caps.TagSchema == nil || caps.TagSchema.Tag != tag || caps.TagSchema.State != state {
					t.Errorf("%s: the referrers tag is %+v, want %s", row.Image, caps.TagSchema, state)
				}
				if want := test.exists[tag+".sig"]; want != slices.Contains(caps.CosignTags, ".sig") || caps.CosignTags == nil {
					t.Errorf("%s: the cosign tags are %q", row.Image, caps.CosignTags)
				}
			}
		})
	}
	h := &hub{repositories: 1, tags: 2}
	if h.scan(t, probe.Full, 4); h.kinds["tags"] != 0 || h.kinds["tag"] != 2 {
		t.Errorf("two images: %v", h.kinds)
	}
}
