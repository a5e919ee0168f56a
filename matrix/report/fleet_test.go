package report_test

import (
	"fmt"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/store"
	"refmatrix/matrix/verdict"
)

// The fleet that golden reports show: a company's registries, each with as many images.
const (
	fleetRegistries = 200
	fleetImages     = 10
)

// fleetImage returns the row of image i at a registry.
type fleetImage func(at verdict.Target, i int) matrix.Row

// fleetKind is what several registries of the fleet are alike in.
type fleetKind struct {
	registries int
	image      fleetImage
}

// observed returns rows of what was observed.
func observed(o verdict.Observation) fleetImage {
	return func(at verdict.Target, _ int) matrix.Row { return verdict.NewRow(at, &o) }
}

// broken returns rows of a fault of the manifest request.
func broken(kind matrix.Reason, cause verdict.TLSCause, text string) fleetImage {
	fault := &verdict.Fault{Kind: kind, TLS: cause, Text: text}
	return observed(verdict.Observation{Manifest: verdict.Manifest{Answer: verdict.Answer{Fault: fault}}})
}

// unresolved returns rows of an answer to the manifest request that is not a manifest.
func unresolved(a verdict.Answer) fleetImage {
	return observed(verdict.Observation{Manifest: verdict.Manifest{Answer: a}})
}

// answered returns rows of an answer of the referrers endpoint. product is "" if it is not known.
func answered(a verdict.Answer, product, version string) fleetImage {
	return observed(verdict.Observation{
		Manifest:  verdict.Manifest{Digest: shaOf("fe")},
		Referrers: verdict.Referrers{Answer: a},
		Product:   verdict.Product{Name: product, Version: version, Signs: []verdict.Sign{{Label: "a header"}}},
	})
}

// some returns rows of which image i is another one for each i below n.
func some(n int, other, rest fleetImage) fleetImage {
	return func(at verdict.Target, i int) matrix.Row {
		if i < n {
			return other(at, i)
		}
		return rest(at, i)
	}
}

// demoRows returns the demo's rows of a registry, again and again, as those of another one.
func demoRows(t *testing.T) func(name string) fleetImage {
	t.Helper()
	demo, err := store.ReadFile("../../reports/example/matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string][]matrix.Row{}
	for _, r := range demo.Rows {
		byName[r.Registry] = append(byName[r.Registry], r)
	}
	return func(name string) fleetImage {
		rows := byName[name]
		if len(rows) == 0 {
			t.Fatalf("the demo has no registry %s", name)
		}
		return func(at verdict.Target, i int) matrix.Row {
			r := rows[i%len(rows)]
			r.Registry, r.URL, r.Image, r.Labels = at.Registry, at.URL, at.Image, at.Labels
			r.Exchanges = nil
			return r
		}
	}
}

// withLoss returns rows that lost a signature, if they have a digest.
func withLoss(image fleetImage) fleetImage {
	return func(at verdict.Target, i int) matrix.Row {
		r := image(at, i)
		r.Lost = []matrix.Lost{{
			Digest:  shaOf("ac"),
			Kind:    matrix.KindSignature,
			Subject: r.Digest,
			Since:   time.Date(2026, 11, 9, 6, 0, 0, 0, time.UTC),
		}}
		return r
	}
}

// fleetKinds is what a fleet of 200 is made of: 96 have the API, 4 for some repositories alone,
// 70 do not, 23 are broken and 7 are not measured.
func fleetKinds(t *testing.T) []fleetKind {
	demo := demoRows(t)
	timeout := broken(matrix.Timeout, "", "no answer within 10s")
	return []fleetKind{
		{40, demo("olareg")},
		{26, demo("ggcr-referrers")},
		{2, some(1, withLoss(demo("ggcr-referrers")), demo("ggcr-referrers"))},
		{14, demo("ocimem")},
		{4, some(2, timeout, demo("olareg"))},
		{4, some(1, demo("missing"), demo("olareg"))},
		{6, observed(verdict.Observation{
			Manifest: verdict.Manifest{Digest: shaOf("fe")},
			Referrers: verdict.Referrers{
				Answer: verdict.Answer{Status: 200, ContentType: "application/json"},
				Index:  &verdict.Index{},
			},
		})},
		{4, some(4, demo("distribution-anonymous"), demo("olareg"))},

		{22, demo("distribution-anonymous")},
		{14, demo("distribution-basic")},
		{10, demo("ggcr-tags")},
		{4, some(3, withLoss(demo("ggcr-tags")), demo("ggcr-tags"))},
		{6, answered(verdict.Answer{Status: 405}, "Quay", "3.11.1")},
		{4, answered(verdict.Answer{Status: 302, Location: "https://example.com/packages"}, "", "")},
		{4, answered(verdict.Answer{Status: 200, ContentType: "text/html", Body: verdict.BodyHTML}, "", "")},
		{3, answered(verdict.Answer{Status: 400, Codes: []string{"UNSUPPORTED"}}, "", "")},
		{3, answered(verdict.Answer{Status: 404}, "Harbor", "2.7.0")},

		{6, broken(matrix.Connect, "", "connect to 192.0.2.7:443: connection refused")},
		{2, broken(matrix.TLS, verdict.UnknownAuthority, "certificate signed by unknown authority")},
		{1, broken(matrix.TLS, verdict.CertificateExpired, "certificate has expired")},
		{1, broken(matrix.TLS, verdict.WrongName, "certificate is valid for registry.example.net")},
		{1, broken(matrix.TLS, verdict.ClientCertificate, "certificate required")},
		{3, timeout},
		{3, broken(matrix.DNS, "", "no such host")},
		{3, unresolved(verdict.Answer{Status: 401, Challenge: true, Account: verdict.AccountRefused})},
		{2, unresolved(verdict.Answer{Status: 503, Body: verdict.BodyText, Message: "upstream is down"})},
		{1, unresolved(verdict.Answer{Status: 502, Body: verdict.BodyHTML, Message: "Bad Gateway"})},

		{2, demo("missing")},
		{2, unresolved(verdict.Answer{Status: 401, Challenge: true})},
		{1, unresolved(verdict.Answer{Status: 403, Codes: []string{"DENIED"}, Account: verdict.AccountAccepted})},
		{2, unresolved(verdict.Answer{Status: 429})},
	}
}

// fleetName names registry i; every fourth name is longer than a column of a terminal likes.
func fleetName(i int) string {
	if i%4 == 0 {
		return fmt.Sprintf("payments-production-eu-central-1-registry-%03d", i)
	}
	return fmt.Sprintf("%s-%03d", []string{"registry-prod", "edge-mirror", "platform-dev"}[i%3], i)
}

// fleet is a matrix of 200 registries with 10 images each. Every kind of registry stands
// anywhere in it, and every call returns the same.
func fleet(t *testing.T) *matrix.Matrix {
	t.Helper()
	var kinds []fleetImage
	for _, kind := range fleetKinds(t) {
		for range kind.registries {
			kinds = append(kinds, kind.image)
		}
	}
	if len(kinds) != fleetRegistries {
		t.Fatalf("the fleet has %d registries, want %d", len(kinds), fleetRegistries)
	}
	m := &matrix.Matrix{
		Schema:   matrix.Schema,
		Tool:     matrix.Tool{Name: "refmatrix", Version: "test"},
		Complete: true,
		Started:  time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC),
		Finished: time.Date(2026, 11, 16, 6, 1, 30, 0, time.UTC),
	}
	var rows []matrix.Row
	for i := range fleetRegistries {
		image := kinds[i*73%fleetRegistries] // 73 has no factor in common with 200: each comes once
		for n := range fleetImages {
			r := image(verdict.Target{
				Registry: fleetName(i),
				URL:      fmt.Sprintf("https://%s.example.com", fleetName(i)),
				Image:    fmt.Sprintf("team-%d/app-%02d:1.%d", i%7, n, i%5),
				Labels:   map[string]string{"env": []string{"prod", "test"}[i%2], "team": fmt.Sprintf("team-%d", i%7)},
			}, n)
			r.Requests, r.DurationMS = 4, 40
			rows = append(rows, r)
		}
	}
	m.SetRows(rows)
	return m
}
