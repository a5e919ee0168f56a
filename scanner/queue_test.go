package scanner

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// registries are inventory entries "name images concurrency".
func registries(t *testing.T, words string) []inventory.Registry {
	t.Helper()
	var out []inventory.Registry
	for line := range strings.SplitSeq(words, ",") {
		var images int
		var entry inventory.Registry
		if _, err := fmt.Sscan(line, &entry.Name, &images, &entry.Concurrency); err != nil {
			t.Fatal(err)
		}
		entry.Images = make([]inventory.Image, images)
		out = append(out, entry)
	}
	return out
}

// startable takes all images that may start and names their registries.
func startable(q *queue) (jobs []*job, names string) {
	for len(q.ready) > 0 {
		j := q.next()
		jobs = append(jobs, j)
		names += j.target.entry.Name
	}
	return jobs, names
}

// TestQueue: registries take turns, the first image of each goes alone, and none
// has more under way than it may.
func TestQueue(t *testing.T) {
	for _, test := range []struct{ entries, first, then, last string }{
		{"a 7 2, b 7 2", "ab", "abab", "abab"},
		{"a 5 3, b 2 1", "ab", "abaa", "a"},
		{"a 1 4, b 4 0", "ab", "b", "b"},
	} {
		q := newQueue(context.Background(), registries(t, test.entries))
		jobs, first := startable(q)
		for _, j := range jobs {
			q.done(j)
		}
		jobs, then := startable(q)
		for _, j := range jobs {
			q.done(j)
		}
		_, last := startable(q)
		if first != test.first || then != test.then || last != test.last {
			t.Errorf("%s: %q, then %q, then %q, want %q, %q, %q", test.entries, first, then, last, test.first, test.then, test.last)
		}
	}
}

// TestQueueEnds: rows stand where their images do, whenever they came, and
// nothing starts after the end.
func TestQueueEnds(t *testing.T) {
	ctx, end := context.WithCancel(context.Background())
	q := newQueue(ctx, registries(t, "a 3 3"))
	first := q.next()
	q.done(first)
	second, third := q.next(), q.next()
	if q.store(third, &matrix.Row{Image: "3"}) || q.store(first, &matrix.Row{Image: "1"}) {
		t.Error("an image is left, and its registry is said to be done")
	}
	if rows, complete := q.rows(); complete || len(rows) != 2 || rows[0].Image != "1" || rows[1].Image != "3" {
		t.Errorf("%v, complete %v", rows, complete)
	}
	if !q.store(second, &matrix.Row{Image: "2"}) {
		t.Error("the last row is not said to be")
	}
	if rows, complete := q.rows(); !complete || len(rows) != 3 || q.next() != nil {
		t.Errorf("%v, complete %v", rows, complete)
	}
	q = newQueue(ctx, registries(t, "a 3 3"))
	end()
	if q.next() != nil {
		t.Error("an image starts after the end of the scan")
	}
}
