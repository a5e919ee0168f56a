package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// TestRepeatingCommands is the table of what a row's exchanges become: the same requests,
// signed where they were and nowhere else.
func TestRepeatingCommands(t *testing.T) {
	const (
		at        = "https://r.example/v2/a/referrers/x"
		realm     = "https://auth.example/token?scope=repository%3Aa%3Apull&service=r"
		post      = "https://auth.example/token"
		accept    = " -H 'Accept: application/vnd.oci.image.index.v1+json' "
		basic     = ` -u "$REGISTRY_USERNAME:$REGISTRY_PASSWORD"`
		bearer    = ` -H "Authorization: Bearer $TOKEN"`
		into      = " | jq -r '.access_token // .token' | tr -d '[:cntrl:]')"
		arguments = "# the shell expands them into the arguments of curl, which others on the machine may see"
		scratch   = "https://auth.example/token?scope=repository%3Ascratch%3Adelete%2Cpull%2Cpush&service=r"
		looked    = "https://r.example/v2/scratch/manifests/x"
		manifests = " -H 'Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json," +
			" application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json' "
		account = "# set REGISTRY_USERNAME and REGISTRY_PASSWORD, from the docker config"
	)
	const (
		image = "repository:a:pull"
		push  = "repository:scratch:delete,pull,push"
		index = "application/vnd.oci.image.index.v1+json"
		types = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, " +
			"application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
	)
	get := func(target, auth string, status int) matrix.Exchange {
		return matrix.Exchange{Step: "referrers", Method: "GET", URL: target, Accept: index, Auth: auth, Scope: image, Status: status}
	}
	look := func(target, auth string, status int) matrix.Exchange {
		return matrix.Exchange{Step: "push-blob", Method: "HEAD", URL: target, Accept: types, Auth: auth, Scope: push, Status: status}
	}
	token := func(method, target, auth string, status int) matrix.Exchange {
		return matrix.Exchange{Step: "token", Method: method, URL: target, Auth: auth, Scope: image, Status: status}
	}
	scratchToken := token("GET", scratch, "", 200)
	scratchToken.Scope = push
	challenged := get(at, "", 401)
	challenged.Headers = map[string]string{"Www-Authenticate": `Bearer realm="https://auth.example/token",service="r",scope="repository:user/image:pull"`} // a placeholder
	row := func(exchanges ...matrix.Exchange) matrix.Row {
		return matrix.Row{Image: "a:latest", Exchanges: exchanges}
	}
	for _, test := range []struct {
		name  string
		entry inventory.Registry
		rows  []matrix.Row
		want  [][]string
	}{
		{"unsigned", inventory.Registry{}, []matrix.Row{row(get(at, "", 404))}, [][]string{{"curl -gsS -i" + accept + "'" + at + "'"}}},
		{"a challenge that nothing answers", inventory.Registry{}, []matrix.Row{row(get(at, "", 401))}, [][]string{{"curl -gsS -i" + accept + "'" + at + "'"}}},
		{"Basic of the docker config, then known", inventory.Registry{},
			[]matrix.Row{row(get(at, "", 401), get(at, "basic", 200)), row(get(at, "basic", 200))},
			[][]string{
				{account, arguments, "curl -gsS -i" + basic + accept + "'" + at + "'"},
				{account, arguments, "curl -gsS -i" + basic + accept + "'" + at + "'"},
			}},
		{"a token that the second row fetched", inventory.Registry{},
			[]matrix.Row{row(get(at, "bearer", 200)), row(challenged, token("GET", realm, "basic", 200), get(at, "bearer", 200))},
			[][]string{
				{account, arguments, "TOKEN=$(curl -gsS" + basic + " '" + realm + "'" + into, "curl -gsS -i" + bearer + accept + "'" + at + "'"},
				{account, arguments, "TOKEN=$(curl -gsS" + basic + " '" + realm + "'" + into, "curl -gsS -i" + bearer + accept + "'" + at + "'"},
			}},
		{"an anonymous token", inventory.Registry{Auth: inventory.Auth{Anonymous: true}},
			[]matrix.Row{row(challenged, token("GET", realm, "", 200), get(at, "bearer", 200))},
			[][]string{{"TOKEN=$(curl -gsS '" + realm + "'" + into, "curl -gsS -i" + bearer + accept + "'" + at + "'"}}},
		{"a refresh token", inventory.Registry{Auth: inventory.Auth{IdentityToken: "x"}},
			[]matrix.Row{row(challenged, token("POST", post, "", 200), get(at, "bearer", 200))},
			[][]string{{
				"# set REGISTRY_IDENTITY_TOKEN, from auth: of the inventory", arguments,
				"TOKEN=$(curl -gsS -d grant_type=refresh_token -d client_id=refmatrix --data-urlencode 'service=r' --data-urlencode 'scope=repository:a:pull'" +
					` --data-urlencode "refresh_token=$REGISTRY_IDENTITY_TOKEN" '` + post + "'" + into,
				"curl -gsS -i" + bearer + accept + "'" + at + "'",
			}}},
		{"a registry token", inventory.Registry{Auth: inventory.Auth{Token: "x"}}, []matrix.Row{row(get(at, "bearer", 200))},
			[][]string{{
				"# set REGISTRY_TOKEN, from auth: of the inventory", arguments,
				`curl -gsS -i -H "Authorization: Bearer $REGISTRY_TOKEN"` + accept + "'" + at + "'",
			}}},
		// The exchanges claim to be signed, as they never are: the words have a rule of their own.
		{"a token request that is redirected", inventory.Registry{Auth: inventory.Auth{Helper: "x"}},
			[]matrix.Row{row(challenged, token("GET", realm, "basic", 307), token("GET", "https://elsewhere.example/t", "basic", 200), get(at, "bearer", 200))},
			[][]string{{
				"# set REGISTRY_USERNAME and REGISTRY_PASSWORD, from docker-credential-x", arguments,
				"curl -gsS -i" + basic + " '" + realm + "'",
				"TOKEN=$(curl -gsS 'https://elsewhere.example/t'" + into,
				"curl -gsS -i" + bearer + accept + "'" + at + "'",
			}}},
		{"other origins", inventory.Registry{},
			[]matrix.Row{row(get("http://r.example/x", "basic", 200), get("https://r.example:444/x", "basic", 200), get("https://r.example:443/x", "basic", 200), get("https://blobs.example/x", "basic", 200))},
			[][]string{{
				account, arguments,
				"curl -gsS -i" + accept + "'http://r.example/x'",
				"curl -gsS -i" + accept + "'https://r.example:444/x'",
				"curl -gsS -i" + basic + accept + "'https://r.example:443/x'",
				"curl -gsS -i" + accept + "'https://blobs.example/x'",
			}}},
		{"files of tls:", inventory.Registry{TLS: inventory.TLS{CAFile: "ca's.pem", CertFile: "c.pem", KeyFile: "k.pem"}}, []matrix.Row{row(get(at, "", 200))},
			[][]string{{`curl -gsS -i --cacert 'ca'\''s.pem' --cert 'c.pem' --key 'k.pem'` + accept + "'" + at + "'"}}},
		{"insecureSkipVerify", inventory.Registry{TLS: inventory.TLS{InsecureSkipVerify: true}}, []matrix.Row{row(get(at, "", 200))},
			[][]string{{"curl -gsS -i -k" + accept + "'" + at + "'"}}},
		{"a signed address", inventory.Registry{}, []matrix.Row{row(get("https://blobs.example/x?sig=...", "", 200))},
			[][]string{{"# blobs.example was asked at an address of which values are left out here: take it from the Location or Link of the answer before"}}},
		{"the write probe's own token", inventory.Registry{WriteProbe: &inventory.WriteProbe{Repository: "scratch"}},
			[]matrix.Row{
				row(challenged, token("GET", realm, "", 200), get(at, "bearer", 200),
					look(looked, "", 401), scratchToken, look(looked, "bearer", 404)),
				row(get(at, "bearer", 200)),
			},
			[][]string{
				{
					"TOKEN=$(curl -gsS '" + realm + "'" + into, "curl -gsS -i" + bearer + accept + "'" + at + "'",
					"TOKEN=$(curl -gsS '" + scratch + "'" + into, "curl -gsS -I" + bearer + manifests + "'" + looked + "'",
				},
				{"TOKEN=$(curl -gsS '" + realm + "'" + into, "curl -gsS -i" + bearer + accept + "'" + at + "'"},
			}},
		{"writing", inventory.Registry{}, []matrix.Row{row(matrix.Exchange{Step: "push", Method: "PUT", URL: at, Status: 201})}, [][]string{nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.entry.URL = &url.URL{Scheme: "https", Host: "r.example"}
			var got [][]string
			for _, one := range explanations(test.entry, test.rows, true) {
				got = append(got, one.Commands)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(strings.ReplaceAll(diff, "\u00a0", " "))
			}
		})
	}
}
