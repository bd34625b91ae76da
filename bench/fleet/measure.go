package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The contestants, each with what counts its failures when openings are put
// back.
var contestants = []struct {
	name     string
	all      maker
	counting maker
}{
	{"callagent", ours, countingOnly},
	{"Powertools", powertoolsPort, powertoolsPort},
	{"exact, shared", exact, exact},
	{"per process", perProcess, perProcess},
}

// mine is the contestant that has targets.
const mine = "callagent"

var (
	sizes = []place{
		{Processes: 1, Rate: 10}, {Processes: 10, Rate: 10}, {Processes: 50, Rate: 1}, {Processes: 50, Rate: 10},
		{Processes: 50, Rate: 50}, {Processes: 200, Rate: 50}, {Processes: 200, Rate: 500},
	}
	durations = []time.Duration{0, time.Second, 10 * time.Second}
	rates     = []float64{0.01, 0.05, 0.1, 0.2}
)

// rare is the failure rate that has targets.
const rare = 0.05

// Lengths of the runs of one seed.
const (
	shortOutage  = 20 * time.Second // after the circuit opened
	longOutage   = time.Hour
	requestsEach = 10_000 // to a service that fails now and then
	hoursEvery   = 10     // of so many seeds one plays an hour
	busySpan     = 12 * time.Minute
	busyRate     = 500 // calls/s at which the hour is only busySpan
)

// study says how much is measured.
type study struct {
	seeds    int
	short    bool // only the failure rate that has targets, not the busiest fleet
	progress io.Writer
}

// run measures everything.
func (s study) run() report {
	r := report{Seeds: s.seeds, Hours: s.hours()}
	for _, at := range s.places() {
		s.say("outage", at)
		for i := range contestants {
			r.Outages = append(r.Outages, s.outage(at, i, shortOutage))
		}
	}
	for i := range contestants {
		r.Outages = append(r.Outages, s.outage(place{Processes: 50, Rate: 1}, i, longOutage))
	}
	for _, at := range s.places() {
		for _, fails := range rates {
			if fails == rare || !s.short {
				s.say("faults", at)
				r.Faults = append(r.Faults, s.faults(at, fails))
			}
		}
	}
	for _, at := range s.places() {
		if at.Rate == 10 { // it matters to the processes only: there are no arrivals
			r.Flaps = append(r.Flaps, s.flap(at))
		}
	}
	return r
}

func (s study) say(what string, at place) {
	fmt.Fprintf(s.progress, "%s: %d processes, %g/s, %v\n", what, at.Processes, at.Rate, at.Takes)
}

// places are all sizes with all durations of requests.
func (s study) places() []place {
	var all []place
	for _, takes := range durations {
		for _, at := range sizes {
			if at.Rate < busyRate || !s.short {
				at.Takes = takes
				all = append(all, at)
			}
		}
	}
	return all
}

// hours is how many seeds play an hour.
func (s study) hours() int { return max(1, s.seeds/hoursEvery) }

func (s study) outage(at place, i int, dead time.Duration) outageRow {
	all := each(s.seeds, func(seed int) outage { return runOutage(at, seed, contestants[i].all, dead) })
	return outageRow{
		place: at, Who: contestants[i].name, Dead: dead,
		Before:   figuresOf(all, func(o outage) float64 { return o.before }),
		Answered: figuresOf(all, func(o outage) float64 { return o.answered }),
		Within:   figuresOf(all, func(o outage) float64 { return o.within }),
		Told:     figuresOf(all, func(o outage) float64 { return o.told }),
		Closed:   figuresOf(all, func(o outage) float64 { return o.closed }),
		Resumed:  figuresOf(all, func(o outage) float64 { return o.resumed }),
		Rejected: figuresOf(all, func(o outage) float64 { return o.rejected }),
	}
}

func (s study) faults(at place, fails float64) faultRow {
	row := faultRow{place: at, Fails: fails, FalseTrips: map[string]float64{}, Shut: map[string]float64{}}
	span := time.Hour
	if at.Rate >= busyRate {
		span = busySpan
	}
	for _, c := range contestants {
		trips := each(s.seeds, func(seed int) [2]int {
			openings, sent := falseTrips(at, seed, c.counting, fails, requestsEach)
			return [2]int{openings, sent}
		})
		openings, sent := 0, 0
		for _, t := range trips {
			openings, sent = openings+t[0], sent+t[1]
		}
		row.FalseTrips[c.name] = float64(openings) / float64(sent) * 10_000
		sum := 0.0
		for _, part := range each(s.hours(), func(seed int) float64 { return shut(at, seed, c.all, fails, span) }) {
			sum += part
		}
		row.Shut[c.name] = sum / float64(s.hours())
	}
	return row
}

func (s study) flap(at place) flapRow {
	all := each(s.seeds, func(seed int) flap { return runFlap(at, seed) })
	return flapRow{
		place:     at,
		Openings:  figuresOf(all, func(f flap) float64 { return f.openings }),
		Told:      figuresOf(all, func(f flap) float64 { return f.told }),
		Completed: figuresOf(all, func(f flap) float64 { return f.completed }),
		Failed:    figuresOf(all, func(f flap) float64 { return f.failed }),
		Drained:   figuresOf(all, func(f flap) float64 { return f.drained }),
	}
}

// each runs f for every seed, on all cores, and gives the results in the order
// of the seeds.
func each[T any](seeds int, f func(seed int) T) []T {
	results := make([]T, seeds)
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := int(next.Add(1)) - 1; seed < seeds; seed = int(next.Add(1)) - 1 {
				results[seed] = f(seed)
			}
		})
	}
	all.Wait()
	return results
}

// figures sum up what was measured with every seed.
type figures struct {
	Least  float64 `json:"min"`
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Most   float64 `json:"max"`
}

func figuresOf[T any](all []T, of func(T) float64) figures {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = of(one)
	}
	slices.Sort(values)
	n := len(values)
	return figures{values[0], values[(n-1)/2], values[(95*n+99)/100-1], values[n-1]}
}
