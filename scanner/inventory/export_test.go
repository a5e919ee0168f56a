package inventory

// Bounded refuses a document that holds too much.
var Bounded = bounded

// Fields lists every key of the format as a dotted path, which the JSON
// Schema has to agree with.
func Fields() []string {
	d := &decoder{}
	r := entry{Registry: standard()}
	out := []string{
		"version", "defaults", "registries",
		"registries[].name", "registries[].url", "registries[].writeProbe.repository",
	}
	for _, f := range d.shared(&r) {
		out = append(out, "defaults."+f.key, "registries[]."+f.key)
	}
	for _, f := range d.authFields(&Auth{}) {
		out = append(out, "registries[].auth."+f.key)
	}
	for _, f := range d.tlsFields(&tlsFiles{}) {
		out = append(out, "registries[].tls."+f.key)
	}
	return out
}
