package main

import (
	"container/list"
	"fmt"
	"math"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
	"refmatrix/scanner"
	"refmatrix/scanner/inventory"
)

const (
	// fewRegistries is how many registries may be left for the one that the scan waits for
	// to be named.
	fewRegistries = 3

	// slowAfter is how long an image is probed before its registry is named, however many
	// registries are left.
	slowAfter = 5 * time.Second

	// minNameColumns is how short the name of a registry is cut before it is left out.
	minNameColumns = 8
)

// scanState is how far a scan is. An event costs the same however many images there are, and
// only the images in flight are kept.
type scanState struct {
	images, registries int // of the inventory
	rows, done         int // images with a row, registries without an image that is left
	began, lastRow     time.Time

	inFlight list.List // of flight, in the order in which they began
	flights  map[imageName]*list.Element
	busy     map[string]int // images in flight, by registry
}

// imageName names an image of the scan.
type imageName struct{ registry, image string }

// flight is an image whose probe has begun.
type flight struct {
	imageName
	began time.Time
}

func newScanState(inv *inventory.Inventory, now time.Time) *scanState {
	return &scanState{
		images:     inv.ImageCount(),
		registries: len(inv.Registries),
		began:      now,
		flights:    map[imageName]*list.Element{},
		busy:       map[string]int{},
	}
}

// add counts an event of the scanner, which came at now.
func (s *scanState) add(e scanner.Event, now time.Time) {
	name := imageName{e.Registry, e.Image}
	if e.Row == nil {
		s.flights[name] = s.inFlight.PushBack(flight{name, now})
		s.busy[e.Registry]++
		return
	}
	s.rows++
	s.lastRow = now
	if e.Last {
		s.done++
	}
	if at := s.flights[name]; at != nil {
		s.inFlight.Remove(at)
		delete(s.flights, name)
	}
	if s.busy[e.Registry]--; s.busy[e.Registry] <= 0 {
		delete(s.busy, e.Registry)
	}
}

// counts is what was measured: "40/60 images, 7/20 registries".
func (s *scanState) counts() string {
	return fmt.Sprintf("%d/%d images, %d/%d registries", s.rows, s.images, s.done, s.registries)
}

// line is the progress at now, in room columns at most, or without a bound if room is 0:
// "40/60 images, 7/20 registries, 12 s left, waiting for slow-11". If not all of it fits, the
// name that the scan waits for is worth more than the estimate: it is what can be acted on.
func (s *scanState) line(now time.Time, room int) string {
	counts, left := s.counts(), ""
	if d, known := s.left(now); known {
		left = ", " + durationText(d) + " left"
	}
	name, more := s.waitingFor(now)
	if name == "" {
		return counts + left
	}
	name = matrix.Printable(name)
	others := ""
	if more > 0 {
		others = fmt.Sprintf(" and %d more", more)
	}
	for _, part := range []struct{ left, others string }{{left, others}, {"", others}, {"", ""}} {
		lead := counts + part.left + ", waiting for "
		if room == 0 {
			return lead + name + part.others
		}
		free := room - len(lead) - len(part.others)
		if free >= min(minNameColumns, text.StringWidthWithoutEscSequences(name)) {
			return lead + text.Snip(name, free, "~") + part.others
		}
	}
	return counts + left
}

// left is how long the images that are left take at the pace of the others. It is not known
// before the first row, nor if no row has come for longer than all that are left should take:
// these are slower than the others.
func (s *scanState) left(now time.Time) (left time.Duration, known bool) {
	if s.rows == 0 || s.rows >= s.images {
		return 0, false
	}
	left = time.Duration(float64(now.Sub(s.began)) / float64(s.rows) * float64(s.images-s.rows))
	return left, now.Sub(s.lastRow) <= left
}

// waitingFor returns the registry whose image has been in flight longest, and how many others
// are waited for as well, if few registries are left or that image is slow. Otherwise the name
// is "".
func (s *scanState) waitingFor(now time.Time) (registry string, more int) {
	first := s.inFlight.Front()
	if first == nil {
		return "", 0
	}
	registry = first.Value.(flight).registry
	if s.registries-s.done <= fewRegistries {
		return registry, len(s.busy) - 1
	}
	slow := map[string]bool{}
	for at := first; at != nil && now.Sub(at.Value.(flight).began) >= slowAfter; at = at.Next() {
		slow[at.Value.(flight).registry] = true
	}
	if len(slow) == 0 {
		return "", 0
	}
	return registry, len(slow) - 1
}

// durationText rounds a time as people say it: "12 s", "3 min", "2 h", "3 days".
func durationText(d time.Duration) string {
	for _, unit := range []struct {
		name   string
		length time.Duration
		most   float64
	}{
		{"s", time.Second, 60},
		{"min", time.Minute, 60},
		{"h", time.Hour, 48},
	} {
		if n := max(math.Round(float64(d)/float64(unit.length)), 1); n < unit.most {
			return fmt.Sprintf("%.0f %s", n, unit.name)
		}
	}
	return fmt.Sprintf("%.0f days", math.Round(d.Hours()/24))
}
