package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"refmatrix/matrix"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      xmlString   `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		ClassName xmlString    `xml:"classname,attr"`
		Name      xmlString    `xml:"name,attr"`
		Time      string       `xml:"time,attr"`
		Error     *junitResult `xml:"error"`
		Failure   *junitResult `xml:"failure"`
		Skipped   *junitResult `xml:"skipped"`
	}
	junitResult struct {
		Type    xmlString `xml:"type,attr,omitempty"`
		Message xmlString `xml:"message,attr"`
		Text    xmlString `xml:",chardata"`
	}
)

// junit renders JUnit XML for CI systems: a suite for each registry, a case
// for each image. fail is an error, warn a failure, info a skipped case; a row
// that the inventory expects otherwise, that lacks a kind which the inventory
// requires, or that lost a link is a failure at the least.
func junit(w io.Writer, m *matrix.Matrix, _ Options) error {
	all := junitSuites{Name: "refmatrix", Tests: m.Summary.Rows}
	all.Time = seconds(float64(max(0, m.Finished.Sub(m.Started).Milliseconds())))
	index := map[string]int{}
	spent := []float64{}
	for i := range m.Rows {
		r := &m.Rows[i]
		at, ok := index[r.Registry]
		if !ok {
			at = len(all.Suites)
			index[r.Registry] = at
			all.Suites = append(all.Suites, junitSuite{
				Name:      xmlString(r.Registry),
				Timestamp: m.Started.UTC().Format("2006-01-02T15:04:05"),
			})
			spent = append(spent, 0)
		}
		all.Suites[at].add(r)
		spent[at] += r.DurationMS
		all.Suites[at].Time = seconds(spent[at])
	}
	for _, suite := range all.Suites {
		all.Failures += suite.Failures
		all.Errors += suite.Errors
		all.Skipped += suite.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("encode the JUnit report: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(r *matrix.Row) {
	one := junitCase{
		ClassName: xmlString(r.Registry),
		Name:      xmlString(r.Image),
		Time:      seconds(r.DurationMS),
	}
	result := &junitResult{
		Type:    xmlString(r.Reason),
		Message: xmlString(r.Detail),
		Text:    xmlString(strings.Join(append(slices.Clone(r.Remedy), attachTexts(r)...), " ")),
	}
	if r.Unexpected {
		result.Message += xmlString(" The inventory expects " + r.Expect + ".")
	}
	missing := len(r.Missing()) > 0
	if missing {
		result.Message += xmlString(" Missing: " + missingText(r) + ".")
	}
	if len(r.Lost) > 0 {
		result.Message += xmlString(" Lost: " + lossesText(r) + ".")
	}
	s.Tests++
	switch {
	case r.Severity == matrix.Fail:
		one.Error = result
		s.Errors++
	case r.Severity == matrix.Warn || r.Unexpected || missing || len(r.Lost) > 0:
		one.Failure = result
		s.Failures++
	case r.Severity == matrix.Info:
		result.Type = ""
		one.Skipped = result
		s.Skipped++
	}
	s.Cases = append(s.Cases, one)
}

func seconds(milliseconds float64) string { return fmt.Sprintf("%.3f", milliseconds/1000) }
