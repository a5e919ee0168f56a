package verdict

import (
	"net/http"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// library is what a set of clients is made of, which is why they behave alike.
type library struct {
	version     string                          // that the predictions were held to
	clients     []string                        // forecast by name
	sameLibrary []string                        // others made of it, not forecast by name
	reads       func(prediction) matrix.Outcome // its column of the table of predictions

	// listLimit is the size in bytes of the longest list that it reads; 0 means that it
	// reads all that refmatrix does. overLimit is how it reads a longer one.
	listLimit int64
	overLimit func(*Referrers) matrix.Outcome

	// pushes returns what a push comes to, given the outcome of reading. It is nil
	// if the library attaches nothing.
	pushes func(o *Observation, read matrix.Outcome) matrix.Outcome
}

// libraries lists every library, in the order in which reports name its clients.
var libraries = []library{
	{
		version:   "oras-go 2.7.0",
		clients:   []string{"oras"},
		reads:     func(p prediction) matrix.Outcome { return p.oras },
		listLimit: orasLimit,
		overLimit: failsOnCutList,
		pushes:    pushesBySubject,
	},
	{
		version:   "oras-go 2.7.0",
		clients:   []string{"notation"},
		reads:     func(p prediction) matrix.Outcome { return p.oras },
		listLimit: orasLimit,
		overLimit: failsOnCutList,
		pushes:    pushesTag,
	},
	{
		version:     "go-containerregistry 0.22.1",
		clients:     []string{"cosign", "crane"},
		sameLibrary: []string{"kyverno", "flux", "trivy"},
		reads:       func(p prediction) matrix.Outcome { return p.ggcr },
		pushes:      pushesByStatus,
	},
	{
		version: "regclient 0.11.7",
		clients: []string{"regctl"},
		reads:   func(p prediction) matrix.Outcome { return p.regctl },
		pushes:  pushesBySubject,
	},
	{
		version:   "containerd 2.4.2",
		clients:   []string{"containerd"},
		reads:     func(p prediction) matrix.Outcome { return p.containerd },
		listLimit: containerdLimit,
		overLimit: skipsSizedList,
	},
}

// The sizes in bytes of the longest lists that clients read: oras-go's default of
// MaxMetadataBytes, and containerd's MaxManifestSize, whose factors are not powers of two.
const (
	orasLimit       = 4 << 20
	containerdLimit = 4 * 1048 * 1048
)

// failsOnCutList is a client that cuts a list at its limit, and finds the JSON incomplete.
func failsOnCutList(*Referrers) matrix.Outcome { return matrix.OutcomeError }

// skipsSizedList is a client that takes a list whose Content-Length is over its limit for
// an absent one. It cuts a list without Content-Length, and fails.
func skipsSizedList(r *Referrers) matrix.Outcome {
	if r.Sized {
		return matrix.OutcomeNothing
	}
	return failsOnCutList(r)
}

// pushesBySubject is a client that believes OCI-Subject: if PUT answers with it, the
// client writes no tag, else it does (distribution specification v1.1, "Pushing
// Manifests with Subject"). With the header no tag is written whatever GET answers,
// so what the client cannot read by the API is lost. Without a write probe, a
// registry with the API is assumed to send the header, unless it is on record for
// never sending it.
func pushesBySubject(o *Observation, read matrix.Outcome) matrix.Outcome {
	p := o.Capabilities.Push
	sends := okIndex(o) && read != matrix.OutcomeTag && !withoutSubject(o.Product)
	if p != nil && p.Accepted && !p.WithoutAPI() {
		sends = p.OCISubject
	}
	switch {
	case !sends:
		return matrix.OutcomeTag
	case read != matrix.OutcomeAPI || p.Unlisted():
		return matrix.OutcomeNothing
	}
	return matrix.OutcomeAPI
}

// pushesTag is a client that always writes the tag, as notation does without
// --force-referrers-tag=false.
func pushesTag(*Observation, matrix.Outcome) matrix.Outcome { return matrix.OutcomeTag }

// pushesByStatus is a client that requests the referrers after the push and goes by
// the status alone: it writes the tag after 404 and 400, and nothing after a 200.
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

// prediction is one entry of the forecast table: how each library reads.
type prediction struct {
	answer                         string // the answer on GET referrers, as a reader reads it
	when                           func(*Observation) bool
	oras, ggcr, regctl, containerd matrix.Outcome // "" = unknown
}

const (
	api   = matrix.OutcomeAPI
	tag   = matrix.OutcomeTag
	fails = matrix.OutcomeError
)

// predictions is what released clients do with each answer; the first entry that
// holds decides, and an answer no client was run against has no forecast. The
// demo fleet's TestClients runs the libraries and holds the table to them.
var predictions = []prediction{
	{"200, an index of the exact type", func(o *Observation) bool {
		return okIndex(o) && MatchType(o.Referrers.ContentType) == matrix.TypeExact
	}, api, api, api, api},
	{"200, an index, the type with a parameter", func(o *Observation) bool {
		return okIndex(o) && MatchType(o.Referrers.ContentType) == matrix.TypeParameters
	}, tag, tag, api, api},
	{"200, an index of another type", okIndex, tag, tag, tag, api},
	{"200, a web page under the index type", func(o *Observation) bool {
		return okBody(o, BodyHTML) && MatchType(o.Referrers.ContentType) == matrix.TypeExact
	}, fails, fails, tag, fails},
	{"200, a web page, text or nothing, under another type", func(o *Observation) bool {
		return okBody(o, BodyHTML, BodyText, BodyEmpty) && MatchType(o.Referrers.ContentType) == matrix.TypeOther
	}, tag, tag, tag, fails},
	{"200, other JSON under another type", func(o *Observation) bool { // containerd takes it for a list, whatever is in it
		return okBody(o, BodyJSON) && MatchType(o.Referrers.ContentType) == matrix.TypeOther
	}, tag, tag, tag, ""},
	{"404 NAME_UNKNOWN, or 400", func(o *Observation) bool {
		return o.Referrers.Status == http.StatusBadRequest ||
			o.Referrers.Status == http.StatusNotFound && o.Referrers.HasCode("NAME_UNKNOWN")
	}, fails, tag, tag, tag},
	{"404", statusIs(http.StatusNotFound), tag, tag, tag, tag},
	{"406", statusIs(http.StatusNotAcceptable), fails, tag, tag, tag},
	{"any other status from 400 on", func(o *Observation) bool {
		return o.Referrers.Status >= 400 && !o.Referrers.Token
	}, fails, fails, tag, tag},
}

// readsHere returns how a library reads where p holds.
func (l *library) readsHere(o *Observation, p prediction) matrix.Outcome {
	read := l.reads(p)
	switch {
	case read != matrix.OutcomeAPI:
		return read
	case l.listLimit > 0 && o.Referrers.Bytes > l.listLimit:
		return l.overLimit(&o.Referrers)
	case staysEmpty(o):
		return matrix.OutcomeNothing
	}
	return read
}

// staysEmpty reports whether the list is empty and did not show either what the write
// probe pushed: who reads by it finds nothing, whatever is attached.
func staysEmpty(o *Observation) bool {
	listed := o.Capabilities.Descriptors
	return okIndex(o) && o.Referrers.Index.Total == 0 && (listed == nil || *listed == 0) && o.Capabilities.Push.Unlisted()
}

// forecast returns what each client will do here, by name. It is nil if nothing
// was seen that a client was run against.
func forecast(o *Observation) map[string]matrix.Forecast {
	o = o.atEnd()
	// What a client does with a challenge of another origin was not tried.
	foreign := o.Referrers.Elsewhere != "" && o.Referrers.Status == http.StatusUnauthorized
	at := slices.IndexFunc(predictions, func(p prediction) bool { return p.when(o) })
	if !o.resolved() || o.Referrers.Location != "" || foreign || at < 0 {
		return nil
	}
	out := map[string]matrix.Forecast{}
	for _, l := range libraries {
		read := l.readsHere(o, predictions[at])
		if read == "" {
			continue
		}
		f := matrix.Forecast{Read: read, Version: l.version}
		switch {
		case l.pushes == nil:
		case pushIs(matrix.PushRefused, o):
			f.Push = matrix.OutcomeError
		default:
			f.Push = l.pushes(o, read)
		}
		for _, client := range l.clients {
			out[client] = f
		}
	}
	return out
}

// clientsThat names the clients whose forecast holds, in the order of the
// forecast table.
func clientsThat(all map[string]matrix.Forecast, holds func(matrix.Forecast) bool) string {
	var names []string
	for _, l := range libraries {
		for _, client := range l.clients {
			if does, ok := all[client]; ok && holds(does) {
				names = append(names, client)
			}
		}
	}
	return strings.Join(names, ", ")
}
