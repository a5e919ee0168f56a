package probe

import (
	"context"
	"net/http"
)

// absentDigest is well formed and the hash of nothing that anybody has.
const absentDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// maxAbsent is how often a registry is asked for absentDigest if no answer comes.
const maxAbsent = 2

// absentSubject is what came for a digest that cannot exist.
type absentSubject struct {
	answer string      // as capabilities name it; "" = there was none
	listed fingerprint // of the first page
}

// probeAbsentSubject requests the referrers of a digest that does not exist: a
// registry with the API answers an empty index. If the row's own list came for it too,
// the registry ignores the digest. Full requests it once in each repository, Standard in one
// repository of the registry.
func probeAbsentSubject(ctx context.Context, r *row) error {
	var absent absentSubject
	var shared bool
	var err error
	ask := func() (absentSubject, bool, error) {
		absent, err := requestAbsent(ctx, r)
		return absent, absent.answer != "", err
	}
	if r.depth == Full {
		absent, shared, err = r.turn.repository.absent.Do(ctx, r.session, r.turn.number, ask)
	} else {
		absent, err = r.registry.absent.Do(ctx, r.session, ask)
	}
	r.seen.Capabilities.AbsentSubject = absent.answer
	r.seen.Referrers.SameForAbsent = absent.listed.equal(r.listed.fingerprint())
	if shared {
		r.fromRepository("absent_subject")
	}
	return err
}

func requestAbsent(ctx context.Context, r *row) (absentSubject, error) {
	resp, parsed, err := r.referrers(ctx, stepAbsentSubject, http.MethodGet, absentDigest, "")
	if err != nil || transient(resp) || resp.Fault != nil {
		return absentSubject{}, err
	}
	answer := statusText(resp.Status)
	if resp.Status == http.StatusOK && parsed.index != nil {
		answer = "empty-index"
		if parsed.index.Total > 0 || resp.Cut {
			answer = "index"
		}
	}
	return absentSubject{answer, parsed.listed.fingerprint()}, nil
}
