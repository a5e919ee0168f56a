package matrix

import "net/http"

// Outcome is what a client does at a registry.
type Outcome string

// The outcomes of reading referrers and of pushing one.
const (
	OutcomeAPI     Outcome = "api"           // uses the referrers API
	OutcomeTag     Outcome = "tag"           // uses the referrers tag schema
	OutcomeError   Outcome = "error"         // fails, without falling back
	OutcomeNothing Outcome = "nothing-found" // reads an empty list, or writes nothing that is found later
)

// Forecast is what one client will do, and the library version it was seen on.
type Forecast struct {
	Read    Outcome `json:"read"`
	Push    Outcome `json:"push,omitempty"` // empty: the client attaches nothing
	Version string  `json:"version"`
}

// family is a set of clients that share a library and so behave alike.
type family struct {
	version string
	clients []string
}

var (
	orasFamily       = family{"oras-go 2.6.2", []string{"oras", "notation"}}
	ggcrFamily       = family{"go-containerregistry 0.21.9", []string{"cosign", "crane"}}
	regclientFamily  = family{"regclient 0.11.7", []string{"regctl"}}
	containerdFamily = family{"containerd 2.4.2", []string{"containerd"}}
)

type outcomes struct{ read, push Outcome }

// prediction is one line of the forecast table.
type prediction struct {
	answer             string // the answer on GET referrers, in words
	when               func(*Observation) bool
	oras, ggcr, regctl outcomes
	containerd         Outcome // containerd reads referrers and attaches none
}

func both(o Outcome) outcomes { return outcomes{o, o} }

// predictions is what released clients were seen to do with each answer; the
// first line that holds decides, and an answer no client was run against has
// no forecast.
var predictions = []prediction{
	{"200, an index of the exact type", func(o *Observation) bool { return okIndex(o) && MatchType(o.Referrers.ContentType) == TypeExact },
		both(OutcomeAPI), both(OutcomeAPI), both(OutcomeAPI), OutcomeAPI},
	{"200, an index, the type with a parameter", func(o *Observation) bool {
		return okIndex(o) && MatchType(o.Referrers.ContentType) == TypeParameters
	}, both(OutcomeTag), outcomes{OutcomeTag, OutcomeNothing}, both(OutcomeAPI), OutcomeAPI},
	{"200, an index of another type", okIndex,
		both(OutcomeTag), outcomes{OutcomeTag, OutcomeNothing}, both(OutcomeTag), OutcomeAPI},
	{"200, a web page", func(o *Observation) bool { return o.Referrers.Status == http.StatusOK && o.Referrers.Body == BodyHTML },
		both(OutcomeTag), both(OutcomeNothing), both(OutcomeTag), OutcomeError},
	{"404 NAME_UNKNOWN, or 400", func(o *Observation) bool {
		return o.Referrers.Status == http.StatusBadRequest || o.Referrers.Status == http.StatusNotFound && o.Referrers.HasCode("NAME_UNKNOWN")
	}, both(OutcomeError), both(OutcomeTag), both(OutcomeTag), OutcomeTag},
	{"404", statusIs(http.StatusNotFound),
		both(OutcomeTag), both(OutcomeTag), both(OutcomeTag), OutcomeTag},
	{"406", statusIs(http.StatusNotAcceptable),
		both(OutcomeError), outcomes{OutcomeTag, OutcomeError}, both(OutcomeTag), OutcomeTag},
	{"405, 410, 501, 401, 403, 429, 500", func(o *Observation) bool {
		switch o.Referrers.Status {
		case 405, 410, 501, 401, 403, 429, 500:
			return o.Referrers.Location == "" && !o.Referrers.Token
		}
		return false
	}, both(OutcomeError), both(OutcomeError), both(OutcomeTag), OutcomeTag},
}

// forecast says what each client will do here; nil where nothing was seen
// that a client was run against.
func forecast(o *Observation) map[string]Forecast {
	if !o.resolved() || o.Referrers.Location != "" {
		return nil
	}
	for _, p := range predictions {
		if !p.when(o) {
			continue
		}
		out := map[string]Forecast{}
		add := func(f family, does outcomes) {
			if does.push == OutcomeAPI {
				does.push = measuredPush(o)
			}
			for _, client := range f.clients {
				out[client] = Forecast{Read: does.read, Push: does.push, Version: f.version}
			}
		}
		add(orasFamily, p.oras)
		add(ggcrFamily, p.ggcr)
		add(regclientFamily, p.regctl)
		add(containerdFamily, outcomes{read: p.containerd})
		return out
	}
	return nil
}

// measuredPush is what a client that reads by the API does on a push: the tag
// as well where the write probe saw no OCI-Subject (distribution specification
// v1.1, "Pushing Manifests with Subject").
func measuredPush(o *Observation) Outcome {
	if p := o.Capabilities.Push; p != nil && !p.OCISubject && p.Strategy != PushRefused {
		return OutcomeTag
	}
	return OutcomeAPI
}
