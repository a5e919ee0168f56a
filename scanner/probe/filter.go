package probe

import (
	"context"
	"net/http"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// filterAnswer is what ?artifactType= does in a repository.
type filterAnswer struct {
	filter matrix.Filter // "" = not known
	wanted string        // the type it was tried with
}

// probeFilter finds out what ?artifactType= does. Rows whose lists are empty and rows whose
// lists are not are different questions: some registries announce a filter only if there is
// something to leave out (olareg).
func probeFilter(ctx context.Context, r *row) error {
	total, question := r.seen.Referrers.Index.Total, r.turn.repository.filterOfEmpty
	if total > 0 {
		question = r.turn.repository.filterOfList
	}
	answer, shared, err := question.Do(ctx, r.session, r.turn.number, func() (filterAnswer, bool, error) {
		answer, err := requestFilter(ctx, r)
		shown := answer.filter != "" && (total == 0 || answer.filter != matrix.FilterUnseen)
		// The type is of this row's list, whose secrets another row does not look for.
		return answer, shown && r.client.Clean(answer.wanted) == answer.wanted, err
	})
	r.seen.Capabilities.Filter, r.seen.Capabilities.FilterType = answer.filter, answer.wanted
	if shared {
		r.fromRepository("filter")
	}
	return err
}

// requestFilter tries the filter with a type that is listed, or else with one that cannot be.
// If everything listed is of the one type, full depth tries the latter as well.
func requestFilter(ctx context.Context, r *row) (filterAnswer, error) {
	wanted := verdict.AbsentType
	for _, d := range r.seen.Referrers.Index.Descriptors {
		// Some registries list descriptors without their artifact type.
		if d.ArtifactType != "" && (wanted == verdict.AbsentType || d.ArtifactType < wanted) {
			wanted = d.ArtifactType
		}
	}
	answer, err := tryFilter(ctx, r, wanted)
	if err != nil || r.depth != Full || answer.filter != matrix.FilterUnseen || wanted == verdict.AbsentType {
		return answer, err
	}
	if refined, err := tryFilter(ctx, r, verdict.AbsentType); err != nil || refined.filter != "" {
		return refined, err
	}
	return answer, nil
}

// tryFilter filters by the wanted type.
func tryFilter(ctx context.Context, r *row, wanted string) (filterAnswer, error) {
	resp, parsed, err := r.referrers(ctx, stepFilter, http.MethodGet, r.seen.Manifest.Digest, wanted)
	if err != nil || resp.Fault != nil || resp.Cut || transient(resp) {
		return filterAnswer{}, err
	}
	result := matrix.FilterFails
	if resp.Status == r.seen.Referrers.Status && parsed.index != nil {
		result = readFilter(r.seen.Referrers.Index, parsed.index, wanted, announces(resp), resp.Next() != nil)
	}
	return filterAnswer{result, wanted}, nil
}

// readFilter compares a filtered list with the plain one. more is true if a next
// page of the filtered list was not read. Some registries list descriptors
// without their artifact type: if the filter was announced, those may be of the
// wanted type.
func readFilter(plain, filtered *verdict.Index, wanted string, announced, more bool) matrix.Filter {
	var same, others, untyped bool
	for _, d := range filtered.Descriptors {
		switch d.ArtifactType {
		case wanted:
			same = true
		case "":
			untyped = true
		default:
			others = true
		}
	}
	others = others || untyped && (wanted == verdict.AbsentType || !announced)
	switch {
	case announced && others:
		return matrix.FilterMisstated
	case plain.Total == 0 && announced:
		return matrix.FilterAnnounces
	case plain.Total == 0:
		return matrix.FilterUnseen
	case others:
		return matrix.FilterIgnored
	case wanted != verdict.AbsentType && !same && !untyped && !more:
		return matrix.FilterFails
	case announced:
		return matrix.FilterAnnounces
	case filtered.Total < plain.Total && !more:
		return matrix.FilterSilent
	}
	return matrix.FilterUnseen
}

// announces reports whether the answer says that artifactType was applied.
func announces(resp *registry.Response) bool {
	for applied := range strings.SplitSeq(resp.Header.Get("OCI-Filters-Applied"), ",") {
		if strings.TrimSpace(applied) == "artifactType" {
			return true
		}
	}
	return false
}
