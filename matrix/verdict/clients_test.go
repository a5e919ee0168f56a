package verdict

import (
	"strings"
	"testing"

	"refmatrix/matrix"
)

// forecastTable is what released clients do with an answer on GET referrers;
// the columns are oras, notation, cosign, regctl and containerd, reading, then
// the first four, pushing. The demo fleet's TestClients runs them.
var forecastTable = []struct {
	answer     string
	seen       Referrers
	read, push string
}{
	{"200 index, exact type", index(matrix.IndexMediaType, 0), "api api api api api", "api tag api api"},
	{"200 index, charset", index(matrix.IndexMediaType+"; charset=utf-8", 0), "tag tag tag api api", "tag tag nothing-found api"},
	{"200 index, other type", index("application/json", 0), "tag tag tag tag api", "tag tag nothing-found tag"},
	{"200 page", page(200, "text/html", BodyHTML), "tag tag tag tag error", "tag tag nothing-found tag"},
	{"200 empty", page(200, "", BodyEmpty), "tag tag tag tag error", "tag tag nothing-found tag"},
	{"200 page, index type", page(200, matrix.IndexMediaType, BodyHTML), "error error error tag error", "tag tag nothing-found tag"},
	{"200 JSON", page(200, "application/json", BodyJSON), "tag tag tag tag -", "tag tag nothing-found tag"},
	{"200 JSON, index type", page(200, matrix.IndexMediaType, BodyJSON), "- - - - -", "- - - -"},
	{"404", status(404), "tag tag tag tag tag", "tag tag tag tag"},
	{"404 with an index", Referrers{Answer: Answer{Status: 404}, Index: &Index{}}, "tag tag tag tag tag", "tag tag tag tag"},
	{"404 NAME_UNKNOWN", coded(404, "NAME_UNKNOWN"), "error error tag tag tag", "tag tag tag tag"},
	{"400", status(400), "error error tag tag tag", "tag tag tag tag"},
	{"405", status(405), "error error error tag tag", "tag tag error tag"},
	{"401", status(401), "error error error tag tag", "tag tag error tag"},
	{"500", status(500), "error error error tag tag", "tag tag error tag"},
	{"406", status(406), "error error tag tag tag", "tag tag error tag"},
	{"402", status(402), "error error error tag tag", "tag tag error tag"},
	{"451", status(451), "error error error tag tag", "tag tag error tag"},
	{"200 index at oras-go's limit", ofSize(index(matrix.IndexMediaType, 1), 4194304, false), "api api api api api", "api tag api api"},
	{"200 index over 4 MiB", ofSize(index(matrix.IndexMediaType, 1), 4194305, true), "error error api api api", "nothing-found tag api api"},
	{"200 index at containerd's limit", ofSize(index(matrix.IndexMediaType, 1), 4393216, true), "error error api api api", "nothing-found tag api api"},
	{"200 index over containerd's limit", ofSize(index(matrix.IndexMediaType, 1), 4393217, true), "error error api api nothing-found", "nothing-found tag api api"},
	{"200 index over containerd's limit, without Content-Length", ofSize(index(matrix.IndexMediaType, 1), 4393217, false), "error error api api error", "nothing-found tag api api"},
	{"200 index over 4 MiB, other type", ofSize(index("application/json", 1), 5000000, true), "tag tag tag tag nothing-found", "tag tag nothing-found tag"},
	{"a redirect to a page of 404", away(page(404, "text/html", BodyHTML)), "tag tag tag tag tag", "tag tag tag tag"},
	{"a redirect to a page of 429", away(page(429, "text/html", BodyHTML)), "error error error tag tag", "tag tag error tag"},
	{"a redirect to a page of 200", away(page(200, "text/html", BodyHTML)), "tag tag tag tag error", "tag tag nothing-found tag"},
	{"a redirect to 401 of another origin", away(Referrers{Answer: Answer{Status: 401}, Elsewhere: "other.example"}), "- - - - -", "- - - -"},
	{"a redirect away", Referrers{Answer: Answer{Status: 303, Location: "https://a.example/"}}, "- - - - -", "- - - -"},
	{"401 of another origin", Referrers{Answer: Answer{Status: 401}, Elsewhere: "other.example"}, "- - - - -", "- - - -"},
	{"a token endpoint's 403", Referrers{Answer: Answer{Status: 403, Token: true}}, "- - - - -", "- - - -"},
}

// ofSize is an answer of a number of bytes, with Content-Length if it is sized.
func ofSize(r Referrers, bytes int64, sized bool) Referrers {
	r.Bytes, r.Sized = bytes, sized
	return r
}

// away is a redirect away from the endpoint that ends with an answer.
func away(end Referrers) Referrers {
	return Referrers{
		Answer: Answer{Status: 303, Location: "https://a.example/"},
		End:    &RedirectEnd{Answer: end.Answer, Elsewhere: end.Elsewhere},
	}
}

func TestForecast(t *testing.T) {
	for _, test := range forecastTable {
		f := forecast(subject(test.seen))
		dash := func(o matrix.Outcome) string {
			if o == "" {
				return "-"
			}
			return string(o)
		}
		var read, push []string
		for _, client := range []string{"oras", "notation", "cosign", "regctl", "containerd"} {
			read = append(read, dash(f[client].Read))
			if client != "containerd" {
				push = append(push, dash(f[client].Push))
			}
		}
		if got := strings.Join(read, " "); got != test.read {
			t.Errorf("%s: reading %s, want %s", test.answer, got, test.read)
		}
		if got := strings.Join(push, " "); got != test.push {
			t.Errorf("%s: pushing %s, want %s", test.answer, got, test.push)
		}
		if f["crane"] != f["cosign"] {
			t.Errorf("%s: clients of one library differ", test.answer)
		}
	}
}

// TestForecastOfPushes: what the write probe saw, or what is on record of the
// product, decides what oras, notation, cosign and regctl write.
func TestForecastOfPushes(t *testing.T) {
	exact, charset, other, none := index(matrix.IndexMediaType, 0), index(matrix.IndexMediaType+"; charset=utf-8", 0), index("application/json", 0), status(404)
	for _, test := range []struct {
		name    string
		seen    Referrers
		push    *matrix.Push
		product Product
		want    string
	}{
		{"the API and OCI-Subject", exact, &matrix.Push{Strategy: matrix.PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{}, "api tag api api"},
		{"the API without OCI-Subject", exact, &matrix.Push{Strategy: matrix.PushDual, Accepted: true, Listed: true}, Product{}, "tag tag api tag"},
		{"OCI-Subject, and an empty list", exact, &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}, Product{}, "nothing-found tag nothing-found nothing-found"},
		{"accepted, and an empty list", exact, &matrix.Push{Strategy: matrix.PushTag, Accepted: true}, Product{}, "tag tag nothing-found tag"},
		{"OCI-Subject, and the list was not answered", exact, &matrix.Push{Strategy: matrix.PushUnknown, Accepted: true, OCISubject: true}, Product{}, "api tag api api"},
		{"accepted by a repository without the API", exact, &matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true}, Product{}, "api tag api api"},
		{"cut short before the artifact was pushed", exact, &matrix.Push{Strategy: matrix.PushUnknown}, Product{}, "api tag api api"},
		{"refused", exact, &matrix.Push{Strategy: matrix.PushRefused}, Product{}, "error error error error"},
		{"refused without the API", none, &matrix.Push{Strategy: matrix.PushRefused}, Product{}, "error error error error"},
		{"Quay, and a list over 4 MiB", ofSize(exact, 5000000, true), nil, Product{Name: "Quay"}, "tag tag api tag"},
		{"OCI-Subject before a 404", none, &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}, Product{}, "nothing-found tag tag nothing-found"},
		{"OCI-Subject before a 405", status(405), &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}, Product{}, "nothing-found tag error nothing-found"},
		{"OCI-Subject before another type", other, &matrix.Push{Strategy: matrix.PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{}, "nothing-found tag nothing-found nothing-found"},
		{"OCI-Subject before a charset", charset, &matrix.Push{Strategy: matrix.PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{}, "nothing-found tag nothing-found api"},
		{"Quay, not written to", exact, nil, Product{Name: "Quay"}, "tag tag api tag"},
		{"Quay that sent OCI-Subject", exact, &matrix.Push{Strategy: matrix.PushAPI, Accepted: true, OCISubject: true, Listed: true}, Product{Name: "Quay"}, "api tag api api"},
		{"Harbor 2.8", exact, nil, Product{Name: "Harbor", Version: "2.8.4"}, "tag tag api tag"},
		{"Harbor 2.9", exact, nil, Product{Name: "Harbor", Version: "2.9.0"}, "api tag api api"},
		{"Harbor of no known version", exact, nil, Product{Name: "Harbor"}, "api tag api api"},
	} {
		o := subject(test.seen)
		o.Capabilities.Push, o.Product = test.push, test.product
		var got []string
		for _, client := range []string{"oras", "notation", "cosign", "regctl"} {
			got = append(got, string(forecast(o)[client].Push))
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestForecastOfEmptyList: who reads by an API that did not show what the write probe
// pushed finds nothing. A list that shows something else is read.
func TestForecastOfEmptyList(t *testing.T) {
	never := &matrix.Push{Strategy: matrix.PushTag, Accepted: true}
	two := 2
	for _, test := range []struct {
		name string
		of   *Observation
		want string // of oras, cosign, regctl, containerd
	}{
		{"empty, not written to", subject(index(matrix.IndexMediaType, 0)), "api api api api"},
		{"empty", pushed(index(matrix.IndexMediaType, 0), never), "nothing-found nothing-found nothing-found nothing-found"},
		{"empty, with OCI-Subject", pushed(index(matrix.IndexMediaType, 0), &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}), "nothing-found nothing-found nothing-found nothing-found"},
		{"empty, of another type", pushed(index("application/json", 0), never), "tag tag tag nothing-found"},
		{"something is listed", pushed(index(matrix.IndexMediaType, 1), never), "api api api api"},
		{"something is listed on another page", with(pushed(index(matrix.IndexMediaType, 0), never), func(o *Observation) { o.Capabilities.Descriptors = &two }), "api api api api"},
		{"the scratch repository has no list", pushed(index(matrix.IndexMediaType, 0), &matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true}), "api api api api"},
	} {
		var got []string
		for _, client := range []string{"oras", "cosign", "regctl", "containerd"} {
			got = append(got, string(forecast(test.of)[client].Read))
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// pushed is an image whose referrers answer so, and what the write probe found.
func pushed(answer Referrers, push *matrix.Push) *Observation {
	return with(subject(answer), func(o *Observation) { o.Capabilities.Push = push })
}
