package inventory

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"refmatrix/scanner/registry/credential"
)

func (d *decoder) authFields(a *Auth) []field {
	return []field{
		{"username", func(n *yaml.Node, path string) { a.Username = d.username(n, path) }},
		{"password", func(n *yaml.Node, path string) { a.Password = d.secret(n, path) }},
		{"passwordFile", func(n *yaml.Node, path string) { a.Password = d.secretFile(n, path) }},
		{"token", func(n *yaml.Node, path string) { a.Token = d.secret(n, path) }},
		{"tokenFile", func(n *yaml.Node, path string) { a.Token = d.secretFile(n, path) }},
		{"identityToken", func(n *yaml.Node, path string) { a.IdentityToken = d.secret(n, path) }},
		{"anonymous", func(n *yaml.Node, path string) { d.boolean(n, path, &a.Anonymous) }},
		{"helper", func(n *yaml.Node, path string) { a.Helper = d.helper(n, path) }},
		{"dockerConfig", func(n *yaml.Node, path string) { a.DockerConfig = d.dockerConfig(n, path) }},
		{"realms", func(n *yaml.Node, path string) {
			d.sequence(n, path, func(item *yaml.Node, path string) {
				if host, ok := d.requiredText(item, path); ok {
					a.Realms = append(a.Realms, strings.ToLower(host))
				}
			})
		}},
	}
}

var waysToSignIn = []string{
	"password", "passwordFile", "token", "tokenFile", "identityToken", "helper", "dockerConfig", "anonymous",
}

// auth reads exactly one way to sign in; realms may stand beside any.
func (d *decoder) auth(n *yaml.Node, path string) Auth {
	var a Auth
	keys := d.mapping(n, path, d.authFields(&a))
	has := func(key string) bool { return keys[key] != nil }
	var ways []string
	for _, key := range waysToSignIn {
		if has(key) {
			ways = append(ways, key)
		}
	}
	switch {
	case keys == nil:
	case len(ways) > 1:
		d.add(n, path, "has %s: choose one", strings.Join(ways, " and "))
	case has("username") && !has("password") && !has("passwordFile"):
		d.add(n, path, "has a username without password or passwordFile")
	case !has("username") && (has("password") || has("passwordFile")):
		d.add(n, path, "has a password without username")
	case has("anonymous") && !a.Anonymous:
		d.add(keys["anonymous"], join(path, "anonymous"), "can only be true; leave it out to use the docker config")
	case len(ways) == 0 && !has("realms") && len(keys) == 0:
		d.add(n, path, "is empty: choose username and password, token, identityToken, helper, dockerConfig or anonymous")
	}
	return a
}

// username reads the name of an account. $NAME within it is text, because the robot
// accounts of Harbor are called robot$NAME; alone it is a variable without braces.
func (d *decoder) username(n *yaml.Node, path string) string {
	if text := resolved(n).Value; bareVariable.FindString(text) == text {
		if wrong := withoutBraces(text, d.env); wrong != "" {
			d.add(n, path, "%s", wrong)
			return ""
		}
	}
	value, _ := d.requiredText(n, path)
	return value
}

// secret reads a secret value. No message ever holds it.
func (d *decoder) secret(n *yaml.Node, path string) Secret {
	if wrong := withoutBraces(resolved(n).Value, d.env); wrong != "" {
		d.add(n, path, "%s", wrong)
		return ""
	}
	value, ok := d.text(n, path)
	if !ok {
		return ""
	}
	if value == "" {
		d.add(n, path, "must not be empty")
		return ""
	}
	d.inline = d.inline || writtenOut(resolved(n).Value)
	return Secret(d.oneLine(n, path, value))
}

// writtenOut reports whether a secret stands in the value itself: there is no
// variable in it, or one with a default.
func writtenOut(value string) bool {
	return !strings.Contains(value, "${") || withDefault.MatchString(value)
}

var withDefault = regexp.MustCompile(`\$\{[^}]*:-[^}]`)

// oneLine refuses what no header could carry.
func (d *decoder) oneLine(n *yaml.Node, path, value string) string {
	if strings.ContainsAny(value, "\r\n\x00") {
		d.add(n, path, "must be one line of text")
		return ""
	}
	return value
}

const maxSecretFile = 64 << 10

func (d *decoder) secretFile(n *yaml.Node, path string) Secret {
	_, content, ok := d.privateFile(n, path, maxSecretFile)
	if !ok {
		return ""
	}
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		d.add(n, path, "the file is empty")
		return ""
	}
	return Secret(d.oneLine(n, path, value))
}

const maxDockerConfig = 1 << 20 // what a secret of Kubernetes can hold

// dockerConfig reads a docker config, all of it at once: what is wrong in it shows
// before anything is probed.
func (d *decoder) dockerConfig(n *yaml.Node, path string) *credential.Config {
	_, content, ok := d.privateFile(n, path, maxDockerConfig)
	if !ok {
		return nil
	}
	config, err := credential.ParseDockerConfig(content)
	if err != nil {
		d.add(n, path, "%v", err)
	}
	return config
}

// file reads a file that the inventory names, relative to the inventory, and
// returns its name as this process opens it.
func (d *decoder) file(n *yaml.Node, path string, most int64) (name string, content []byte, ok bool) {
	name, ok = d.requiredText(n, path)
	if !ok {
		return "", nil, false
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(d.dir, name)
	}
	file, err := os.Open(name)
	if err != nil {
		d.add(n, path, "%v", err)
		return "", nil, false
	}
	defer file.Close()
	content, err = io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		d.add(n, path, "%v", err)
		return "", nil, false
	}
	if int64(len(content)) > most {
		d.add(n, path, "%s is over %d KiB", name, most>>10)
		return "", nil, false
	}
	return name, content, true
}

// privateFile is a file that holds a secret: there is a warning if every
// account of the machine can read it.
func (d *decoder) privateFile(n *yaml.Node, path string, most int64) (name string, content []byte, ok bool) {
	if name, content, ok = d.file(n, path, most); !ok {
		return "", nil, false
	}
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o004 != 0 {
		d.warn(fmt.Sprintf("%s holds a secret and can be read by everybody (mode %04o): chmod 600 it",
			name, info.Mode().Perm()))
	}
	return name, content, true
}

// warn notes what is not a fault, once.
func (d *decoder) warn(warning string) {
	if !slices.Contains(d.warnings, warning) {
		d.warnings = append(d.warnings, warning)
	}
}

func (d *decoder) helper(n *yaml.Node, path string) string {
	value, ok := d.requiredText(n, path)
	if ok && !credential.ValidHelper(value) {
		d.add(n, path, "%q is not a helper's name: write ecr-login for docker-credential-ecr-login", value)
		return ""
	}
	return value
}

// tlsFiles is the tls mapping before its certificate and key are paired.
type tlsFiles struct {
	TLS
	certificate, key []byte
}

func (d *decoder) tlsFields(t *tlsFiles) []field {
	return []field{
		{"caFile", func(n *yaml.Node, path string) { d.authority(n, path, &t.TLS) }},
		{"certFile", func(n *yaml.Node, path string) { t.CertFile, t.certificate, _ = d.file(n, path, 1<<20) }},
		{"keyFile", func(n *yaml.Node, path string) { t.KeyFile, t.key, _ = d.privateFile(n, path, 1<<20) }},
		{"insecureSkipVerify", func(n *yaml.Node, path string) { d.boolean(n, path, &t.InsecureSkipVerify) }},
	}
}

func (d *decoder) tls(n *yaml.Node, path string) TLS {
	var t tlsFiles
	keys := d.mapping(n, path, d.tlsFields(&t))
	switch {
	case (keys["certFile"] == nil) != (keys["keyFile"] == nil):
		d.add(n, path, "certFile and keyFile go together")
	case t.certificate != nil && t.key != nil:
		pair, err := tls.X509KeyPair(t.certificate, t.key)
		if err != nil {
			d.add(n, path, "certFile and keyFile do not match: %v", err)
			break
		}
		t.Certificate = &pair
	}
	return t.TLS
}

func (d *decoder) authority(n *yaml.Node, path string, t *TLS) {
	name, content, ok := d.file(n, path, 8<<20)
	if !ok {
		return
	}
	if !x509.NewCertPool().AppendCertsFromPEM(content) {
		d.add(n, path, "holds no PEM certificate")
		return
	}
	t.CA, t.CAFile = content, name
}
