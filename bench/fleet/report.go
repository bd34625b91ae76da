package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"text/tabwriter"
	"time"
)

// report is everything that was measured. Durations are in nanoseconds, the
// figures of recovery in seconds.
type report struct {
	Seeds   int         `json:"seeds"`
	Hours   int         `json:"hours"` // seeds of the share of an hour
	Outages []outageRow `json:"outages"`
	Faults  []faultRow  `json:"faults"`
	Flaps   []flapRow   `json:"flapping"`
}

type outageRow struct {
	place
	Who      string        `json:"who"`
	Dead     time.Duration `json:"dead_ns"`
	Before   figures       `json:"calls_before_open"`
	Answered figures       `json:"answered_before_open"`
	Within   figures       `json:"calls_until_6s_after"`
	Told     figures       `json:"notifications"`
	Closed   figures       `json:"closed_s"`
	Resumed  figures       `json:"first_call_s"`
	Rejected figures       `json:"healthy_calls_rejected"`
}

type faultRow struct {
	place
	Fails      float64            `json:"fails"`
	FalseTrips map[string]float64 `json:"false_trips_per_10000"`
	Shut       map[string]float64 `json:"share_not_closed"`
}

type flapRow struct {
	place
	Openings  figures `json:"openings"`
	Told      figures `json:"notifications"`
	Completed figures `json:"completed"`
	Failed    figures `json:"failed"`
	Drained   figures `json:"drained_s"`
}

// write stores the report for programs, a row a line.
func (r report) write(path string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n\"seeds\": %d,\n\"hours\": %d", r.Seeds, r.Hours)
	err := errors.Join(rows(&b, "outages", r.Outages), rows(&b, "faults", r.Faults), rows(&b, "flapping", r.Flaps))
	if err != nil {
		return err
	}
	b.WriteString("\n}\n")
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func rows[T any](b *bytes.Buffer, name string, all []T) error {
	fmt.Fprintf(b, ",\n%q: [", name)
	for i, row := range all {
		data, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n")
		b.Write(data)
	}
	b.WriteString("\n]")
	return nil
}

// print shows the report to people.
func (r report) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	r.printOutages(t)
	r.printFaults(t)
	r.printFlaps(t)
	return t.Flush()
}

func (r report) printOutages(w io.Writer) {
	fmt.Fprintf(w, "A service dies and comes back (%d seeds: median / p95; notifications: most).\n", r.Seeds)
	fmt.Fprintln(w, "processes\tcalls/s\trequest\tdead\twho\tcalls until OPEN\tanswered by then\t+ 6 s\tnotifications\ts to CLOSED\ts to first call\thealthy calls rejected")
	for _, o := range r.Outages {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t%s\t%s\t%s\n", o.place, brief(o.Dead), o.Who,
			whole(o.Before), whole(o.Answered), whole(o.Within), o.Told.Most, tenths(o.Closed), tenths(o.Resumed), whole(o.Rejected))
	}
}

func (r report) printFaults(w io.Writer) {
	fmt.Fprintf(w, "\nA service fails now and then: openings in 10,000 requests, and the share of an hour that it is left alone (%d hours; %s at %d calls/s).\n", r.Hours, brief(busySpan), busyRate)
	fmt.Fprint(w, "processes\tcalls/s\trequest\tfails")
	for _, what := range []string{"openings", "shut"} {
		for _, c := range contestants {
			fmt.Fprintf(w, "\t%s: %s", what, c.name)
		}
	}
	fmt.Fprintln(w)
	for _, f := range r.Faults {
		fmt.Fprintf(w, "%s\t%.0f %%", f.place, f.Fails*100)
		for _, c := range contestants {
			fmt.Fprintf(w, "\t%.2f", f.FalseTrips[c.name])
		}
		for _, c := range contestants {
			fmt.Fprintf(w, "\t%.2f %%", f.Shut[c.name]*100)
		}
		fmt.Fprintln(w)
	}
}

func (r report) printFlaps(w io.Writer) {
	fmt.Fprintf(w, "\nHalf of all requests fail for %s while %d contacts wait (callagent, median / p95 / most).\n", brief(flapFor), waiting)
	fmt.Fprintln(w, "processes\trequest\topenings\tnotifications\tcompleted\tfailed\ts until all are done")
	for _, f := range r.Flaps {
		fmt.Fprintf(w, "%d\t%s\t%s / %.0f\t%s / %.0f\t%.0f\t%.0f\t%s / %.0f\n", f.Processes, brief(f.Takes), whole(f.Openings), f.Openings.Most,
			whole(f.Told), f.Told.Most, f.Completed.Least, f.Failed.Most, whole(f.Drained), f.Drained.Most)
	}
}

// String gives the first columns of every row.
func (p place) String() string {
	return fmt.Sprintf("%d\t%g\t%s", p.Processes, p.Rate, brief(p.Takes))
}

// brief is a duration without the parts that are zero.
func brief(d time.Duration) string {
	switch {
	case d == 0:
		return "0 s"
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%g s", d.Seconds())
}

func whole(f figures) string  { return fmt.Sprintf("%.0f / %.0f", f.Median, f.P95) }
func tenths(f figures) string { return fmt.Sprintf("%.1f / %.1f", f.Median, f.P95) }

// The targets.
const (
	mostCalls     = 7 // until OPEN, at 50 processes and 10 calls/s
	closedMedian  = 5 // s
	closedP95     = 8 // s
	resumedP95    = 7 // s
	mostFalse     = 1 // of 10,000 requests
	mostShut      = 0.01
	mostFlaps     = 6
	mostFlapsTold = 6
	targetRate    = 50 // calls/s up to which false trips have a target
	fullStudy     = 100
)

// chance is what luck may add to the openings in 10,000 requests of a study that
// is shorter than a full one.
func (r report) chance() float64 {
	if r.Seeds >= fullStudy {
		return 0
	}
	return 2 * math.Sqrt(mostFalse*10_000/float64(r.Seeds*requestsEach))
}

// misses names every row that misses its target; nil when none does.
func (r report) misses() error {
	var m missed
	for _, o := range r.Outages {
		if o.Who == mine {
			m.outage(o)
		}
	}
	for _, f := range r.Faults {
		if f.Fails == rare && f.Rate <= targetRate {
			m.atMost(f.place, "openings in 10,000 requests", f.FalseTrips[mine], mostFalse+r.chance())
			if f.Takes == time.Second {
				m.atMost(f.place, "share of an hour not CLOSED", f.Shut[mine], mostShut)
			}
		}
	}
	for _, f := range r.Flaps {
		m.atMost(f.place, "most openings while half fail", f.Openings.Most, mostFlaps)
		m.atMost(f.place, "most notifications while half fail", f.Told.Most, mostFlapsTold)
		m.atMost(f.place, "most contacts failed", f.Failed.Most, 0)
		m.atLeast(f.place, "least contacts completed", f.Completed.Least, waiting)
	}
	return errors.Join(m...)
}

// missed collects the targets that were missed.
type missed []error

func (m *missed) outage(o outageRow) {
	m.atLeast(o.place, "least notifications", o.Told.Least, 1)
	m.atMost(o.place, "most notifications", o.Told.Most, 1)
	if o.Processes == 50 && o.Rate == 10 {
		m.atMost(o.place, "calls until OPEN, beyond those in flight, median", o.Answered.Median, mostCalls)
	}
	if o.Takes == 0 {
		m.atMost(o.place, "s to CLOSED, median", o.Closed.Median, closedMedian)
		m.atMost(o.place, "s to CLOSED, p95", o.Closed.P95, closedP95)
		m.atMost(o.place, "s to the first call, p95", o.Resumed.P95, resumedP95)
	}
}

func (m *missed) atMost(at place, what string, got, most float64) {
	if got > most {
		m.add(at, what, got, most)
	}
}

func (m *missed) atLeast(at place, what string, got, least float64) {
	if got < least {
		m.add(at, what, got, least)
	}
}

func (m *missed) add(at place, what string, got, want float64) {
	*m = append(*m, fmt.Errorf("%d processes, %g calls/s, requests of %s: %s is %.4g, wanted %.4g", at.Processes, at.Rate, brief(at.Takes), what, got, want))
}

// summary is one line for scripts: the worst of the rows with 50 processes.
func (r report) summary() string {
	var calls, told, recovery, trips float64
	for _, o := range r.Outages {
		if o.Who != mine || o.Processes != 50 {
			continue
		}
		told = max(told, o.Told.Most)
		if o.Takes == 0 {
			calls, recovery = max(calls, o.Before.Median), max(recovery, o.Closed.P95)
		}
	}
	for _, f := range r.Faults {
		if f.Processes == 50 && f.Fails == rare {
			trips = max(trips, f.FalseTrips[mine])
		}
	}
	return fmt.Sprintf("fleet: trip_calls_median=%.0f notifications_max=%.0f recovery_p95_s=%.1f false_trips_5pct=%.2f", calls, told, recovery, trips)
}
