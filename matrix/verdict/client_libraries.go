package verdict

import "slices"

// ClientLibrary is a library with the clients that are forecast by name. Reports show one
// column for each.
type ClientLibrary struct {
	Version     string   // name and version that the forecasts were proven on
	Clients     []string // forecast by name
	SameLibrary []string // other clients made of it, which only read
}

// ClientLibraries returns the libraries that are forecast, in the order of reports. Clients of
// one library may differ in how they push.
func ClientLibraries() []ClientLibrary {
	var out []ClientLibrary
	for _, l := range libraries {
		at := slices.IndexFunc(out, func(have ClientLibrary) bool { return have.Version == l.version })
		if at < 0 {
			at = len(out)
			out = append(out, ClientLibrary{Version: l.version})
		}
		out[at].Clients = append(out[at].Clients, l.clients...)
		out[at].SameLibrary = append(out[at].SameLibrary, l.sameLibrary...)
	}
	return out
}
