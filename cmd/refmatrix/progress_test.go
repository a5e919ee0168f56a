package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
	"refmatrix/scanner"
	"refmatrix/scanner/inventory"
)

// fleetOf is an inventory of registries that are called so, with two images each.
func fleetOf(names ...string) *inventory.Inventory {
	inv := &inventory.Inventory{}
	for _, name := range names {
		images := []inventory.Image{{Repository: "a", Tag: "1"}, {Repository: "a", Tag: "2"}}
		inv.Registries = append(inv.Registries, inventory.Registry{Name: name, Images: images})
	}
	return inv
}

func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("r%d", i))
	}
	return names
}

func begins(registry string, image int) scanner.Event {
	return scanner.Event{Registry: registry, Image: fmt.Sprintf("a:%d", image)}
}

func ends(registry string, image int) scanner.Event {
	e := begins(registry, image)
	e.Row, e.Last = &matrix.Row{Registry: registry, Image: e.Image, Severity: matrix.Pass}, image == 2
	return e
}

// TestProgressLine: what is done has its units, what is left is estimated where it can be, and
// the registry that the scan waits for is named if few are left or it is slow.
func TestProgressLine(t *testing.T) {
	const second = time.Second
	type step struct {
		at    time.Duration
		event scanner.Event
	}
	// all are the events of registries that answer at once.
	all := func(at time.Duration, names ...string) (out []step) {
		for _, name := range names {
			out = append(out, step{at, begins(name, 1)}, step{at, ends(name, 1)}, step{at, begins(name, 2)}, step{at, ends(name, 2)})
		}
		return out
	}
	names := numbered(10)
	for _, test := range []struct {
		name       string
		registries []string
		steps      []step
		at         time.Duration
		want       string
	}{
		{"nothing yet", names, nil, second, "0/20 images, 0/10 registries"},
		{"begun", names, []step{{0, begins("r0", 1)}}, second, "0/20 images, 0/10 registries"},
		{"a quarter", names, append(all(4*second, "r0", "r1"), step{4 * second, begins("r2", 1)}, step{4 * second, ends("r2", 1)}), 5 * second, "5/20 images, 2/10 registries, 15 s left"},
		{"one is slow", names, append(all(2*second, "r0", "r1"), step{2 * second, begins("r7", 1)}, step{6 * second, begins("r8", 1)}), 7 * second, "4/20 images, 2/10 registries, 28 s left, waiting for r7"},
		{"several are slow", names, append(all(2*second, "r0", "r1"), step{second, begins("r7", 1)}, step{second, begins("r7", 2)}, step{second, begins("r8", 1)}), 7 * second, "4/20 images, 2/10 registries, 28 s left, waiting for r7 and 1 more"},
		{"slow and over", names, append(all(8*second, "r0"), step{0, begins("r7", 1)}, step{8 * second, ends("r7", 1)}), 8 * second, "3/20 images, 1/10 registries, 45 s left"},
		{"few are left", names, append(all(2*second, names[:7]...), step{2 * second, begins("r8", 1)}, step{2 * second, begins("r9", 1)}, step{2 * second, begins("r9", 2)}), 2 * second, "14/20 images, 7/10 registries, 1 s left, waiting for r8 and 1 more"},
		{"the last one, slower than the others", names, append(all(2*second, names[:9]...), step{2 * second, begins("r9", 1)}), 4 * second, "18/20 images, 9/10 registries, waiting for r9"},
		{"done", names, all(second, names...), 2 * second, "20/20 images, 10/10 registries"},
		{"hostile", []string{"\x1b[31m\n"}, []step{{0, begins("\x1b[31m\n", 1)}}, second, "0/2 images, 0/1 registries, waiting for " + matrix.Printable("\x1b[31m\n")},
	} {
		t.Run(test.name, func(t *testing.T) {
			began := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
			s := newScanState(fleetOf(test.registries...), began)
			for _, step := range test.steps {
				s.add(step.event, began.Add(step.at))
			}
			if got := s.line(began.Add(test.at), 0); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// TestProgressRoom: the name of a registry is cut so that the line fits, and left out where
// little of it would be seen.
func TestProgressRoom(t *testing.T) {
	for _, test := range []struct {
		name string
		room int
		want string
	}{
		{"registry.example.com", 0, "0/2 images, 0/1 registries, waiting for registry.example.com"},
		{"registry.example.com", 60, "0/2 images, 0/1 registries, waiting for registry.example.com"},
		{"registry.example.com", 59, "0/2 images, 0/1 registries, waiting for registry.example.c~"},
		{"registry.example.com", 48, "0/2 images, 0/1 registries, waiting for registr~"},
		{"registry.example.com", 47, "0/2 images, 0/1 registries"},
		{"short", 45, "0/2 images, 0/1 registries, waiting for short"},
		{"漢字漢字漢字", 50, "0/2 images, 0/1 registries, waiting for 漢字漢字~"},
	} {
		now := time.Now()
		s := newScanState(fleetOf(test.name), now)
		s.add(begins(test.name, 1), now)
		if got := s.line(now, test.room); got != test.want {
			t.Errorf("%s in %d columns: %q, want %q", test.name, test.room, got, test.want)
		}
	}
}

// TestProgressRoomOfFleet: in a terminal of 80 columns the registry that the scan waits for is
// named, at the cost of the time that is left and of how many others are waited for.
func TestProgressRoomOfFleet(t *testing.T) {
	began := time.Now()
	s := newScanState(fleetOf(numbered(200)...), began)
	for i := range 190 {
		name := fmt.Sprintf("r%d", i)
		for image := 1; image <= 2; image++ {
			s.add(begins(name, image), began.Add(time.Second))
			s.add(ends(name, image), began.Add(100*time.Second))
		}
	}
	for _, name := range []string{"harbor-staging", "harbor-test"} {
		s.add(begins(name, 1), began.Add(90*time.Second))
	}
	const counts = "380/400 images, 190/200 registries"
	for room, want := range map[int]string{
		0:               counts + ", 5 s left, waiting for harbor-staging and 1 more",
		100 - barRoom:   counts + ", 5 s left, waiting for harbor-staging and 1 more",
		90 - barRoom:    counts + ", waiting for harbor-staging and 1 more",
		86 - barRoom:    counts + ", waiting for harbor-st~ and 1 more",
		80 - barRoom:    counts + ", waiting for harbor-staging",
		70 - barRoom:    counts + ", 5 s left",
		len(counts) + 5: counts + ", 5 s left", // the bar cuts it
	} {
		if got := s.line(began.Add(100*time.Second), room); got != want {
			t.Errorf("in %d columns: %q, want %q", room, got, want)
		}
	}
}

func TestDurationText(t *testing.T) {
	for _, test := range []struct {
		d    time.Duration
		want string
	}{
		{0, "1 s"},
		{time.Millisecond, "1 s"},
		{12*time.Second + 400*time.Millisecond, "12 s"},
		{59*time.Second + 600*time.Millisecond, "1 min"},
		{170 * time.Second, "3 min"},
		{59*time.Minute + 40*time.Second, "1 h"},
		{130 * time.Minute, "2 h"},
		{47 * time.Hour, "47 h"},
		{71 * time.Hour, "3 days"},
	} {
		if got := durationText(test.d); got != test.want {
			t.Errorf("%s is %q, want %q", test.d, got, test.want)
		}
	}
}

// TestProgressOfManyRegistries: only images in flight are kept, so that neither the memory nor
// the time of an event grows with the inventory.
func TestProgressOfManyRegistries(t *testing.T) {
	const registries, atOnce = 10_000, 64
	names := numbered(registries)
	now := time.Now()
	s := newScanState(fleetOf(names...), now)
	for image := 1; image <= 2; image++ {
		for i := range registries + atOnce {
			if i < registries {
				s.add(begins(names[i], image), now)
			}
			if i >= atOnce {
				s.add(ends(names[i-atOnce], image), now)
			}
			if s.inFlight.Len() > atOnce+1 || len(s.flights) != s.inFlight.Len() || len(s.busy) != s.inFlight.Len() {
				t.Fatalf("%d images of %d registries are kept", s.inFlight.Len(), len(s.busy))
			}
		}
	}
	if got, want := s.line(now, 0), "20000/20000 images, 10000/10000 registries"; got != want || s.inFlight.Len() != 0 {
		t.Errorf("%q, want %q; %d are kept", got, want, s.inFlight.Len())
	}
}

// TestPlainProgress: a line every five seconds, and the rows between them if they are wanted.
func TestPlainProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress("plain", &out, fleetOf("a", "b"), true)
		p.event(begins("a", 1))
		<-time.After(plainEvery + time.Second)
		p.event(ends("a", 1))
		<-time.After(plainEvery)
		p.stop()
		const want = "0/4 images, 0/2 registries, waiting for a\npass a a:1: \n1/4 images, 0/2 registries, 30 s left\n"
		if out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
}

// TestBar: the bar shows the same line, no line of it wraps, and its last one is the last state.
func TestBar(t *testing.T) {
	for _, columns := range []int{30, 60, 80, 200} {
		t.Run(strconv.Itoa(columns), func(t *testing.T) {
			t.Setenv("COLUMNS", strconv.Itoa(columns))
			names := append(numbered(30), "registry-with-a-very-long-name.example.com", "漢字漢字漢字漢字漢字漢字", "\x1b[31mred\n")
			var out bytes.Buffer
			synctest.Test(t, func(t *testing.T) {
				p := newProgress("bar", &out, fleetOf(names...), false)
				for image := 1; image <= 2; image++ {
					for _, name := range names {
						p.event(begins(name, image))
						<-time.After(700 * time.Millisecond)
						p.event(ends(name, image))
					}
				}
				p.stop()
			})
			lines := strings.Split(out.String(), "\n")
			for _, line := range lines {
				if n := text.StringWidthWithoutEscSequences(line); n >= columns {
					t.Errorf("%d columns of %d: %q", n, columns, line)
				}
			}
			if columns >= 80 {
				waiting := regexp.MustCompile(`\d+/66 images, \d+/33 registries, \d+ s left, waiting for (registry-with|漢字)`)
				if !waiting.MatchString(out.String()) || !strings.HasPrefix(lines[len(lines)-2], "\x1b[A\x1b[K66/66 images, 33/33 registries ") {
					t.Errorf("the last line is %q", lines[len(lines)-2])
				}
			}
			if strings.Contains(out.String(), "\x1b[31m") {
				t.Error("the name of a registry is obeyed")
			}
		})
	}
}

// TestBarEndsAtOnce: a scan that ends before the bar was drawn does not wait for it for ever.
func TestBarEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress("bar", &out, fleetOf("a"), false)
		p.event(begins("a", 1))
		p.stop()
		if !strings.Contains(out.String(), "0/2 images, 0/1 registries") {
			t.Errorf("%q", out.String())
		}
	})
}
