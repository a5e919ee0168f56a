// Package matrix is the contract that programs and reports read: a matrix, its
// rows and what they hold, the differences of two matrices and the merge of
// several. It does no I/O and imports nothing of refmatrix.
package matrix

import (
	"slices"
	"time"
)

// Schema names the format of matrix.json.
const Schema = "refmatrix/v1"

// Matrix is one scan. Its JSON is the contract other programs read.
type Matrix struct {
	Schema   string    `json:"schema"`
	Tool     Tool      `json:"tool"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Complete bool      `json:"complete"`        // every image of the inventory's part that was scanned has its row
	Shard    string    `json:"shard,omitempty"` // "I/N" if this is one shard of a scan

	Selection     []string `json:"selection,omitempty"`      // the flags that chose a part of the inventory, sorted
	MissingShards []string `json:"missing_shards,omitempty"` // of a merge: "I/N" of each that is not here whole

	Summary    Summary    `json:"summary"`
	Registries []Registry `json:"registries"`
	Rows       []Row      `json:"rows"`
}

// Scope is the part of an inventory that a scan was to measure.
type Scope struct {
	Shard     string   // as in Matrix
	Selection []string // as in Matrix
}

// Scope returns the part of the inventory that m was to measure.
func (m *Matrix) Scope() Scope { return Scope{m.Shard, m.Selection} }

// Whole reports whether s is all of an inventory.
func (s Scope) Whole() bool { return s.Shard == "" && len(s.Selection) == 0 }

// Equal reports whether s and other are chosen alike.
func (s Scope) Equal(other Scope) bool {
	return s.Shard == other.Shard && slices.Equal(s.Selection, other.Selection)
}

// Tool is the program that measured.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Summary counts the rows of a matrix.
type Summary struct {
	Registries int `json:"registries"`
	Rows       int `json:"rows"`
	Pass       int `json:"pass"`
	Warn       int `json:"warn"`
	Info       int `json:"info"`
	Fail       int `json:"fail"`
	Unexpected int `json:"unexpected,omitempty"`

	Strategies map[Strategy]int `json:"strategies,omitempty"` // rows of each of Strategies, those without rows too
	Reasons    map[Reason]int   `json:"reasons,omitempty"`    // rows of each reason that occurs
}

// SetRows sets the rows of m, and what follows from them: the summary and the registries.
func (m *Matrix) SetRows(rows []Row) {
	m.Rows, m.Summary, m.Registries = rows, Summarise(rows), RollUp(rows)
}

// Summarise counts rows.
func Summarise(rows []Row) Summary {
	s := Summary{
		Rows:       len(rows),
		Strategies: map[Strategy]int{},
		Reasons:    map[Reason]int{},
	}
	for _, strategy := range Strategies {
		s.Strategies[strategy] = 0
	}
	registries := map[string]bool{}
	for i := range rows {
		registries[rows[i].Registry] = true
		switch rows[i].Severity {
		case Pass:
			s.Pass++
		case Warn:
			s.Warn++
		case Info:
			s.Info++
		case Fail:
			s.Fail++
		}
		if rows[i].Unexpected {
			s.Unexpected++
		}
		s.Strategies[rows[i].Strategy]++
		s.Reasons[rows[i].Reason]++
	}
	s.Registries = len(registries)
	return s
}

// Count returns the number of rows of a severity.
func (s Summary) Count(severity Severity) int {
	return map[Severity]int{Pass: s.Pass, Warn: s.Warn, Info: s.Info, Fail: s.Fail}[severity]
}
