package credential

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// fixedText is what an error may say without naming a key.
var fixedText = regexp.MustCompile(`^(is not a docker config(: invalid JSON at byte \d+)?|has (credHelpers|credsStore): only auths are read here, write helper: NAME for a credential helper)$`)

// FuzzDockerConfig: the parser never panics, what it reads is found again by its
// own key, and no error holds a secret.
func FuzzDockerConfig(f *testing.F) {
	const canary = "canary-secret"
	for _, content := range []string{
		`{"auths":{"registry.test":{"auth":"dTpwYXNz"}}}`, `{"registry.test":{"auth":"dTpwYXNz","email":"e"}}`, `{"auths":{"a.test/b":{"auth":"` + canary + `"}}}`, `{"auths":null}`, `{"auths":[1]}`,
		`{"auths":{"https://index.docker.io/v1/":{"username":"u","password":"` + canary + `"},"docker.io":{}}}`, `{"credsStore":"` + canary + `"}`, `{"credHelpers":{"a":"b"}}`, `{"auths":{"a\u001b":{"auth":7}}}`, ``, `{`, `[]`,
	} {
		f.Add(content, "registry.test", canary)
	}
	f.Fuzz(func(t *testing.T, content, key, secret string) {
		config, err := ParseDockerConfig([]byte(content))
		if err != nil && !fixedText.MatchString(err.Error()) && !strings.HasPrefix(err.Error(), "the entry ") {
			t.Errorf("%q: %v", content, err)
		}
		for key := range keysOf(config) {
			// The key of the same registry or namespace that comes first.
			host, path, _ := strings.Cut(canonicalName(key), "/")
			if source := config.Locate(host, path); source.key == "" || canonicalName(source.key) != canonicalName(key) {
				t.Errorf("%q: the entry %q is not found: %q", content, key, source.key)
			}
		}
		if secret = canary + secret; strings.Contains(key, canary) {
			return
		}
		for _, value := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			entry := map[string]any{key: map[string]any{"auth": value, "password": secret}}
			for _, form := range []any{entry, map[string]any{"auths": entry}, map[string]any{"auths": map[string]any{key: secret}}, map[string]any{"auths": secret}, map[string]any{"credsStore": secret}} {
				encoded, err := json.Marshal(form)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := ParseDockerConfig(encoded); err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), value)) {
					t.Errorf("%q: %v", encoded, err)
				}
			}
		}
	})
}

func keysOf(c *Config) map[string]stored {
	if c == nil {
		return nil
	}
	return c.accounts
}
