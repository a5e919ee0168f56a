package fleet

import (
	"net/http"
	"net/http/httptest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// inProcess is a transport that hands every request to a handler, without a connection.
type inProcess struct{ handler http.Handler }

// RoundTrip returns the handler's answer. Its error is that of a context that has ended.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	request := r.Clone(r.Context())
	if request.Body == nil {
		request.Body = http.NoBody
	}
	response := answerOf(p.handler, request).Result()
	response.Request = r
	return response, nil
}

// answerOf returns what a handler answers to a request.
func answerOf(handler http.Handler, r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

// manifestTypes are what clients accept of a manifest, in one line as they send it.
const manifestTypes = ocispec.MediaTypeImageIndex + ", " + ocispec.MediaTypeImageManifest + ", " +
	"application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
