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
// "Pull usage and limits"). Of several limits the one that has the least left counts. A negative
// number is not a count: some servers send it if nothing is limited.
func (p *pulls) note(header http.Header) {
	least := int64(-1)
	for value := range strings.SplitSeq(strings.Join(header.Values("RateLimit-Remaining"), ","), ",") {
		value, _, _ = strings.Cut(value, ";")
		left, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err == nil && left >= 0 && (least < 0 || left < least) {
			least = left
		}
	}
	if least >= 0 {
		p.left.Store(least)
		p.known.Store(true)
	}
}

// MayPull reports whether a GET of a manifest may be sent, which some registries count as a
// pull. It is false if the last answer that said how many are left named fewer than the
// inventory wants to leave.
func (c *Client) MayPull() bool {
	return !c.pulls.known.Load() || c.pulls.left.Load() >= int64(c.entry.LeavePulls)
}
