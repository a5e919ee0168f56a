package registry

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// TestRedactForms: a secret is found in whatever form a server echoes it.
func TestRedactForms(t *testing.T) {
	for _, secret := range []string{"canary-pass-1234", "canary-pass-12345", "canary-pass-123456", "pä/ss w+rd?&:", `pä"ss<\\w+'rd>`, "eyJhbGciOi.eyJzdWIi.c2ln-_"} {
		std, raw := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
		lower := percent.ReplaceAllStringFunc(url.QueryEscape(secret), strings.ToLower)
		forms := map[string]string{
			"itself": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "query in lower case": lower,
			"base64": std([]byte(secret)), "unpadded": base64.RawStdEncoding.EncodeToString([]byte(secret)), "URL base64": raw([]byte(secret)),
			"x:": std([]byte("x:" + secret)), "xx:": std([]byte("xx:" + secret)), "xxx:": std([]byte("xxx:" + secret)), "with more": raw([]byte("robot:" + secret + "\n\n")),
			"hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		}
		encoded, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		forms["JSON"], forms["quoted"] = string(encoded[1:len(encoded)-1]), strings.Trim(strconv.Quote(secret), `"`)
		forms["HTML"], forms["HTML by name"] = html.EscapeString(secret), namedEntities.Replace(secret)
		var r redactor
		r.add(secret)
		for name, form := range forms {
			got := r.redact("<" + form + ">")
			// Of a form around the secret its frame may stay: the name, and the
			// characters that the secret shares with it.
			if strings.Contains(got, form) || len(got) > len("<***>")+len("robot:")*4/3+4+len("\n\n")*4/3 {
				t.Errorf("%q as %s: %q", secret, name, got)
			}
		}
	}
}

// TestRedactPrefix: a secret that begins with another one is hidden whole.
func TestRedactPrefix(t *testing.T) {
	for range 20 { // the order of a map would show in some
		var r redactor
		r.add("registry", "registry-s3cr3t", "registry-s3cr3t-XYZ")
		if got := r.redact("Server: registry-s3cr3t-XYZ, registry-s3cr3t, registry"); got != "Server: ***, ***, ***" {
			t.Fatal(got)
		}
	}
}

// TestRedactShort: four characters are a secret, fewer would star out words.
func TestRedactShort(t *testing.T) {
	for secret, want := range map[string]string{"s3cr": "it is ***", "s3c": "it is s3c"} {
		var r redactor
		r.add(secret)
		if got := r.redact("it is " + secret); got != want {
			t.Errorf("%s: %q, want %q", secret, got, want)
		}
	}
}
