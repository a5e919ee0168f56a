package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"

	"refmatrix/scanner/inventory"
)

// What one run of a credential helper may take. oras-go runs helpers without
// these bounds and shows what they write to stderr, hence this file.
const (
	helperTimeout = 30 * time.Second
	helperDelay   = time.Second // for a child of the helper that holds its output open
	maxHelper     = 64 << 10    // bytes of its answer
)

// askHelper runs docker-credential-<name>, without a shell, for the account at
// server; it is empty where the helper knows none (docker's credential helper
// protocol: the server on the standard input of "get", JSON as the answer).
// Nothing of what the helper writes is in the error, for it may hold what the
// helper should have handed over.
func askHelper(ctx context.Context, name, server string) (auth.Credential, error) {
	if !inventory.ValidHelper(name) { // the names in a docker config were written by others
		return auth.EmptyCredential, fmt.Errorf("%.40q is no credential helper's name", name)
	}
	program := "docker-credential-" + name
	answer := &boundedBuffer{left: maxHelper}
	cmd := exec.CommandContext(ctx, program, "get")
	cmd.Stdin, cmd.Stdout, cmd.WaitDelay = strings.NewReader(server), answer, helperDelay
	groupApart(cmd)
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // it is over, and a child of it holds its output
		endGroup(cmd)
		err = ctx.Err()
	}
	failed := func(why string) (auth.Credential, error) {
		return auth.EmptyCredential, fmt.Errorf("%s failed for %s%s", program, server, why)
	}
	var account struct{ Username, Secret string }
	switch {
	case answer.over:
		return failed(fmt.Sprintf(": it answered more than %d bytes", maxHelper))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return auth.EmptyCredential, fmt.Errorf("%s did not answer within %s", program, helperTimeout)
	case errors.Is(err, exec.ErrNotFound):
		return failed(": it is not on the PATH")
	case err != nil && answer.String() == "credentials not found in native keychain":
		return auth.EmptyCredential, nil
	case err != nil:
		return failed("")
	case json.Unmarshal(answer.Bytes(), &account) != nil:
		return failed(": its answer is not the protocol's JSON")
	case account.Username == "<token>": // an identity token, by the protocol
		return auth.Credential{RefreshToken: account.Secret}, nil
	}
	return auth.Credential{Username: account.Username, Password: account.Secret}, nil
}

// boundedBuffer keeps what is written to it up to a bound, and fails over it.
type boundedBuffer struct {
	buffer bytes.Buffer
	left   int
	over   bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if len(p) > b.left {
		b.over = true
		return 0, errors.New("over the bound")
	}
	b.left -= len(p)
	return b.buffer.Write(p)
}

func (b *boundedBuffer) Bytes() []byte  { return b.buffer.Bytes() }
func (b *boundedBuffer) String() string { return strings.TrimSpace(b.buffer.String()) }
