// Package credential finds the account for a repository: in the auth file of
// podman and skopeo, in the docker config, by credential helpers.
package credential

import "fmt"

// Account is what a registry or its token service accepts. The zero value is no
// account.
type Account struct {
	Username      string
	Password      string
	IdentityToken string // an OAuth2 refresh token
	RegistryToken string // a bearer token of the registry
}

// IsZero reports whether a is the zero account.
func (a Account) IsZero() bool { return a == Account{} }

// Format implements fmt.Formatter, so that no verb prints a secret.
func (a Account) Format(f fmt.State, _ rune) {
	text := "no account"
	if !a.IsZero() {
		text = "***"
	}
	_, _ = f.Write([]byte(text))
}
