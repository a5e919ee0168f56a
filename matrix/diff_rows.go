package matrix

import "slices"

// longUnmeasured is after how many scans without a verdict a row is a significant
// change, and after how many more it is one again: a month of weeks.
const longUnmeasured = 4

// CountUnmeasured sets UnmeasuredScans in each row of m that has no verdict. before is
// the scan that m is compared with; in one of an older refmatrix, which did not count, a
// row without a verdict counts 1.
func (m *Matrix) CountUnmeasured(before *Matrix) {
	earlier := byKey(before.Rows)
	for i := range m.Rows {
		r := &m.Rows[i]
		if r.Measured() {
			continue
		}
		r.UnmeasuredScans = 1
		if was := earlier[r.key()]; was != nil && !was.Measured() {
			r.UnmeasuredScans += max(1, was.UnmeasuredScans)
		}
	}
}

// accessReasons are the reasons of rows that are not measured because of credentials or
// permission. Nothing but a change at your side or at the registry brings them, and
// they stay until somebody acts.
var accessReasons = []Reason{Unauthorized, CredentialsRefused, Forbidden, AuthRefused, Credentials}

// pair is two rows of one image.
type pair struct {
	was, now *Row
	sameTool bool // one version of refmatrix measured both
}

// change returns what a reader acts on, without fields if that is nothing. A new digest
// is not a change, because tags are there to be moved.
func (p pair) change() Change {
	c := newChange(p.kind(), p.now)
	for _, f := range p.fields() {
		if f.differs() && !f.reworded {
			c.Fields = append(c.Fields, f.FieldChange)
		}
	}
	return c
}

// reworded reports whether a field differs only because of the version of refmatrix.
func (p pair) reworded() bool {
	return slices.ContainsFunc(p.fields(), func(f field) bool { return f.reworded && f.differs() })
}

// field is one of the values that are compared.
type field struct {
	FieldChange
	ifShown  bool // it is compared only if both rows show it: a scan may not have probed it
	reworded bool // a difference is the text of another version of refmatrix
}

func (f field) differs() bool {
	return f.Before != f.After && (!f.ifShown || f.Before != "" && f.After != "")
}

// fields returns what is compared, whether it differs or not.
func (p pair) fields() []field {
	was, now := p.was, p.now
	verdict := p.sameAnswer()
	expectation := verdict && was.Expect == now.Expect
	push := !p.sameTool && was.pushAnswer() == now.pushAnswer()
	product := !p.sameTool
	version := !p.sameTool && was.productName() != now.productName()
	out := []field{
		{FieldChange{"strategy", string(was.Strategy), string(now.Strategy)}, false, verdict},
		{FieldChange{"referrers", string(was.Referrers), string(now.Referrers)}, false, verdict},
		{FieldChange{"severity", string(was.Severity), string(now.Severity)}, false, verdict},
		{FieldChange{"reason", string(was.Reason), string(now.Reason)}, false, verdict},
		{FieldChange{"unexpected", YesNo(was.Unexpected), YesNo(now.Unexpected)}, false, expectation},
		{FieldChange{"push", was.pushStrategy(), now.pushStrategy()}, true, push},
		{FieldChange{"product", was.productName(), now.productName()}, true, product},
		{FieldChange{"version", was.productVersion(), now.productVersion()}, true, version},
	}
	return slices.DeleteFunc(out, p.notComparable)
}

// notComparable reports whether a difference in f is about how much was measured.
func (p pair) notComparable(f field) bool {
	switch f.Field {
	case "push", "version":
		return false
	case "product":
		return sameProduct(f.Before, f.After)
	case "unexpected":
		return p.oneMeasuredMore() && p.was.Expect == p.now.Expect
	}
	return p.oneMeasuredMore()
}

// sameAnswer reports whether two versions of refmatrix judged the same answer, so that
// the verdicts differ by their rules and not by the registry.
func (p pair) sameAnswer() bool {
	return !p.sameTool && p.was.Status == p.now.Status && p.was.contentType() == p.now.contentType()
}

func (p pair) kind() ChangeKind {
	was, now := p.was, p.now
	switch {
	case !was.Measured() && !now.Measured():
		return StillNotMeasured
	case p.sameAnswer():
		return Changed
	case !now.Measured():
		return NotMeasured
	case !was.Measured():
		return Recovered
	case was.Referrers == now.Referrers, p.oneMeasuredMore():
		return Changed
	case now.Referrers == Supported:
		return Improvement
	case was.Referrers == Supported:
		return Regression
	}
	return Changed
}

// accessLost reports whether the newer row is not measured because access was refused,
// and a verdict was there before. An outage at the time of the older scan hides this as
// little as anything else, if known shows the verdict before it.
func (p pair) accessLost(known *Known, tool Tool) bool {
	switch {
	case p.now.Measured() || !slices.Contains(accessReasons, p.now.Reason):
		return false
	case p.was.Measured():
		return !p.sameAnswer()
	}
	outage := !slices.Contains(accessReasons, p.was.Reason)
	return outage && p.sameTool && known != nil && known.Tool.Version == tool.Version
}

// contentType is "" if no referrers list came.
func (r *Row) contentType() TypeMatch {
	if r.Capabilities == nil {
		return ""
	}
	return r.Capabilities.ContentType
}

// pushAnswer is what the registry answered to the write probe, of which PushStrategy is
// the text.
func (r *Row) pushAnswer() [4]bool {
	if r.Capabilities == nil || r.Capabilities.Push == nil {
		return [4]bool{}
	}
	p := r.Capabilities.Push
	return [4]bool{p.Accepted, p.OCISubject, p.Listed, p.NoList}
}

// pushStrategy is "" if the write probe did not run or learned nothing.
func (r *Row) pushStrategy() string {
	if r.Capabilities == nil || r.Capabilities.Push == nil || r.Capabilities.Push.Strategy == PushUnknown {
		return ""
	}
	return string(r.Capabilities.Push.Strategy)
}

func (r *Row) productName() string {
	if r.Product == nil {
		return ""
	}
	return r.Product.Name
}

func (r *Row) productVersion() string {
	if r.Product == nil {
		return ""
	}
	return r.Product.Version
}
