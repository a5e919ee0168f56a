package credential_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"refmatrix/scanner/registry/credential"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// encode is the value of auth for a user.
func encode(user string) string { return base64.StdEncoding.EncodeToString([]byte(user + ":password")) }

// auths is a file with an account for each pair of key and user.
func auths(pairs ...string) string {
	entries := map[string]map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		entries[pairs[i]] = map[string]string{"auth": encode(pairs[i+1])}
	}
	text, _ := json.Marshal(map[string]any{"auths": entries})
	return string(text)
}

// files are the files with the contents given; one that is "" is not there.
func files(t *testing.T, authFile, dockerConfig string) *credential.Files {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("REGISTRY_AUTH_FILE", "")
	if dockerConfig != "" {
		write(t, filepath.Join(dir, "config.json"), dockerConfig)
	}
	if authFile != "" {
		path := filepath.Join(dir, "auth.json")
		t.Setenv("REGISTRY_AUTH_FILE", path)
		write(t, path, authFile)
	}
	return credential.NewFiles()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func locate(t *testing.T, f *credential.Files, host, repository string) credential.Source {
	t.Helper()
	source, err := f.Locate(host, repository)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// user is the user name of a source's account.
func user(t *testing.T, source credential.Source) string {
	t.Helper()
	account, _, err := source.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return account.Username
}

// TestKeys: an entry is found under each of the names that tools store it under,
// by one rule for all files.
func TestKeys(t *testing.T) {
	const hub = "registry-1.docker.io"
	for _, test := range []struct {
		key, host, repository string
		found                 bool
	}{
		{"docker.io", hub, "library/alpine", true},
		{"docker.io", "docker.io", "library/alpine", true},
		{"docker.io", "index.docker.io", "library/alpine", true},
		{"docker.io/", hub, "library/alpine", true},
		{"docker.io/v1/", hub, "library/alpine", true},
		{"docker.io/v1", hub, "library/alpine", true},
		{"docker.io/v2/", hub, "library/alpine", true},
		{"https://docker.io", hub, "library/alpine", true},
		{"http://docker.io/v2/", hub, "library/alpine", true},
		{"index.docker.io", hub, "library/alpine", true},
		{"index.docker.io/v1/", hub, "library/alpine", true},
		{"https://index.docker.io/v1/", hub, "library/alpine", true},
		{"https://index.docker.io/v1", hub, "library/alpine", true},
		{"https://index.docker.io/v2/", hub, "library/alpine", true},
		{"https://index.docker.io/", hub, "library/alpine", true},
		{"https://index.docker.io", hub, "", true},
		{"HTTPS://Index.Docker.IO/v1/", hub, "library/alpine", true},
		{"registry-1.docker.io", hub, "library/alpine", true},
		{"https://registry-1.docker.io/v2/", hub, "library/alpine", true},
		{"docker.io/library", hub, "library/alpine", true},
		{"docker.io/library/alpine", hub, "library/alpine", true},
		{"index.docker.io/library/", hub, "library/alpine", true},
		{"https://registry-1.docker.io/library", hub, "library/alpine", true},
		{"docker.io/team", hub, "library/alpine", false},
		{"auth.docker.io", hub, "library/alpine", false},
		{"quay.io", "quay.io", "team/app", true},
		{"Quay.IO", "quay.io", "team/app", true},
		{"quay.io", "QUAY.io", "team/app", true},
		{"https://quay.io", "quay.io", "team/app", true},
		{"https://quay.io/v1/", "quay.io", "team/app", true},
		{"http://quay.io/v2", "quay.io", "team/app", true},
		{"quay.io/v2/", "quay.io", "team/app", true},
		{"quay.io/v2", "quay.io", "team/app", false},
		{"quay.io/v2", "quay.io", "v2/app", true},
		{"quay.io/team", "quay.io", "team/app", true},
		{"https://quay.io/team", "quay.io", "team/app", true},
		{"https://quay.io/other/", "quay.io", "team/app", false},
		{"quay.io/team/app", "quay.io", "team/app", true},
		{"quay.io/Team", "quay.io", "team/app", false},
		{"quay.io/tea", "quay.io", "team/app", false},
		{"quay.io/other", "quay.io", "team/app", false},
		{"quay.io/team/app/sub", "quay.io", "team/app", false},
		{"quay.io/team", "quay.io", "", false},
		{"oci://quay.io", "quay.io", "team/app", false},
		{"registry.test:5000/team", "registry.test:5000", "team/app", true},
		{"https://registry.test:5000", "registry.test:5000", "team/app", true},
		{"registry.test", "registry.test:5000", "team/app", false},
		{"registry.test:5000", "registry.test", "team/app", false},
		{"https", "https", "team/app", true},
		{"[::1]:5000", "[::1]:5000", "team/app", true},
		{"", "quay.io", "team/app", false},
	} {
		content, want := auths(test.key, "found"), ""
		if test.found {
			want = "found"
		}
		config, err := credential.ParseDockerConfig([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		for name, source := range map[string]credential.Source{
			"auth file":          locate(t, files(t, content, ""), test.host, test.repository),
			"docker config":      locate(t, files(t, "", content), test.host, test.repository),
			"docker config file": config.Locate(test.host, test.repository),
		} {
			if !test.found {
				name = "none"
			}
			if got := user(t, source); got != want || source.Name() != name || (source.Key() == "") == test.found {
				t.Errorf("%s, %q: %s of %s has %q of %q (%q)", name, test.key, test.repository, test.host, got, source.Name(), source.Key())
			}
		}
	}
}

// TestOrder: where several keys match, the same one is used on every run.
func TestOrder(t *testing.T) {
	const hub = "registry-1.docker.io"
	all := []string{"docker.io", "index.docker.io", hub, "https://docker.io", "https://index.docker.io/v1/", "https://index.docker.io/v2/", "http://" + hub}
	for _, test := range []struct {
		name                     string
		keys                     []string
		host                     string
		authFile, docker, config string // the key that each kind of file uses
	}{
		{"Docker Hub", all, hub, "docker.io", "https://index.docker.io/v1/", "https://index.docker.io/v1/"},
		{"Docker Hub, by another name", all, "index.docker.io", "index.docker.io", "index.docker.io", "index.docker.io"},
		{"Docker Hub's host before other names", []string{"index.docker.io", "https://docker.io", hub}, hub, hub, hub, hub},
		{"Docker Hub, in the order of the text", []string{"index.docker.io/v1/", "https://docker.io", "http://index.docker.io"}, hub, "http://index.docker.io", "http://index.docker.io", "http://index.docker.io"},
		{"the exact key", []string{"REGISTRY.test", "http://registry.test", "registry.test", "https://registry.test"}, "registry.test", "registry.test", "registry.test", "registry.test"},
		{"the exact case", []string{"REGISTRY.test", "registry.test"}, "REGISTRY.test", "REGISTRY.test", "REGISTRY.test", "REGISTRY.test"},
		{"no exact key", []string{"https://registry.test/v2/", "https://registry.test", "registry.test/"}, "registry.test", "https://registry.test", "https://registry.test", "https://registry.test"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var pairs []string
			for _, key := range test.keys {
				pairs = append(pairs, key, "u")
			}
			content := auths(pairs...)
			for range 100 {
				config, err := credential.ParseDockerConfig([]byte(content))
				if err != nil {
					t.Fatal(err)
				}
				for want, source := range map[string]credential.Source{
					"auth file\x00" + test.authFile:        locate(t, files(t, content, ""), test.host, "a"),
					"docker config\x00" + test.docker:      locate(t, files(t, "", content), test.host, "a"),
					"docker config file\x00" + test.config: config.Locate(test.host, "a"),
				} {
					if got := source.Key(); got != want {
						t.Fatalf("got %q, want %q", got, want)
					}
				}
			}
		})
	}
	for range 100 {
		config := files(t, "", `{"credHelpers":{"https://quay.io":"b","QUAY.io":"a","quay.io":"c","index.docker.io":"d","https://index.docker.io/v1/":"e","docker.io":"f","REGISTRY.test":"h","http://registry.test":"g"}}`)
		for host, want := range map[string]string{"quay.io": "c", hub: "e", "registry.test": "h"} {
			if got := locate(t, config, host, "a").Name(); got != "helper "+want {
				t.Fatalf("%s has %s, want %s", host, got, want)
			}
		}
	}
}

// TestNamespaces: the longest namespace that matches decides, and repositories
// share a key only if they share the account.
func TestNamespaces(t *testing.T) {
	const host = "registry.test:5000"
	content := auths(host, "all", host+"/team", "team", "https://"+host+"/team/app", "app", host+"/other", "other")
	content = strings.Replace(content, `"auths":{`, `"auths":{"`+host+`/team/empty":{},`, 1)
	for name, all := range map[string]*credential.Files{"auth file": files(t, content, ""), "docker config": files(t, "", content)} {
		keys := map[string]string{}
		for _, test := range []struct{ repository, user string }{
			{"team/app", "app"},
			{"team/web", "team"},
			{"team/app/sub", "app"},
			{"team/apple", "team"},
			{"team/empty", "team"},
			{"teams/app", "all"},
			{"other/x", "other"},
			{"team", "team"},
			{"", "all"},
		} {
			source := locate(t, all, host, test.repository)
			if got := user(t, source); got != test.user {
				t.Errorf("%s: %s has %q, want %q", name, test.repository, got, test.user)
			}
			if key, ok := keys[test.user]; ok && key != source.Key() {
				t.Errorf("%s: the keys %q and %q for one account", name, key, source.Key())
			}
			keys[test.user] = source.Key()
		}
		if len(keys) != 4 || keys["all"] == keys["team"] {
			t.Errorf("%s: keys %q", name, keys)
		}
	}
}

// TestSources: where an account comes from, and what is an error.
func TestSources(t *testing.T) {
	const host = "registry.test"
	own, other := auths(host, "dockered"), auths(host, "podmanned")
	for _, test := range []struct{ name, authFile, docker, source, user, text string }{
		{"auths", "", own, "docker config", "dockered", ""},
		{"the auth file comes first", other, own, "auth file", "podmanned", ""},
		{"the auth file alone is needed", other, "{", "auth file", "podmanned", ""},
		{"the auth file has another registry", auths("quay.io", "x"), own, "docker config", "dockered", ""},
		{"the auth file has an empty entry", `{"auths":{"registry.test":{}}}`, own, "docker config", "dockered", ""},
		{"the auth file is empty", " \n", own, "docker config", "dockered", ""},
		{"the auth file is broken", "{canary", own, "", "", "$REGISTRY_AUTH_FILE cannot be read: it is not a docker config: invalid JSON at byte 2"},
		{"the auth file is of another kind", `{"auths":["canary"]}`, own, "", "", "$REGISTRY_AUTH_FILE cannot be read: it is not a docker config"},
		{"the auth file is invalid for another registry", `{"auths":{"quay.io":{"auth":"canary"}}}`, own, "docker config", "dockered", ""},
		{"an entry that is not base64", `{"auths":{"registry.test":{"auth":"canary"}}}`, own, "auth file", "", "the entry registry.test of $REGISTRY_AUTH_FILE is not base64 of user:password"},
		{"an entry without a colon", "", `{"auths":{"registry.test":{"auth":"Y2FuYXJ5"}}}`, "docker config", "", "the entry registry.test of the docker config is not base64 of user:password"},
		{"a helper", "", `{"credHelpers":{"registry.test":"x"}}`, "helper x", "-", ""},
		{"a helper under another spelling", "", `{"credHelpers":{"https://Registry.test/v2/":"x"}}`, "helper x", "-", ""},
		{"a helper for a namespace", "", `{"credHelpers":{"registry.test/team":"x"}}`, "none", "", ""},
		{"a helper of the auth file", `{"credHelpers":{"registry.test":"x"}}`, own, "helper x", "-", ""},
		{"a helper comes before the host's entry", "", `{"credHelpers":{"registry.test":"x"},` + own[1:], "helper x", "-", ""},
		{"the store comes before the host's entry", "", `{"credsStore":"x",` + own[1:], "helper x", "-", ""},
		{"a namespace comes before the helper", "", `{"credsStore":"x",` + auths(host+"/team", "team")[1:], "docker config", "team", ""},
		{"a helper comes before the store", "", `{"credsStore":"x","credHelpers":{"registry.test":"y"}}`, "helper y", "-", ""},
		{"a host without the store", "", `{"credsStore":"x","credHelpers":{"registry.test":""},` + own[1:], "docker config", "dockered", ""},
		{"a helper with a bad name", "", `{"credsStore":"../x"}`, "helper ../x", "", `"../x" is not a credential helper's name`},
		{"the docker config is broken", "", `{"auths":{"registry.test":{"auth":12345}}}`, "", "", "the docker config cannot be read: it is not a docker config"},
		{"the docker config is not there", "", "", "none", "", ""},
		{"the docker config is empty", "", " ", "none", "", ""},
		{"nobody knows it", "{}", "{}", "none", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			source, err := files(t, test.authFile, test.docker).Locate(host, "team/app")
			var account credential.Account
			if err == nil && test.user != "-" {
				account, _, err = source.Account(t.Context())
			}
			if err != nil && (err.Error() != test.text || strings.Contains(err.Error(), "canary")) || err == nil && test.text != "" {
				t.Fatalf("got %v, want %q", err, test.text)
			}
			if want := strings.Trim(test.user, "-"); account.Username != want || account.IsZero() != (want == "") || test.source != "" && source.Name() != test.source {
				t.Errorf("got %q of %q", account.Username, source.Name())
			}
		})
	}
}

// TestAbsentFiles: a file that is named has to be there, the docker config not.
func TestAbsentFiles(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("REGISTRY_AUTH_FILE", "")
	home := credential.NewFiles()
	if got := locate(t, home, "registry.test", "a").Name(); got != "none" {
		t.Errorf("an empty home: %s", got)
	}
	dir := filepath.Join(os.Getenv("HOME"), ".docker")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "config.json"), auths("registry.test", "homed"))
	if got := locate(t, home, "registry.test", "a").Name(); got != "none" {
		t.Errorf("the docker config is read again: %s", got)
	}
	if got := user(t, locate(t, credential.NewFiles(), "registry.test", "a")); got != "homed" {
		t.Errorf("the docker config of the home: %q", got)
	}
	t.Setenv("HOME", "")
	if got := locate(t, credential.NewFiles(), "registry.test", "a").Name(); got != "none" {
		t.Errorf("no home: %s", got)
	}
	path := filepath.Join(t.TempDir(), "auth.json")
	t.Setenv("REGISTRY_AUTH_FILE", path)
	if _, err := credential.NewFiles().Locate("registry.test", "a"); err == nil || !strings.HasPrefix(err.Error(), "$REGISTRY_AUTH_FILE cannot be read: open ") {
		t.Errorf("an auth file that is not there: %v", err)
	}
	write(t, path, auths("registry.test", "podmanned"))
	if got := user(t, locate(t, credential.NewFiles(), "registry.test", "a")); got != "podmanned" {
		t.Errorf("no home and an auth file: %q", got)
	}
}

// TestEntries: what an entry of auths can hold.
func TestEntries(t *testing.T) {
	base64Of := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, test := range []struct {
		entry string
		want  credential.Account
	}{
		{`"auth":"` + base64Of("u:p") + `"`, credential.Account{Username: "u", Password: "p"}},
		{`"auth":"` + base64Of("u:p:q") + `"`, credential.Account{Username: "u", Password: "p:q"}},
		{`"auth":"` + base64Of("u:p\x00\x00") + `"`, credential.Account{Username: "u", Password: "p"}},
		{`"username":"u","password":"p"`, credential.Account{Username: "u", Password: "p"}},
		{`"username":"x","password":"y","auth":"` + base64Of("u:p") + `"`, credential.Account{Username: "u", Password: "p"}},
		{`"auth":"` + base64Of("u:") + `","identitytoken":"i"`, credential.Account{Username: "u", IdentityToken: "i"}},
		{`"identityToken":"i"`, credential.Account{IdentityToken: "i"}},
		{`"registrytoken":"r"`, credential.Account{RegistryToken: "r"}},
		{`"auth":"` + base64Of(":") + `"`, credential.Account{}},
		{`"auth":""`, credential.Account{}},
		{`"email":"e"`, credential.Account{}},
	} {
		content := `{"auths":{"registry.test":{` + test.entry + `}}}`
		for _, all := range []*credential.Files{files(t, content, ""), files(t, "", content)} {
			source := locate(t, all, "registry.test", "a")
			got, _, err := source.Account(t.Context())
			if err != nil || got != test.want || (source.Name() == "none") != test.want.IsZero() {
				t.Errorf("%s: %#v of %s, %v", test.entry, []string{got.Username, got.Password, got.IdentityToken, got.RegistryToken}, source.Name(), err)
			}
		}
	}
}

// TestParseDockerConfig: which files are a docker config that an inventory can name.
func TestParseDockerConfig(t *testing.T) {
	valid := encode("found")
	for _, test := range []struct{ name, content, user, text string }{
		{"a .dockerconfigjson", auths("registry.test", "found"), "found", ""},
		{"a .dockercfg", `{"registry.test":{"auth":"` + valid + `","email":"e"}}`, "found", ""},
		{"a .dockercfg of Docker 1.6", `{"https://registry.test/v1/":{"auth":"` + valid + `"},"quay.io":{}}`, "found", ""},
		{"no accounts", `{"auths":{}}`, "", ""},
		{"other keys", `{"psFormat":"x","HttpHeaders":{"a":"b"},` + auths("registry.test", "found")[1:], "found", ""},
		{"empty helpers", `{"credsStore":"","credHelpers":{},` + auths("registry.test", "found")[1:], "found", ""},
		{"empty", "", "", "is not a docker config: invalid JSON at byte 0"},
		{"an object without accounts", "{}", "", "is not a docker config"},
		{"null", "null", "", "is not a docker config"},
		{"a list", `["canary"]`, "", "is not a docker config"},
		{"a text", `"canary"`, "", "is not a docker config"},
		{"YAML", "auths: canary", "", "is not a docker config: invalid JSON at byte 1"},
		{"another file", `{"name":"canary","version":1}`, "", "is not a docker config"},
		{"another file of objects", `{"dependencies":{"canary":"1"}}`, "", "is not a docker config"},
		{"entries of another kind", `{"auths":{"registry.test":"canary"}}`, "", "is not a docker config"},
		{"a secret of Kubernetes", `{"apiVersion":"v1","kind":"Secret","data":{".dockerconfigjson":"canary"}}`, "", "is not a docker config"},
		{"a helper", `{"credHelpers":{"registry.test":"canary"},"credsStore":"canary"}`, "", "has credHelpers: only auths are read here, write helper: NAME for a credential helper"},
		{"a store", `{"credsStore":"canary",` + auths("registry.test", "found")[1:], "", "has credsStore: only auths are read here, write helper: NAME for a credential helper"},
		{"not base64", `{"auths":{"b.test":{"auth":"canary"},"a.test":{"auth":"canary"}}}`, "", "the entry a.test is not base64 of user:password"},
		{"no colon, in a .dockercfg", `{"a.test":{"auth":"Y2FuYXJ5"}}`, "", "the entry a.test is not base64 of user:password"},
		{"a key with an account", `{"auths":{"https://u:canary@a.test/":{"auth":"canary"}}}`, "", "the entry a.test/ is not base64 of user:password"},
		{"a key with a control character", `{"auths":{"a\u001b[31m":{"auth":"canary"}}}`, "", `the entry "a\x1b[31m" is not base64 of user:password`},
	} {
		t.Run(test.name, func(t *testing.T) {
			config, err := credential.ParseDockerConfig([]byte(test.content))
			if err != nil {
				if err.Error() != test.text || strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v, want %q", err, test.text)
				}
				return
			}
			source := config.Locate("registry.test", "team/app")
			if got := user(t, source); test.text != "" || got != test.user || got != "" && source.Name() != "docker config file" {
				t.Errorf("got %q of %s", got, source.Name())
			}
		})
	}
}

// TestHosts: every registry of a docker config is found, with an account or without one,
// and Docker Hub is one however often it is there.
func TestHosts(t *testing.T) {
	for _, test := range []struct {
		content string
		want    map[string]string
		err     string
	}{
		{"", map[string]string{}, ""},
		{`{"credsStore":"desktop"}`, map[string]string{}, ""},
		{
			`{"auths":{"https://index.docker.io/v1/":{},"Quay.io/team":{"auth":"!"}},"credHelpers":{"docker.io":"x","127.0.0.1:5000":"x"}}`,
			map[string]string{"https://index.docker.io/v1/": "docker.io", "docker.io": "docker.io", "Quay.io/team": "quay.io", "127.0.0.1:5000": "127.0.0.1:5000"},
			"",
		},
		{`{"auths":["canary"]}`, nil, "is not a docker config"},
		{"canary", nil, "is not a docker config: invalid JSON at byte 1"},
	} {
		got, err := credential.Hosts([]byte(test.content))
		if text := fmt.Sprint(err); !maps.Equal(got, test.want) || (err != nil || test.err != "") && text != test.err {
			t.Errorf("%s: got %v, %v", test.content, got, err)
		}
	}
}

// TestNothingIsPrinted: no verb prints what an account or a file holds.
func TestNothingIsPrinted(t *testing.T) {
	account := credential.Account{Username: "canary", Password: "canary", IdentityToken: "canary", RegistryToken: "canary"}
	config, err := credential.ParseDockerConfig([]byte(auths("registry.test", "canary")))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, account); got != "***" {
			t.Errorf("%s prints %q", verb, got)
		}
		if got := fmt.Sprintf(verb+verb, config, config.Locate("registry.test", "a")); got != strings.Repeat("docker config file", 2) {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if got := fmt.Sprint(credential.Account{}); got != "no account" {
		t.Errorf("no account prints %q", got)
	}
}
