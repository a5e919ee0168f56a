package registry

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// patient is a row whose requests may take a minute.
func patient() *Session { return &Session{client: &Client{timeout: time.Minute}} }

// TestInOrder: rows ask in the order of their numbers, whatever row is ready first, until an
// answer holds.
func TestInOrder(t *testing.T) {
	for _, test := range []struct {
		name  string
		holds map[int]bool // row -> its answer holds
		skips map[int]bool // rows that do not ask
		most  int
		want  []int // whose answer each row has; -1 = it did not ask
	}{
		{"the first holds", map[int]bool{0: true}, nil, 3, []int{0, 0, 0, 0, 0}},
		{"the second holds", map[int]bool{1: true}, nil, 3, []int{0, 1, 1, 1, 1}},
		{"the first does not ask", map[int]bool{1: true}, map[int]bool{0: true}, 3, []int{-1, 1, 1, 1, 1}},
		{"none holds in time", map[int]bool{3: true}, nil, 2, []int{0, 1, 2, 3, 4}},
		{"one in the middle does not ask", map[int]bool{3: true}, map[int]bool{2: true}, 3, []int{0, 1, -1, 3, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				question, got := NewInOrder[int](test.most), make([]int, len(test.want))
				for row := range got {
					go func() {
						time.Sleep(time.Duration(len(got)-row) * time.Second) // the last is ready first
						got[row] = -1
						if test.skips[row] {
							question.Pass(row)
							return
						}
						answer, shared, err := question.Do(t.Context(), patient(), row, func() (int, bool, error) {
							time.Sleep(time.Second)
							return row, test.holds[row], nil
						})
						if got[row] = answer; err != nil || shared != (answer != row) {
							t.Errorf("row %d: the answer of %d, shared %v, %v", row, answer, shared, err)
						}
					}()
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if !slices.Equal(got, test.want) {
					t.Errorf("the answers are of %d, want %d", got, test.want)
				}
			})
		})
	}
}

// TestInOrderEnds: a row whose scan ends waits for nobody, and a row that fails lets the next
// one ask.
func TestInOrderEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		question := NewInOrder[int](3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		never := func() (int, bool, error) { t.Error("a row asked before its turn"); return 0, false, nil }
		if _, _, err := question.Do(ctx, patient(), 1, never); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a row that waits ends with %v", err)
		}
		failed := errors.New("the scan ended")
		fails := func() (int, bool, error) { return 0, true, failed }
		if _, _, err := question.Do(t.Context(), patient(), 0, fails); !errors.Is(err, failed) {
			t.Errorf("a row that fails ends with %v", err)
		}
		question.Pass(1)
		asks := func() (int, bool, error) { return 7, true, nil }
		if answer, shared, err := question.Do(t.Context(), patient(), 2, asks); answer != 7 || shared || err != nil {
			t.Errorf("the row after it: %d, shared %v, %v", answer, shared, err)
		}
	})
}

// TestInOrderStalls: a row that takes longer than one request may is not waited for, and its
// answer holds for the rows that come after it.
func TestInOrderStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		question, began := NewInOrder[int](3), time.Now()
		ask := func(row int, takes time.Duration, holds bool) {
			answer, shared, err := question.Do(t.Context(), patient(), row, func() (int, bool, error) {
				time.Sleep(takes)
				return row, holds, nil
			})
			if answer != row || shared || err != nil {
				t.Errorf("row %d: the answer of %d, shared %v, %v", row, answer, shared, err)
			}
		}
		go ask(0, time.Hour, true)
		synctest.Wait()
		ask(1, time.Second, false)
		if took := time.Since(began); took != time.Minute+time.Second {
			t.Errorf("a row waits %s for one before it", took)
		}
		time.Sleep(time.Hour)
		if answer, shared, err := question.Do(t.Context(), patient(), 2, nil); answer != 0 || !shared || err != nil {
			t.Errorf("the last row: the answer of %d, shared %v, %v", answer, shared, err)
		}
	})
}

// TestIdle: what a row waits for between two requests is not taken from its time.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Session{budget: time.Minute, answered: time.Now()}
		time.Sleep(time.Second)
		s.Idle()
		time.Sleep(time.Minute)
		s.countReading()
		if s.budget != 59*time.Second {
			t.Errorf("%s are left of a minute, want all but the second of reading", s.budget)
		}
	})
}
