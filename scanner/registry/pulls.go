package registry

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// pulls is how many pulls the registry has left for this account, as its last answer says.
type pulls struct {
	known atomic.Bool
	left  atomic.Int64
}

// note reads the header RateLimit-Remaining, such as "98;w=21600" (Docker Hub's documentation,
// "Pull usage and limits").
func (p *pulls) note(header http.Header) {
	value, _, _ := strings.Cut(header.Get("RateLimit-Remaining"), ";")
	if left, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
		p.left.Store(left)
		p.known.Store(true)
	}
}

// MayPull reports whether a GET of a manifest may be sent, which some registries count as a
// pull. It is false if the last answer that said how many are left named fewer than the
// inventory wants to leave.
func (c *Client) MayPull() bool {
	return !c.pulls.known.Load() || c.pulls.left.Load() >= int64(c.entry.LeavePulls)
}
