package matrix_test

import (
	"fmt"
	"time"

	"refmatrix/matrix"
)

// A registry that lost the referrers API is a regression; one that is down has
// lost nothing.
func ExampleCompare() {
	monday := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
	row := func(registry string, referrers matrix.Support, strategy matrix.Strategy) matrix.Row {
		return matrix.Row{
			Registry:  registry,
			Image:     "team/base:1.4",
			Referrers: referrers,
			Strategy:  strategy,
		}
	}
	older := &matrix.Matrix{
		Started:  monday,
		Complete: true,
		Rows: []matrix.Row{
			row("harbor-prod", matrix.Supported, matrix.ReferrersAPI),
			row("mirror", matrix.Supported, matrix.ReferrersAPI),
		},
	}
	newer := &matrix.Matrix{
		Started:  monday.AddDate(0, 0, 7),
		Complete: true,
		Rows: []matrix.Row{
			row("harbor-prod", matrix.Unsupported, matrix.ReferrersTag),
			row("mirror", matrix.SupportUnknown, matrix.StrategyUnknown),
		},
	}
	for _, change := range matrix.Compare(older, newer).Changes {
		fmt.Println(change.Kind, change.Registry)
		for _, field := range change.Fields {
			fmt.Printf("  %s: %s, was %s\n", field.Field, field.After, field.Before)
		}
	}
	// Output:
	// regression harbor-prod
	//   strategy: referrers-tag, was referrers-api
	//   referrers: unsupported, was supported
	// not-measured mirror
	//   strategy: unknown, was referrers-api
	//   referrers: unknown, was supported
}
