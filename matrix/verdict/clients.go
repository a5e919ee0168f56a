package verdict

import (
	"net/http"
	"slices"

	"refmatrix/matrix"
)

// family is a set of clients that share a library and so behave alike.
type family struct {
	version string // of the library that the predictions were held to
	clients []string
	alike   []string                                          // others made of the same library, not forecast by name
	pushes  func(*Observation, matrix.Outcome) matrix.Outcome // what a push comes to, given that reading is by the outcome
}

var (
	orasFamily       = family{"oras-go 2.7.0", []string{"oras"}, nil, pushesBySubject}
	notationFamily   = family{"oras-go 2.7.0", []string{"notation"}, nil, pushesTag}
	ggcrFamily       = family{"go-containerregistry 0.22.1", []string{"cosign", "crane"}, []string{"kyverno", "flux", "trivy"}, pushesByStatus}
	regclientFamily  = family{"regclient 0.11.7", []string{"regctl"}, nil, pushesBySubject}
	containerdFamily = family{"containerd 2.4.2", []string{"containerd"}, nil, nil} // it attaches nothing
)

// pushesBySubject: the registry is believed to have listed the artifact where
// PUT answers OCI-Subject, and the tag is written else (distribution
// specification v1.1, "Pushing Manifests with Subject"). With the header no tag
// is written whatever GET answers, so what the client cannot read by the API is
// lost. Where the write probe did not look, a registry with the API is taken to
// answer as it must, unless it is on record for never sending the header.
func pushesBySubject(o *Observation, read matrix.Outcome) matrix.Outcome {
	p := o.Capabilities.Push
	switch measured := p != nil && p.Accepted && !p.WithoutAPI(); {
	case measured && p.OCISubject && (read != matrix.OutcomeAPI || p.Unlisted()):
		return matrix.OutcomeNothing
	case measured && !p.OCISubject, read != matrix.OutcomeAPI, !measured && withoutSubject(o.Product):
		return matrix.OutcomeTag
	}
	return matrix.OutcomeAPI
}

// pushesTag: notation writes the tag unless --force-referrers-tag=false is given.
func pushesTag(*Observation, matrix.Outcome) matrix.Outcome { return matrix.OutcomeTag }

// pushesByStatus: GET referrers is asked after the push, and its status alone
// decides; the tag is written after 404 and 400, and nothing after a 200.
func pushesByStatus(o *Observation, read matrix.Outcome) matrix.Outcome {
	switch o.Referrers.Status {
	case http.StatusOK:
		if read == matrix.OutcomeAPI && !o.Capabilities.Push.Unlisted() {
			return matrix.OutcomeAPI
		}
		return matrix.OutcomeNothing
	case http.StatusNotFound, http.StatusBadRequest:
		return matrix.OutcomeTag
	}
	return matrix.OutcomeError
}

// prediction is one line of the forecast table: how each library reads.
type prediction struct {
	answer                         string // the answer on GET referrers, in words
	when                           func(*Observation) bool
	oras, ggcr, regctl, containerd matrix.Outcome // empty: unknown
}

// predictions is what released clients do with each answer; the first line
// that holds decides, and an answer no client was run against has no forecast.
// The demo fleet's TestClients runs the libraries and holds the table to them.
var predictions = []prediction{
	{"200, an index of the exact type", func(o *Observation) bool { return okIndex(o) && MatchType(o.Referrers.ContentType) == matrix.TypeExact },
		matrix.OutcomeAPI, matrix.OutcomeAPI, matrix.OutcomeAPI, matrix.OutcomeAPI},
	{"200, an index, the type with a parameter", func(o *Observation) bool {
		return okIndex(o) && MatchType(o.Referrers.ContentType) == matrix.TypeParameters
	}, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeAPI, matrix.OutcomeAPI},
	{"200, an index of another type", okIndex,
		matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeAPI},
	{"200, a web page under the index type", func(o *Observation) bool {
		return okBody(o, BodyHTML) && MatchType(o.Referrers.ContentType) == matrix.TypeExact
	}, matrix.OutcomeError, matrix.OutcomeError, matrix.OutcomeTag, matrix.OutcomeError},
	{"200, a web page, text or nothing, under another type", func(o *Observation) bool {
		return okBody(o, BodyHTML, BodyText, BodyEmpty) && MatchType(o.Referrers.ContentType) == matrix.TypeOther
	}, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeError},
	{"200, other JSON under another type", func(o *Observation) bool { // containerd takes it for a list, whatever is in it
		return okBody(o, BodyJSON) && MatchType(o.Referrers.ContentType) == matrix.TypeOther
	}, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeTag, ""},
	{"404 NAME_UNKNOWN, or 400", func(o *Observation) bool {
		return o.Referrers.Status == http.StatusBadRequest || o.Referrers.Status == http.StatusNotFound && o.Referrers.HasCode("NAME_UNKNOWN")
	}, matrix.OutcomeError, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeTag},
	{"404", statusIs(http.StatusNotFound),
		matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeTag},
	{"406", statusIs(http.StatusNotAcceptable),
		matrix.OutcomeError, matrix.OutcomeTag, matrix.OutcomeTag, matrix.OutcomeTag},
	{"any other status from 400 on", func(o *Observation) bool { return o.Referrers.Status >= 400 && !o.Referrers.Token },
		matrix.OutcomeError, matrix.OutcomeError, matrix.OutcomeTag, matrix.OutcomeTag},
}

func okBody(o *Observation, kinds ...BodyKind) bool {
	return o.Referrers.Status == http.StatusOK && slices.Contains(kinds, o.Referrers.Body)
}

// forecast says what each client will do here; nil where nothing was seen
// that a client was run against.
func forecast(o *Observation) map[string]matrix.Forecast {
	// What a client does with a challenge of another origin was not tried.
	foreign := o.Referrers.Elsewhere != "" && o.Referrers.Status == http.StatusUnauthorized
	if !o.resolved() || o.Referrers.Location != "" || foreign {
		return nil
	}
	for _, p := range predictions {
		if !p.when(o) {
			continue
		}
		out := map[string]matrix.Forecast{}
		for _, one := range []struct {
			family
			read matrix.Outcome
		}{{orasFamily, p.oras}, {notationFamily, p.oras}, {ggcrFamily, p.ggcr}, {regclientFamily, p.regctl}, {containerdFamily, p.containerd}} {
			if one.read == "" {
				continue
			}
			f := matrix.Forecast{Read: one.read, Version: one.version}
			if one.pushes != nil {
				f.Push = one.pushes(o, one.read)
			}
			for _, client := range one.clients {
				out[client] = f
			}
		}
		return out
	}
	return nil
}
