package credential

import (
	"context"
	"fmt"
	"strings"
)

// Source is where the account for a repository comes from. The zero value is no
// account.
type Source struct {
	config *Config // the file that holds it under key
	key    string

	helper, server string // or the helper that is asked for server

	next    *Source // where to look if the helper knows no account
	nextErr error   // why that is not known
}

// NoSource is the name of the source of no account.
const NoSource = "none"

// Helper returns the source that the credential helper docker-credential-NAME is
// for a registry.
func Helper(name, host string) Source {
	return Source{helper: name, server: serverName(host, indexServer)}
}

// Key returns a text that is equal for repositories of one registry that have the
// same account. It is "" without one, and holds no secret.
func (s Source) Key() string {
	switch {
	case s.config != nil:
		return s.config.kind.name + "\x00" + s.key
	case s.helper == "":
		return ""
	}
	key := []string{"helper", s.helper, s.server}
	if s.next != nil {
		key = append(key, s.next.Key())
	}
	return strings.Join(key, "\x00")
}

// Name returns what reports call the source.
func (s Source) Name() string {
	switch {
	case s.config != nil:
		return s.config.kind.name
	case s.helper != "":
		return "helper " + s.helper
	}
	return NoSource
}

// FileAccount returns the account if a file holds it. It is zero for a source that a helper
// is asked for, and for an entry of a file that cannot be read.
func (s Source) FileAccount() Account {
	if s.config == nil {
		return Account{}
	}
	found, err := s.config.account(s.key)
	if err != nil {
		return Account{}
	}
	return found
}

// Format implements fmt.Formatter, so that no verb prints a secret of the file.
func (s Source) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.Name())) }

// Account returns the account and the name of the source that has it. The account is zero
// if nothing was found. A helper is run for it, each time. No error quotes a secret.
func (s Source) Account(ctx context.Context) (Account, string, error) {
	if s.config != nil {
		account, err := s.config.account(s.key)
		return account, s.Name(), err
	}
	if s.helper == "" {
		return Account{}, s.Name(), nil
	}
	account, err := askHelper(ctx, s.helper, s.server)
	switch {
	case err != nil || !account.IsZero():
		return account, s.Name(), err
	case s.nextErr != nil:
		return Account{}, s.Name(), s.nextErr
	case s.next != nil:
		return s.next.Account(ctx)
	}
	return Account{}, s.Name(), nil
}
