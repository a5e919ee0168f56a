package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// HelperPattern is what the NAME of docker-credential-NAME has to match, as a
// regular expression: it is not a path and not an option.
const HelperPattern = `^[A-Za-z0-9_][A-Za-z0-9._-]*$`

var helperName = regexp.MustCompile(HelperPattern)

// ValidHelper reports whether name can be that of a credential helper.
func ValidHelper(name string) bool { return helperName.MatchString(name) }

// Bounds of one run of a credential helper.
const (
	helperTimeout = 30 * time.Second
	helperDelay   = time.Second // for a child of the helper that keeps its output open
	maxHelper     = 64 << 10    // bytes of its answer
)

// askHelper runs docker-credential-<name>, without a shell, for the account at
// server. The account is zero if the helper knows none (docker's credential
// helper protocol: the server on the standard input of "get", JSON as the
// answer). The error holds nothing of what the helper writes, because that may be
// a secret.
func askHelper(ctx context.Context, name, server string) (Account, error) {
	if !ValidHelper(name) { // the names in a docker config were written by others
		return Account{}, fmt.Errorf("%.40q is not a credential helper's name", name)
	}
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	program := "docker-credential-" + name
	answer := &boundedBuffer{left: maxHelper}
	cmd := exec.CommandContext(ctx, program, "get")
	cmd.Stdin, cmd.Stdout, cmd.WaitDelay = strings.NewReader(server), answer, helperDelay
	setGroup(cmd)
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // it ended, and a child of it keeps its output open
		killGroup(cmd)
		err = ctx.Err()
	}
	failed := func(why string) (Account, error) {
		return Account{}, fmt.Errorf("%s failed for %s%s", program, server, why)
	}
	var read struct{ Username, Secret string }
	switch {
	case answer.over:
		return failed(fmt.Sprintf(": it answered more than %d bytes", maxHelper))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Account{}, fmt.Errorf("%s did not answer within %s", program, helperTimeout)
	case errors.Is(err, exec.ErrNotFound):
		return failed(": it is not on the PATH")
	case err != nil && answer.String() == "credentials not found in native keychain":
		return Account{}, nil
	case err != nil:
		return failed("")
	case json.Unmarshal(answer.Bytes(), &read) != nil:
		return failed(": its answer is not the protocol's JSON")
	case read.Username == "<token>": // an identity token, by the protocol
		return Account{IdentityToken: read.Secret}, nil
	}
	return Account{Username: read.Username, Password: read.Secret}, nil
}

// boundedBuffer keeps what is written to it up to a bound, and fails beyond it.
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
