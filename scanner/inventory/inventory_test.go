package inventory_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"refmatrix/scanner/inventory"
)

const canary = "s3cr3t-canary: {x: [y]} ${HOME} #"

// environment is what the tests' inventories can expand.
func environment(name string) (string, bool) {
	value, ok := map[string]string{"PASSWORD": canary, "HOST": "registry.example.com", "RATE": "2.5", "EMPTY": ""}[name]
	return value, ok
}

func parse(t *testing.T, text string) (*inventory.Inventory, error) {
	t.Helper()
	return inventory.Parse(strings.NewReader(text), "inventory.yaml", t.TempDir(), environment)
}

// one is an inventory of one registry with lines added to it.
func one(lines ...string) string {
	text := "version: 1\nregistries:\n  - url: r.example.com\n    images: [a/b]\n"
	for _, line := range lines {
		text += "    " + line + "\n"
	}
	return text
}

// TestFaults is the table of what is refused, with the exact words.
func TestFaults(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty file", "", []string{"inventory.yaml: is empty: an inventory has the keys version and registries"}},
		{"only a comment", "# nothing\n", []string{"inventory.yaml: is empty: an inventory has the keys version and registries"}},
		{"binary", "version: 1\x00", []string{"inventory.yaml: is not text: an inventory is YAML in UTF-8"}},
		{"not UTF-8", "version: \xff", []string{"inventory.yaml: is not text: an inventory is YAML in UTF-8"}},
		{"a list", "- a\n", []string{"inventory.yaml:1: must be a mapping of keys, not a list"}},
		{"syntax", "version: 1\nregistries: [\n", []string{"inventory.yaml:2: is not YAML: did not find expected node content"}},
		{"syntax on line 1", "version: @1\n", []string{"inventory.yaml:1: is not YAML: found character that cannot start any token"}},
		{"syntax far below the block's beginning", one("labels:", "  a: b") + "   burst: 3\n", []string{"inventory.yaml:7: is not YAML: did not find expected '-' indicator"}},
		{"a variable in flow style", one("auth: {username: u, password: ${PW}}", "rate: 1"), []string{"inventory.yaml:5: is not YAML: did not find expected ',' or '}': quote a value that holds ${...}"}},
		{"a variable in flow style over lines", one("auth: {username: u,", "  password: ${PW}}", "rate: 1"), []string{"inventory.yaml:6: is not YAML: did not find expected ',' or '}': quote a value that holds ${...}"}},
		{"control character", one("labels: {a: b}", "name: a\x1bb"), []string{"inventory.yaml:6: is not YAML: control characters are not allowed"}},
		{"no alias", one() + "  - url: b\n    name: *pw\n    images: [x]\n", []string{"inventory.yaml:6: is not YAML: a value that begins with * names no anchor: quote it"}},
		{"a word alone", one() + "  - url: b\n    images\n    rate: 1\n", []string{"inventory.yaml:6: is not YAML: could not find expected ':'"}},
		{"two documents", one() + "---\nversion: 1\n", []string{"inventory.yaml:5: a second document begins here: an inventory is one"}},
		{"no version", "registries: [{url: a.example, images: [x]}]", []string{"inventory.yaml:1: version: is missing: write version: 1"}},
		{"version 2", "version: 2\nregistries: [{url: a.example, images: [x]}]", []string{`inventory.yaml:1: version: "2" is not known: this refmatrix reads version 1`}},
		{"no registries", "version: 1\n", []string{"inventory.yaml:1: registries: is missing: list the registries to probe"}},
		{"empty list", "version: 1\nregistries: []\n", []string{"inventory.yaml:2: registries: is empty: list at least one registry"}},
		{"registries of another kind", "version: 1\nregistries: {}\n", []string{"inventory.yaml:2: registries: must be a list, not a mapping"}},
		{"an entry of another kind", "version: 1\nregistries: [a]\n", []string{"inventory.yaml:2: registries[0]: must be a mapping of keys, not a single value"}},
		{"indented with a tab", "version: 1\nregistries:\n\t- url: a.example\n", []string{"inventory.yaml:3: is not YAML: found character that cannot start any token: indent with spaces, not with tabs"}},
		{"a key of auth", one("helper: ecr-login"), []string{"inventory.yaml:5: registries[0].helper: unknown key: write it under auth:"}},
		{"a key of tls", one("insecureSkipVerify: true"), []string{"inventory.yaml:5: registries[0].insecureSkipVerify: unknown key: write it under tls:"}},
		{"a key of auth in defaults", "version: 1\ndefaults: {username: u}\n" + "registries: [{url: a.example, images: [x]}]", []string{"inventory.yaml:2: defaults.username: unknown key: write it under auth:"}},
		{"unknown key", one("rtae: 3"), []string{"inventory.yaml:5: registries[0].rtae: unknown key: did you mean rate?"}},
		{"unknown key far from any", "version: 1\nwhatever: 1\nregistries: [{url: a.example, images: [x]}]", []string{"inventory.yaml:2: whatever: unknown key: the keys here are defaults, registries, version"}},
		{"key twice", one("rate: 1", "rate: 2"), []string{"inventory.yaml:6: registries[0].rate: duplicate key"}},
		{"no url", "version: 1\nregistries:\n  - images: [x]\n", []string{"inventory.yaml:3: registries[0].url: is missing: write the registry's address"}},
		{"a scheme without its colon", "version: 1\nregistries: [{url: 'http//a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: the scheme is misspelled: write https:// or http://"}},
		{"a scheme with one slash", "version: 1\nregistries: [{url: 'https:/a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: the scheme is misspelled: write https:// or http://"}},
		{"a scheme without slashes", "version: 1\nregistries: [{url: 'https:a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: the scheme is misspelled: write https:// or http://"}},
		{"nothing but slashes", "version: 1\nregistries: [{url: '//a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: the scheme is misspelled: write https:// or http://"}},
		{"unknown scheme", "version: 1\nregistries: [{url: 'ftp://a.example', images: [x]}]", []string{`inventory.yaml:2: registries[0].url: the scheme "ftp" is not known: write https:// or http://`}},
		{"credentials in the url", "version: 1\nregistries: [{url: 'https://me:hunter2@a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: must not carry credentials: write them under auth:"}},
		{"credentials without a scheme", "version: 1\nregistries: [{url: 'me:hunter2@a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: must not carry credentials: write them under auth:"}},
		{"credentials for a scheme", "version: 1\nregistries: [{url: 'hunter2:x@a.example://y', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: must not carry credentials: write them under auth:"}},
		{"credentials that are no URL", "version: 1\nregistries: [{url: 'https://me:hunter2%zz@a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: is not a URL: write https://registry.example.com"}},
		{"query", "version: 1\nregistries: [{url: 'https://a.example?x=1', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: must not carry a query or fragment: write the registry's host, and the base path if there is one"}},
		{"port", "version: 1\nregistries: [{url: 'a.example:99999', images: [x]}]", []string{`inventory.yaml:2: registries[0].url: "a.example:99999" is not a host, or its port is not from 1 to 65535`}},
		{"duplicate name", "version: 1\nregistries:\n  - {url: a.example, images: [x]}\n  - {url: a.example, images: [y]}\n", []string{`inventory.yaml:4: registries[1].name: "a.example" is the name of the registry at line 3 too: give each its own name`}},
		{"duplicate name far from its entry", "version: 1\ndefaults: {images: [x]}\nregistries:\n  - {url: a.example, name: n}\n  - url: b.example\n    rate: 1\n    name: n\n", []string{
			`inventory.yaml:7: registries[1].name: "n" is the name of the registry at line 4 too: give each its own name`,
		}},
		{"all of an entry whose url is at fault", "version: 1\nregistries:\n  - {url: a.example, images: [x], name: n}\n  - {url: 'ftp://b', images: [], name: n}\n  - {images: [x, x], name: n}\n", []string{
			`inventory.yaml:4: registries[1].url: the scheme "ftp" is not known: write https:// or http://`,
			"inventory.yaml:4: registries[1].images: is empty: name an image, or leave images out to try library/alpine:latest",
			`inventory.yaml:4: registries[1].name: "n" is the name of the registry at line 3 too: give each its own name`,
			"inventory.yaml:5: registries[2].url: is missing: write the registry's address",
			`inventory.yaml:5: registries[2].name: "n" is the name of the registry at line 4 too: give each its own name`,
			"inventory.yaml:5: registries[2].images[1]: duplicate image x:latest",
		}},
		{"a name made of a long path", "version: 1\nregistries: [{url: 'a.example/" + strings.Repeat("x", 120) + "', images: [x]}]", []string{
			"inventory.yaml:2: registries[0].url: makes a name of more than 128 characters: give the registry a name:",
		}},
		{"a base path with an escape", "version: 1\nregistries: [{url: 'http://a.example/%1b[31mRED%0aX', images: [x]}, {url: 'b.example/a%2Fb', images: [x]}]", []string{
			"inventory.yaml:2: registries[0].url: the base path must hold nothing that is percent-encoded or would have to be",
			"inventory.yaml:2: registries[1].url: the base path must hold nothing that is percent-encoded or would have to be",
		}},
		{"a host that turns the text around", "version: 1\nregistries: [{url: 'http://a%E2%80%AEb', images: [x]}]", []string{
			`inventory.yaml:2: registries[0].url: "a\u202eb" is not a host, or its port is not from 1 to 65535`,
		}},
		{"a password with a slash in the url", "version: 1\nregistries: [{url: 'https://me:1/hunter2@a.example', images: [x]}]", []string{"inventory.yaml:2: registries[0].url: must not carry credentials: write them under auth:"}},
		{"two names at fault are not the same", "version: 1\ndefaults: {images: [x]}\nregistries:\n  - {url: a.example, name: ''}\n  - {url: b.example, name: ''}\n", []string{
			"inventory.yaml:4: registries[0].name: must not be empty",
			"inventory.yaml:5: registries[1].name: must not be empty",
		}},
		{"control character in a key", one(`"a\e[31m": 1`), []string{`inventory.yaml:5: registries[0]."a\x1b[31m": unknown key: the keys here are auth, burst, concurrency, expect, images, labels, leavePulls, name, rate, require, retries, retryCap, timeout, tls, url, writeProbe`}},
		{"a key of another kind", one("{a: b}: 1"), []string{"inventory.yaml:5: registries[0]: a key must be text"}},
		{"control character in a name", one(`name: "a\eb"`), []string{"inventory.yaml:5: registries[0].name: must not hold control characters"}},
		{"long name", one("name: " + strings.Repeat("ä", 129)), []string{"inventory.yaml:5: registries[0].name: is longer than 128 characters"}},
		{"images: []", "version: 1\nregistries: [{url: a.example, images: []}]", []string{"inventory.yaml:2: registries[0].images: is empty: name an image, or leave images out to try library/alpine:latest"}},
		{"images: [] in defaults", "version: 1\ndefaults:\n  images: []\nregistries: [{url: a.example}]", []string{"inventory.yaml:3: defaults.images: is empty: name an image, or leave images out to try library/alpine:latest"}},
		{"malformed image", "version: 1\nregistries: [{url: a.example, images: ['UPPER/case']}]", []string{`inventory.yaml:2: registries[0].images[0]: "UPPER/case" is not a repository name: lower case letters, digits, and . _ - / between them`}},
		{"malformed tag", "version: 1\nregistries: [{url: a.example, images: ['a:-x']}]", []string{`inventory.yaml:2: registries[0].images[0]: "-x" is not a tag`}},
		{"malformed digest", "version: 1\nregistries: [{url: a.example, images: ['a@sha256:12']}]", []string{`inventory.yaml:2: registries[0].images[0]: "sha256:12" is not a digest: write sha256: and 64 hex digits`}},
		{"image with its host", "version: 1\nregistries: [{url: quay.io, images: [quay.io/a/b]}]", []string{"inventory.yaml:2: registries[0].images[0]: leave the registry out: write a/b"}},
		{"image with its host, far from its entry", one()[:len(one())-len("[a/b]\n")] + "\n      - a/b\n      - r.example.com/c:1\n", []string{"inventory.yaml:6: registries[0].images[1]: leave the registry out: write c:1"}},
		{"image with its host, from defaults", "version: 1\ndefaults: {images: [quay.io/a/b]}\nregistries:\n  - {url: mirror.example}\n  - {url: quay.io}\n", []string{"inventory.yaml:5: registries[1].images: leave the registry out: write a/b"}},
		{"image with its host and port", "version: 1\nregistries:\n  - images: ['127.0.0.1:5000/a', '[::1]:5000/b:1', 'LOCALHOST:5000/c']\n    url: http://127.0.0.1:5000\n  - {url: '[::1]:5000', images: ['[::1]:5000/b:1']}\n", []string{
			"inventory.yaml:3: registries[0].images[0]: leave the registry out: write a",
			"inventory.yaml:3: registries[0].images[1]: [::1]:5000 is another registry: this image belongs to an entry of its own",
			"inventory.yaml:3: registries[0].images[2]: LOCALHOST:5000 is another registry: this image belongs to an entry of its own",
			"inventory.yaml:5: registries[1].images[0]: leave the registry out: write b:1",
		}},
		{"image with a default port", "version: 1\nregistries: [{url: quay.io, images: ['quay.io:443/a']}, {url: 'b.example:443', images: [b.example/b]}, {url: 'http://c.example', images: ['c.example:80/c']}]", []string{
			"inventory.yaml:2: registries[0].images[0]: leave the registry out: write a",
			"inventory.yaml:2: registries[1].images[0]: leave the registry out: write b",
			"inventory.yaml:2: registries[2].images[0]: leave the registry out: write c",
		}},
		{"image with its host and base path", "version: 1\nregistries: [{url: a.example/base/path, images: [a.example/base/path/b]}]", []string{"inventory.yaml:2: registries[0].images[0]: leave the registry out: write b"}},
		{"image with a port, from defaults", "version: 1\ndefaults: {images: ['127.0.0.1:5000/a', b]}\nregistries: [{url: 'http://127.0.0.1:5000'}, {url: b.example}]", []string{"inventory.yaml:2: defaults.images[0]: leave the registry out: write a, which is then tried at every registry"}},
		{"image with a port, and no url", "version: 1\nregistries: [{images: ['127.0.0.1:5000/a']}]", []string{
			"inventory.yaml:2: registries[0].url: is missing: write the registry's address",
			"inventory.yaml:2: registries[0].images[0]: leave the registry out: write a",
		}},
		{"image with a name of Docker Hub", "version: 1\nregistries: [{url: docker.io, images: [docker.io/library/nginx, 'index.docker.io/nginx:1', registry-1.docker.io/a/b, ghcr.io/c/d]}]", []string{
			"inventory.yaml:2: registries[0].images[0]: leave the registry out: write library/nginx",
			"inventory.yaml:2: registries[0].images[1]: leave the registry out: write nginx:1",
			"inventory.yaml:2: registries[0].images[2]: leave the registry out: write a/b",
			"inventory.yaml:2: registries[0].images[3]: ghcr.io is another registry: this image belongs to an entry of its own",
		}},
		{"image that is an address", "version: 1\nregistries: [{url: a.example, images: ['https://me:hunter2@quay.io/a/b', 'https://me:hunter2!x']}]", []string{
			"inventory.yaml:2: registries[0].images[0]: is an address: write repo, repo:tag or repo@digest without the registry's host",
			"inventory.yaml:2: registries[0].images[1]: is an address: write repo, repo:tag or repo@digest without the registry's host",
		}},
		{"image twice", "version: 1\nregistries: [{url: a.example, images: [x, 'x:latest']}]", []string{"inventory.yaml:2: registries[0].images[1]: duplicate image x:latest"}},
		{"negative rate", one("rate: -1"), []string{"inventory.yaml:5: registries[0].rate: must not be negative"}},
		{"rate that is none", one("rate: fast"), []string{`inventory.yaml:5: registries[0].rate: "fast" is not a number`}},
		{"rate over its bound", one("rate: 2000000"), []string{"inventory.yaml:5: registries[0].rate: must be from 0 to 1000000"}},
		{"rate NaN", one("rate: .nan"), []string{`inventory.yaml:5: registries[0].rate: ".nan" is not a number`}},
		{"burst 0", one("burst: 0"), []string{"inventory.yaml:5: registries[0].burst: must be from 1 to 1000000"}},
		{"concurrency 0", one("concurrency: 0"), []string{"inventory.yaml:5: registries[0].concurrency: must be from 1 to 1024"}},
		{"negative retries", one("retries: -1"), []string{"inventory.yaml:5: registries[0].retries: must not be negative"}},
		{"duration without unit", one("timeout: 10"), []string{`inventory.yaml:5: registries[0].timeout: "10" has no unit: write 10s or 10ms`}},
		{"bad duration", one("timeout: soon"), []string{`inventory.yaml:5: registries[0].timeout: "soon" is not a duration: write 10s, 500ms or 1m30s`}},
		{"no time at all", one("timeout: 0s"), []string{"inventory.yaml:5: registries[0].timeout: must be from 1ms to 10m0s"}},
		{"unset variable", one(`name: "${NOBODY}"`), []string{"inventory.yaml:5: registries[0].name: the variable NOBODY is not set"}},
		{"no variable", one(`name: "${NO BODY}"`), []string{"inventory.yaml:5: registries[0].name: ${...} names no variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar"}},
		{"no variable in a secret", one(`auth: {username: u, password: "${hunter2 !}"}`), []string{"inventory.yaml:5: registries[0].auth.password: ${...} names no variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar"}},
		{"a variable that is not closed", one(`auth: {username: u, password: "${hunter2"}`), []string{"inventory.yaml:5: registries[0].auth.password: a ${ has no }: write ${NAME} or ${NAME:-default}, or $$ for a dollar"}},
		{"a variable in a default", one(`auth: {username: u, password: "${NOPE:-${hunter2}}"}`), []string{"inventory.yaml:5: registries[0].auth.password: the default of ${NAME:-default} is text: it cannot hold another ${...}"}},
		{"a variable in a variable", one(`name: "${A${B}}"`), []string{"inventory.yaml:5: registries[0].name: ${...} names no variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar"}},
		{"a variable without braces", one("auth: {username: u, password: $PASSWORD}"), []string{"inventory.yaml:5: registries[0].auth.password: has a variable without braces: write ${PASSWORD}, or $$ for a dollar"}},
		{"a variable without braces that is not set", one("auth: {username: u, password: $hunter2}"), []string{"inventory.yaml:5: registries[0].auth.password: has a variable without braces: write ${NAME}, or $$ for a dollar"}},
		{"a variable without braces in a token", one("auth:", "  token: x$$$PASSWORD"), []string{"inventory.yaml:6: registries[0].auth.token: has a variable without braces: write ${PASSWORD}, or $$ for a dollar"}},
		{"a variable without braces in a default", one(`auth: {identityToken: "${NOPE:-$PASSWORD}"}`), []string{"inventory.yaml:5: registries[0].auth.identityToken: has a variable without braces: write ${PASSWORD}, or $$ for a dollar"}},
		{"a user without braces", one("auth: {username: $PASSWORD, password: p}"), []string{"inventory.yaml:5: registries[0].auth.username: has a variable without braces: write ${PASSWORD}, or $$ for a dollar"}},
		{"a secret like an alias", one("auth: {username: u, password: *hunter2}"), []string{"inventory.yaml:5: is not YAML: a value that begins with * names no anchor: quote it"}},
		{"a secret of another kind", one("auth: {username: u, password: [hunter2]}"), []string{"inventory.yaml:5: registries[0].auth.password: must be text, not a list"}},
		{"two secrets", one("auth: {username: u, password: a, token: b}"), []string{"inventory.yaml:5: registries[0].auth: has password and token: choose one"}},
		{"user without password", one("auth: {username: u}"), []string{"inventory.yaml:5: registries[0].auth: has a username without password or passwordFile"}},
		{"password without user", one("auth: {password: p}"), []string{"inventory.yaml:5: registries[0].auth: has a password without username"}},
		{"empty password", one(`auth: {username: u, password: "${EMPTY}"}`), []string{"inventory.yaml:5: registries[0].auth.password: must not be empty"}},
		{"password of two lines", one(`auth: {username: u, password: "a\nb"}`), []string{"inventory.yaml:5: registries[0].auth.password: must be one line of text"}},
		{"empty auth", one("auth: {}"), []string{"inventory.yaml:5: registries[0].auth: is empty: choose username and password, token, identityToken, helper, dockerConfig or anonymous"}},
		{"anonymous: false", one("auth: {anonymous: false}"), []string{"inventory.yaml:5: registries[0].auth.anonymous: can only be true; leave it out to use the docker config"}},
		{"helper with a path", one("auth: {helper: ../evil}"), []string{`inventory.yaml:5: registries[0].auth.helper: "../evil" is not a helper's name: write ecr-login for docker-credential-ecr-login`}},
		{"helper and docker config", one("auth: {helper: x, dockerConfig: /dev/null}"), []string{"inventory.yaml:5: registries[0].auth.dockerConfig: is not a docker config: invalid JSON at byte 0", "inventory.yaml:5: registries[0].auth: has helper and dockerConfig: choose one"}},
		{"missing docker config", one("auth: {dockerConfig: /nonexistent/d}"), []string{"inventory.yaml:5: registries[0].auth.dockerConfig: open /nonexistent/d: no such file or directory"}},
		{"endless docker config", one("auth: {dockerConfig: /dev/zero}"), []string{"inventory.yaml:5: registries[0].auth.dockerConfig: /dev/zero is over 1024 KiB"}},
		{"docker config without a file", one(`auth: {dockerConfig: ""}`), []string{"inventory.yaml:5: registries[0].auth.dockerConfig: must not be empty"}},
		{"missing CA file", one("tls: {caFile: /nonexistent/ca.pem}"), []string{"inventory.yaml:5: registries[0].tls.caFile: open /nonexistent/ca.pem: no such file or directory"}},
		{"missing password file", one("auth: {username: u, passwordFile: /nonexistent/p}"), []string{"inventory.yaml:5: registries[0].auth.passwordFile: open /nonexistent/p: no such file or directory"}},
		{"CA file that is none", one("tls: {caFile: /dev/null}"), []string{"inventory.yaml:5: registries[0].tls.caFile: holds no PEM certificate"}},
		{"endless token file", one("auth: {tokenFile: /dev/zero}"), []string{"inventory.yaml:5: registries[0].auth.tokenFile: /dev/zero is over 64 KiB"}},
		{"certificate without key", one("tls: {certFile: /dev/null}"), []string{"inventory.yaml:5: registries[0].tls: certFile and keyFile go together"}},
		{"not a boolean", one("tls: {insecureSkipVerify: maybe}"), []string{`inventory.yaml:5: registries[0].tls.insecureSkipVerify: "maybe" is neither true nor false`}},
		{"unknown outcome", one("expect: yes-please"), []string{`inventory.yaml:5: registries[0].expect: unknown outcome "yes-please": choose referrers-api, referrers-tag, supported, unsupported, invalid, unknown`}},
		{"unknown kind", one("require: [sbom, sboms]"), []string{`inventory.yaml:5: registries[0].require[1]: unknown kind "sboms": choose signature, sbom, provenance, attestation, vex, scan-report, helm-provenance`}},
		{"a kind that says nothing", one("require: [other]"), []string{`inventory.yaml:5: registries[0].require[0]: unknown kind "other": choose signature, sbom, provenance, attestation, vex, scan-report, helm-provenance`}},
		{"a kind twice", one("require: [sbom, sbom]"), []string{`inventory.yaml:5: registries[0].require[1]: "sbom" is there twice`}},
		{"a kind without a list", one("require: sbom"), []string{"inventory.yaml:5: registries[0].require: must be a list, not a single value"}},
		{"negative pulls", one("leavePulls: -1"), []string{"inventory.yaml:5: registries[0].leavePulls: must not be negative"}},
		{"write probe without repository", one("writeProbe: {}"), []string{"inventory.yaml:5: registries[0].writeProbe.repository: is missing: name a repository that may be written to"}},
		{"label twice", one("labels: {a: 1, a: 2}"), []string{"inventory.yaml:5: registries[0].labels.a: duplicate key"}},
		{"labels of another kind", one("labels: [a]"), []string{"inventory.yaml:5: registries[0].labels: must be a mapping of keys, not a list"}},
		{"all faults in the order of their lines", "version: 3\ndefaults: {rate: -1}\nregistries:\n  - {url: 'ftp://x', images: [x], burst: 0}\n", []string{
			`inventory.yaml:1: version: "3" is not known: this refmatrix reads version 1`,
			"inventory.yaml:2: defaults.rate: must not be negative",
			`inventory.yaml:4: registries[0].url: the scheme "ftp" is not known: write https:// or http://`,
			"inventory.yaml:4: registries[0].burst: must be from 1 to 1000000",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(t, test.text)
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(strings.Join(test.want, "\n"), err.Error()); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("a secret is in the message")
			}
		})
	}
}

// TestManyFaults: of a file that is wrong all over, how much is told is
// bounded, and that there is more is said.
func TestManyFaults(t *testing.T) {
	_, err := parse(t, one("labels: {"+strings.Repeat(`"": x, `, 300)+"}"))
	lines := strings.Split(fmt.Sprint(err), "\n")
	if last := lines[len(lines)-1]; len(lines) != 201 || last != "inventory.yaml: 100 more faults are not listed: fix these first" {
		t.Errorf("%d faults, the last %q", len(lines), last)
	}
}

// TestAliasBomb: a document that unfolds into billions of values is refused
// without unfolding it.
func TestAliasBomb(t *testing.T) {
	text := "version: 1\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	began := time.Now()
	_, err := parse(t, text)
	const want = "its aliases unfold into more than 1000000 values: write out what is needed"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Fatalf("got %v, want %s", err, want)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestBounds: a fault of a large or deep document says what is there, and does not name
// aliases in a document that does not have any.
func TestBounds(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "inventory.yaml:1: is nested more than 32 levels deep"},
		{"a: &a [*a]", "inventory.yaml:1: its aliases are nested more than 32 levels deep, or hold themselves"},
	} {
		if _, err := parse(t, test.text); fmt.Sprint(err) != test.want {
			t.Errorf("%.30s: got %.200s, want %s", test.text, err, test.want)
		}
	}
	// As 50,000 entries of 20 values are, which take seconds to parse.
	large := &yaml.Node{Kind: yaml.SequenceNode, Line: 1, Content: slices.Repeat([]*yaml.Node{{Kind: yaml.ScalarNode, Line: 2}}, 1_000_000)}
	const want = "inventory.yaml:2: holds more than 1000000 values: split the inventory"
	if err := inventory.Bounded(large, "inventory.yaml"); fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestManyValues: a file that is nothing but values is refused before it costs
// sixty times its size.
func TestManyValues(t *testing.T) {
	text := "version: 1\nregistries: [" + strings.Repeat("{},", 16<<20/3-20) + "]\n"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := parse(t, text)
	runtime.ReadMemStats(&after)
	if want := "inventory.yaml: holds more than 1000000 lines and values: split the inventory"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 200<<20 {
		t.Errorf("took %d MB", took>>20)
	}
}

// TestUnreadable covers what is wrong with the file and not with its text.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 100<<20); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, want string }{
		{filepath.Join(dir, "absent.yaml"), "no such file: write an inventory, draft one with refmatrix init, or name it with -i"},
		{dir, "is a directory: name the inventory file in it"},
		{large, "is over 16 MiB: split the inventory"},
	} {
		_, err := inventory.Load(test.path, environment)
		if err == nil || err.Error() != test.path+": "+test.want {
			t.Errorf("%s: got %v", test.path, err)
		}
	}
}

// TestParse is the table of what is understood.
func TestParse(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("from a file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pull := `{"auths":{"e.example/team":{"username":"pulled","password":"from a secret"}}}`
	if err := os.WriteFile(filepath.Join(dir, "pull.json"), []byte(pull), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `version: "1"
defaults:
  images: [alpine, "team/app:1.0@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"]
  timeout: 3s
  labels: {env: prod, tier: 1}
  require: [signature, "${KIND:-sbom}"]
  leavePulls: 20
registries:
  - url: docker.io
  - name: plain
    url: http://[::1]:5000/base/path/
    labels: {env: test}
    rate: "${RATE}"
    burst: 7
    auth: {username: "robot$$x", password: "${PASSWORD}"}
  - {url: "${HOST}", retries: 0, retryCap: 1m, auth: {username: u, passwordFile: password}, writeProbe: {repository: scratch/x}, require: [], leavePulls: 0}
  - {url: "${NOWHERE:-fallback.example.com}", auth: {token: t}, expect: referrers-api, require: [vex]}
  - {url: b.example, auth: {identityToken: i, realms: [Auth.example.com]}}
  - {url: c.example, auth: {helper: ecr-login}}
  - {url: d.example, auth: {anonymous: true}}
  - {url: e.example, auth: {dockerConfig: pull.json, realms: [auth.example.com]}}
`
	inv, err := inventory.Parse(strings.NewReader(text), "i.yaml", dir, environment)
	if err != nil {
		t.Fatal(err)
	}
	hub, plain, host := inv.Registries[0], inv.Registries[1], inv.Registries[2]
	pulled, _, err := inv.Registries[7].Auth.DockerConfig.Locate("e.example", "team/app").Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checks := []struct{ name, got, want string }{
		{"Docker Hub's name", hub.Name, "docker.io"},
		{"Docker Hub's host", hub.URL.String(), "https://registry-1.docker.io"},
		{"library/ is added", hub.Images[0].String(), "library/alpine:latest"},
		{"a digest wins over a tag", hub.Images[1].String(), "team/app@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
		{"standard limits", fmt.Sprint(hub.Rate, hub.Burst, hub.Concurrency, hub.Timeout, hub.Retries, hub.RetryCap), "10 10 4 3s 2 30s"},
		{"base path and IPv6", plain.URL.String(), "http://[::1]:5000/base/path"},
		{"no library/ elsewhere", plain.Images[0].String(), "alpine:latest"},
		{"labels are merged", fmt.Sprint(plain.Labels), "map[env:test tier:1]"},
		{"defaults keep their labels", fmt.Sprint(hub.Labels), "map[env:prod tier:1]"},
		{"numbers from variables", fmt.Sprint(plain.Rate, plain.Burst), "2.5 7"},
		{"a dollar", plain.Auth.Username, "robot$x"},
		{"a secret is not read again", plain.Auth.Password.Reveal(), canary},
		{"a file's line end is cut", host.Auth.Password.Reveal(), "from a file"},
		{"a default name", host.Name, "registry.example.com"},
		{"durations", fmt.Sprint(host.Retries, host.RetryCap), "0 1m0s"},
		{"kinds of defaults", fmt.Sprint(hub.Require, hub.LeavePulls), "[signature sbom] 20"},
		{"no kinds", fmt.Sprint(host.Require, host.LeavePulls), "[] 0"},
		{"other kinds", fmt.Sprint(inv.Registries[3].Require, inv.Registries[3].LeavePulls), "[vex] 20"},
		{"write probe", host.WriteProbe.Repository, "scratch/x"},
		{"a fallback", inv.Registries[3].Name, "fallback.example.com"},
		{"token", inv.Registries[3].Auth.Token.Reveal() + inv.Registries[3].Expect, "treferrers-api"},
		{"realms", fmt.Sprint(inv.Registries[4].Auth.Realms, inv.Registries[4].Auth.IdentityToken.Reveal()), "[auth.example.com]i"},
		{"helper", inv.Registries[5].Auth.Helper, "ecr-login"},
		{"docker config", pulled.Username + " " + pulled.Password + " " + inv.Registries[7].Auth.Realms[0], "pulled from a secret auth.example.com"},
		{"anonymous", fmt.Sprint(inv.Registries[6].Auth.Anonymous), "true"},
	}
	for _, check := range checks {
		if check.got != check.want {
			t.Errorf("%s: got %q, want %q", check.name, check.got, check.want)
		}
	}
	encoded, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %x %q %s %s", *inv, *inv, inv.Registries, inv.Registries[1].Auth.Password, inv.Registries[1].Auth.Password, encoded, inv.Registries[7].Auth.DockerConfig)
	for _, secret := range []inventory.Secret{inv.Registries[1].Auth.Password, "another"} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10s"} {
			if got := fmt.Sprintf(verb, secret); got != "***" {
				t.Errorf("%s prints %q", verb, got)
			}
		}
	}
	for _, secret := range []string{"s3cr3t", "from a secret", "from a file", fmt.Sprintf("%x", "from a file")} {
		if strings.Contains(printed, secret) {
			t.Errorf("%q prints itself", secret)
		}
	}
}

// TestURL is the table of addresses that people copy into url:, with what is wrong with
// each, and of those that may be the base path of a registry.
func TestURL(t *testing.T) {
	const (
		version = "leave /v2/ out: every request adds it"
		request = "is one request of the registry's API: end the url before /v2/"
		page    = "is a page of the registry's web site: write the registry's host, and the base path if there is one"
		query   = "must not carry a query or fragment: write the registry's host, and the base path if there is one"
		root    = "has a path, and this registry has none: write the host alone, and repositories under images:"
	)
	for _, test := range []struct{ url, want string }{
		{"harbor.example.com/v2", version},
		{"https://harbor.example.com/v2/", version},
		{"https://index.docker.io/v1/", "leave /v1/ out: every request adds /v2/"},
		{"https://harbor.example.com/v2//", version},
		{"https://a.example/artifactory/api/docker/oci-local/v2", version},
		{"https://a.example/v2/_catalog", request},
		{"https://a.example/base/v2/team/app/manifests/1.0", request},
		{"https://a.example/v2/team/app/tags/list", request},
		{"https://hub.docker.com/r/library/alpine", "is a web site of Docker: write docker.io"},
		{"hub.docker.com", "is a web site of Docker: write docker.io"},
		{"https://GitHub.com/example/app", "is GitHub's web site: write ghcr.io"},
		{"gitlab.com", "is GitLab's web site: write registry.gitlab.com"},
		{"https://gallery.ecr.aws/docker/library/alpine", "is the web site of Amazon ECR Public: write public.ecr.aws"},
		{"https://harbor.example.com/harbor/projects", page},
		{"https://harbor.example.com/harbor/projects/1/repositories", page},
		{"https://harbor.example.com/account/sign-in", page},
		{"https://a.example/ui", page},
		{"https://a.example/ui/packages", page},
		{"https://a.example/artifactory/webapp/", page},
		{"https://a.example/base/index.html", page},
		{"https://a.example/Login.aspx", page},
		{"https://a.example/harbor/projects?page=1", query},
		{"https://nexus.example.com/#browse/browse:docker", query},
		{"docker.io/library/alpine", root},
		{"https://ghcr.io/example/", root},
		{"eu.gcr.io/example", root},
		{"europe-docker.pkg.dev/example/images", root},
		{"example.azurecr.io/base", root},
		{"123456789012.dkr.ecr.eu-central-1.amazonaws.com/base", root},

		{"https://a.example/artifactory/api/docker/ui", ""},
		{"https://nexus.example.com/repository/docker-hosted", ""},
		{"https://a.example/harbor", ""},
		{"https://a.example/v2-mirror", ""},
		{"https://a.example/v2/mirror", ""},
		{"https://a.example/v3", ""},
		{"https://v2.example", ""},
		{"https://github.com.example", ""},
		{"https://github.example.com/x", ""},
		{"https://docker.pkg.github.com", ""},
		{"https://ghcr.io/", ""},
	} {
		_, err := parse(t, "version: 1\nregistries:\n  - url: '"+test.url+"'\n")
		want := "<nil>"
		if test.want != "" {
			want = "inventory.yaml:3: registries[0].url: " + test.want
		}
		if got := fmt.Sprint(err); got != want {
			t.Errorf("%s: got %s, want %s", test.url, got, want)
		}
	}
}

// TestNoImages: an entry for which no images are given has the default one, and it is
// known that nobody named it.
func TestNoImages(t *testing.T) {
	for _, test := range []struct {
		text, images string
		noImages     bool
	}{
		{"registries: [{url: a.example}]", "[library/alpine:latest]", true},
		{"registries: [{url: docker.io}]", "[library/alpine:latest]", true},
		{"registries: [{url: a.example, images: [x]}]", "[x:latest]", false},
		{"registries: [{url: a.example, images: [library/alpine]}]", "[library/alpine:latest]", false},
		{"defaults: {images: [x]}\nregistries: [{url: a.example}]", "[x:latest]", false},
		{"defaults: {rate: 1}\nregistries: [{url: a.example}]", "[library/alpine:latest]", true},
	} {
		inv, err := parse(t, "version: 1\n"+test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if r := inv.Registries[0]; fmt.Sprint(r.Images) != test.images || r.NoImages != test.noImages {
			t.Errorf("%s: images %s, none given %v", test.text, r.Images, r.NoImages)
		}
	}
}

// TestDollars: a dollar that begins no variable is a dollar, and $$ is one too.
func TestDollars(t *testing.T) {
	for text, want := range map[string]string{
		"{username: u, password: a$$b}":                "u a$b",
		"{username: u, password: a$}":                  "u a$",
		"{username: u, password: a$1$-}":               "u a$1$-",
		"{username: u, password: $$PASSWORD}":          "u $PASSWORD",
		"{username: u, password: $$$$PASSWORD}":        "u $$PASSWORD",
		"{username: robot$scanner, password: p}":       "robot$scanner p",
		"{username: robot$$scanner, password: p}":      "robot$scanner p",
		"{username: $$PASSWORD, password: p}":          "$PASSWORD p",
		`{username: "${HOST}$x", password: "${RATE}"}`: "registry.example.com$x 2.5",
	} {
		inv, err := parse(t, one("auth: "+text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := inv.Registries[0].Auth.Username + " " + inv.Registries[0].Auth.Password.Reveal(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestMergeKeys: << brings what the mapping does not have itself.
func TestMergeKeys(t *testing.T) {
	inv, err := parse(t, "version: 1\ndefaults: &d {rate: 3, burst: 2, images: [x]}\nregistries:\n  - {<<: *d, url: a.example, burst: 5}\n")
	if err != nil {
		t.Fatal(err)
	}
	if r := inv.Registries[0]; r.Rate != 3 || r.Burst != 5 {
		t.Errorf("rate %g, burst %d", r.Rate, r.Burst)
	}
}

// TestExample: the inventory at the root loads without any variable, and what
// is commented out in it is as valid.
func TestExample(t *testing.T) {
	const path = "../../inventory.yaml"
	inv, err := inventory.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Registries) < 11 || len(inv.Warnings) > 0 {
		t.Errorf("%d registries, warnings %q", len(inv.Registries), inv.Warnings)
	}
	for _, r := range inv.Registries {
		if r.Rate < 2 || r.Rate > 5 || r.Auth.Username != "" || r.URL.Scheme != "https" || len(r.Labels) == 0 {
			t.Errorf("%s: no gentle public registry: %+v", r.Name, r)
		}
	}

	dir := t.TempDir()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, content := range map[string][]byte{"company-ca.pem": authority, "artifactory.password": []byte("p\n"), "pull-secret.json": []byte(`{"auths":{}}`), "ghcr.token": []byte("t\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := inventory.Parse(strings.NewReader(uncommented(t, path)), path, dir, func(name string) (string, bool) { return name, true })
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Registries) != len(inv.Registries)+7 {
		t.Errorf("%d registries with the private ones", len(all.Registries))
	}
}

// uncommented is the file at path with its commented-out registries.
func uncommented(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\n#  ", "\n  ")
}

// TestReadableByOthers: a secret in a file that others can read is told, by
// the file's name alone.
func TestReadableByOthers(t *testing.T) {
	for _, test := range []struct {
		secret string
		mode   os.FileMode
		warns  bool
	}{
		{"literal-canary", 0o644, true}, {"literal-canary", 0o600, false}, {`"${PASSWORD}"`, 0o644, false},
		{`"${NOPE:-literal-canary}"`, 0o644, true}, {`"${NOPE:-literal-canary}"`, 0o600, false}, {`"${PASSWORD:-}"`, 0o644, false},
	} {
		path := filepath.Join(t.TempDir(), "inventory.yaml")
		if err := os.WriteFile(path, []byte(one("auth: {username: u, password: "+test.secret+"}")), test.mode); err != nil {
			t.Fatal(err)
		}
		inv, err := inventory.Load(path, environment)
		if err != nil {
			t.Fatal(err)
		}
		if warned := len(inv.Warnings) == 1; warned != test.warns || strings.Contains(fmt.Sprint(inv.Warnings), "canary") {
			t.Errorf("%s %o: %q", test.secret, test.mode, inv.Warnings)
		}
	}
}

// TestKeyReadableByAll: a private key is a secret, and its certificate is none.
func TestKeyReadableByAll(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: certificate}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, pem.EncodeToMemory(block), 0o600), os.Chmod(path, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	inv, err := inventory.Parse(strings.NewReader(one("tls: {certFile: cert.pem, keyFile: key.pem}")), "inventory.yaml", dir, environment)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(inv.Warnings), "["+filepath.Join(dir, "key.pem")+" holds a secret and can be read by everybody (mode 0644): chmod 600 it]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSecretFileReadableByAll: the same of a file that holds nothing but one, told
// once however many entries name it.
func TestSecretFileReadableByAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	text := "version: 1\ndefaults: {images: [x]}\nregistries:\n" +
		"  - {url: a.example, auth: {username: u, passwordFile: secret}}\n  - {url: b.example, auth: {tokenFile: secret}}\n  - {url: c.example, auth: {dockerConfig: secret}}\n"
	for mode, want := range map[os.FileMode]string{
		0o600: "[]", 0o640: "[]", 0o644: "[" + path + " holds a secret and can be read by everybody (mode 0644): chmod 600 it]",
	} {
		if err := errors.Join(os.WriteFile(path, []byte(`{"auths":{}}`), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		inv, err := inventory.Parse(strings.NewReader(text), "inventory.yaml", dir, environment)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(inv.Warnings); got != want {
			t.Errorf("%o: got %s, want %s", mode, got, want)
		}
	}
}

func TestSelect(t *testing.T) {
	text := "version: 1\ndefaults: {images: [x]}\nregistries:\n" +
		"  - {name: harbor-a, url: a.example, labels: {env: prod}}\n  - {name: harbor-b, url: b.example, labels: {env: test}}\n  - {name: quay/x, url: c.example}\n"
	for _, test := range []struct {
		only, selectors []string
		want            string
	}{
		{nil, nil, "harbor-a harbor-b quay/x"},
		{[]string{"harbor-*"}, nil, "harbor-a harbor-b"},
		{[]string{"harbor-a", "quay*"}, nil, "harbor-a quay/x"},
		{nil, []string{"env=prod"}, "harbor-a"},
		{nil, []string{"env"}, "harbor-a harbor-b"},
		{nil, []string{"env!=prod"}, "harbor-b quay/x"},
		{[]string{"harbor-*"}, []string{"env=test"}, "harbor-b"},
		{[]string{"nobody"}, nil, "inventory.yaml: no registry matches nobody: check --only and --selector"},
		{[]string{"[a"}, nil, `--only "[a": not a glob: syntax error in pattern`},
	} {
		inv, err := parse(t, text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := inv.Select(test.only, test.selectors); err != nil {
			got = append(got, err.Error())
		} else {
			for _, r := range inv.Registries {
				got = append(got, r.Name)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q %q: got %q, want %q", test.only, test.selectors, got, test.want)
		}
	}
}

func TestWithoutUserinfo(t *testing.T) {
	const digest = "@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	for text, want := range map[string]string{
		"quay.io/a/b:1":                    "quay.io/a/b:1",
		"quay.io/a/b" + digest:             "quay.io/a/b" + digest,
		"https://quay.io/a":                "https://quay.io/a",
		"https://u:p@quay.io/a":            "https://***@quay.io/a",
		"u:p@quay.io/a" + digest:           "***@quay.io/a" + digest,
		"https://u:p/q@r@quay.io":          "https://***@quay.io",
		"https://u:https://p@quay.io/a":    "https://***@quay.io/a",
		"u:sha256:12@quay.io":              "***@quay.io",
		"https://oauth2@quay.io/a@sha256:": "https://***@quay.io/a@sha256:",
	} {
		if got := inventory.WithoutUserinfo(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzParse: whatever comes in, there is an error or an inventory that can be
// used, and never a panic.
func FuzzParse(f *testing.F) {
	f.Add(one(`auth: {username: u, password: "${PASSWORD}"}`))
	f.Add("version: 1\ndefaults: {images: [x], labels: {a: b}}\nregistries: [{url: 'http://[::1]:80/x', tls: {caFile: x}}]")
	f.Add("a: &a [*a]")
	f.Add("{<<: {<<: 1}}")
	f.Add(one("auth: {username: u, password: *a}", `"${PASSWORD}": "${PASSWORD"`, "labels: {a: 1, a: 2}"))
	f.Add(one(`auth: {token: "${NO BODY:-x}", realms: [a, b]}`) + "---\n")
	f.Fuzz(func(t *testing.T, text string) {
		inv, err := inventory.Parse(strings.NewReader(text), "f", "/nonexistent", environment)
		if err != nil {
			return
		}
		for _, r := range inv.Registries {
			if r.URL == nil || r.Name == "" || len(r.Images) == 0 || r.Timeout <= 0 || r.Concurrency < 1 {
				t.Errorf("unusable: %+v", r)
			}
			// The secrets alone: any other key may hold the same variable.
			secrets := inventory.Auth{Password: r.Auth.Password, Token: r.Auth.Token, IdentityToken: r.Auth.IdentityToken}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", secrets, secrets, secrets), "s3cr3t") {
				t.Error("a secret prints itself")
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("version: 1\ndefaults: {images: [library/alpine]}\nregistries:\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "  - {name: r%d, url: r%d.example.com, labels: {env: prod}}\n", i, i)
	}
	for b.Loop() {
		if _, err := inventory.Parse(strings.NewReader(text.String()), "b", ".", environment); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzParseImage: what is read as an image is written back as the same one.
func FuzzParseImage(f *testing.F) {
	for _, text := range []string{"a", "a:b", "a/b@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "a//b", "A", "a:", "a@b", "../a", "a:" + strings.Repeat("x", 129), "a b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		image, err := inventory.ParseImage(text)
		if err != nil {
			return
		}
		again, err := inventory.ParseImage(image.String())
		if err != nil || again.String() != image.String() || again.Reference() != image.Reference() {
			t.Errorf("%q is read as %q, then as %q, %v", text, image, again, err)
		}
		if strings.ContainsAny(image.String(), " ?#%\\\"'<>\n") || strings.Contains(image.Repository, "..") {
			t.Errorf("%q is read as %q", text, image)
		}
	})
}
