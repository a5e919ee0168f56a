package fleet

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// front answers some requests for the registry behind it. Its origin is the scheme, host and port
// of the registry that clients see.
type front func(origin string, next http.Handler) http.Handler

// behind is a front with a registry of its own behind it, which takes the content.
func behind(store func() http.Handler, inFront front) func(*Fleet, *Registry) (server, error) {
	return func(_ *Fleet, r *Registry) (server, error) {
		content := store()
		return server{handler: inFront(r.URL, content), content: content}, nil
	}
}

// withAccount is behind for a registry that wants the fleet's account.
func withAccount(store func() http.Handler, inFront front) func(*Fleet, *Registry) (server, error) {
	return func(f *Fleet, r *Registry) (server, error) {
		r.Username, r.Password = Username, Password
		return behind(store, inFront)(f, r)
	}
}

// withoutAPI is a registry that has no referrers API and sends no OCI-Subject.
func withoutAPI() http.Handler { return ggcr.New(ggcr.Logger(silent)) }

// endpoint splits the path of a request to a repository; the kind is manifests, blobs, referrers or
// tags. It is empty for every other path.
func endpoint(r *http.Request) (repository, kind, reference string) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v2/")
	if !ok {
		return "", "", ""
	}
	parts := strings.Split(path, "/")
	for i := len(parts) - 2; i > 0; i-- {
		switch parts[i] {
		case "manifests", "blobs", "referrers", "tags":
			return strings.Join(parts[:i], "/"), parts[i], strings.Join(parts[i+1:], "/")
		}
	}
	return "", "", ""
}

// reads reports whether a request only reads.
func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// refuse answers with an error as the distribution specification has it.
func refuse(w http.ResponseWriter, status int, code, message string) {
	send(w, status, "application/json", ociError(code, message))
}

// ociError is the body of an error of the distribution specification ("Error codes").
func ociError(code, message string) string {
	body, err := json.Marshal(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})
	if err != nil {
		panic(err) // strings always encode
	}
	return string(body)
}

// send answers with a body, and with its length alone to HEAD.
func send(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // net/http itself drops the body of an answer to HEAD
}

// atReferrers is a front that answers at /referrers/ alone.
func atReferrers(answer http.HandlerFunc) front {
	return func(_ string, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, kind, _ := endpoint(r); kind == "referrers" {
				answer(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// everywhere is a front that answers every request itself.
func everywhere(answer http.HandlerFunc) front {
	return func(string, http.Handler) http.Handler { return answer }
}

// refusal answers every request with one error.
func refusal(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, message) }
}

// listed is a front that lists what the registry behind it does, and what more returns. An empty
// list is an array and not null, also for a repository that does not exist; head is the status of
// HEAD.
func listed(head int, more func(next http.Handler, r *http.Request) []ocispec.Descriptor) front {
	return func(_ string, next http.Handler) http.Handler {
		return atReferrers(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(head)
				return
			}
			answer := answerOf(next, r)
			var index ocispec.Index
			switch {
			case answer.Code == http.StatusNotFound:
				sendList(w, r, nil)
			case answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &index) != nil:
				relay(w, answer)
			default:
				sendList(w, r, append(index.Manifests, more(next, r)...))
			}
		})("", next)
	}
}

// sendList answers with an index of descriptors, filtered if the request has a filter.
func sendList(w http.ResponseWriter, r *http.Request, all []ocispec.Descriptor) {
	filter := r.URL.Query().Get("artifactType")
	shown := []ocispec.Descriptor{}
	for _, d := range all {
		if filter == "" || d.ArtifactType == filter {
			shown = append(shown, d)
		}
	}
	if filter != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	body, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: shown,
	})
	if err != nil {
		panic(err) // descriptors that were decoded encode again
	}
	send(w, http.StatusOK, ocispec.MediaTypeImageIndex, string(body))
}

// nothing is what listed adds where the list is only that of the registry behind.
func nothing(http.Handler, *http.Request) []ocispec.Descriptor { return nil }

// relay passes an answer on unchanged.
func relay(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// described is the descriptor of a manifest at the registry behind a front; false if it is not
// there.
func described(next http.Handler, r *http.Request, repository, reference string) (ocispec.Descriptor, bool) {
	path := "/v2/" + repository + "/manifests/" + reference
	own := httptest.NewRequestWithContext(r.Context(), http.MethodGet, path, nil)
	own.Header.Set("Accept", manifestTypes)
	answer := answerOf(next, own)
	return ocispec.Descriptor{
		MediaType: answer.Header().Get("Content-Type"),
		Digest:    digest.FromBytes(answer.Body.Bytes()),
		Size:      int64(answer.Body.Len()),
	}, answer.Code == http.StatusOK
}

// cosignTag is the tag of what cosign 2 leaves beside an image.
func cosignTag(image, suffix string) string { return strings.Replace(image, ":", "-", 1) + suffix }
