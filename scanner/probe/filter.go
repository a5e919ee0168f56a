package probe

import (
	"context"
	"net/http"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// probeFilter tries ?artifactType= with a type that is listed, or else with one
// that cannot be.
func probeFilter(ctx context.Context, r *row) error {
	wanted := verdict.AbsentType
	for _, d := range r.seen.Referrers.Index.Descriptors {
		// Some registries list descriptors without their artifact type.
		if d.ArtifactType != "" && (wanted == verdict.AbsentType || d.ArtifactType < wanted) {
			wanted = d.ArtifactType
		}
	}
	return tryFilter(ctx, r, wanted)
}

// filterUnseen reports whether everything listed is of the one type that the
// filter was tried with, so that its answer showed nothing.
func filterUnseen(o *verdict.Observation) bool {
	return hasAPI(o) && o.Referrers.Index.Total > 0 && o.Capabilities.Filter == matrix.FilterUnseen
}

// refineFilter runs if filterUnseen, and tries a type that cannot be listed.
func refineFilter(ctx context.Context, r *row) error { return tryFilter(ctx, r, verdict.AbsentType) }

// tryFilter filters by the wanted type and keeps what was learned, if anything.
func tryFilter(ctx context.Context, r *row, wanted string) error {
	resp, parsed, err := r.referrers(ctx, stepFilter, http.MethodGet, r.seen.Manifest.Digest, wanted)
	if err != nil || resp.Fault != nil || resp.Cut || transient(resp) {
		return err
	}
	result := matrix.FilterFails
	if resp.Status == r.seen.Referrers.Status && parsed.index != nil {
		result = readFilter(r.seen.Referrers.Index, parsed.index, wanted, announces(resp), resp.Next() != nil)
	}
	r.seen.Capabilities.Filter, r.seen.Capabilities.FilterType = result, wanted
	return nil
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
