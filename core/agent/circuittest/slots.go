package circuittest

import (
	"slices"
	"sync"
	"time"
)

// crowd is how many race in these checks.
const crowd = 50

// race lets the crowd run at once and tells for whom run was true.
func race(run func(i int) bool) []int {
	won := make([]bool, crowd)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			<-start
			won[i] = run(i)
		})
	}
	close(start)
	all.Wait()
	var winners []int
	for i, w := range won {
		if w {
			winners = append(winners, i)
		}
	}
	return winners
}

// slot reserves a moment.
func (b *bench) slot(service string, every time.Duration, now time.Time) time.Time {
	b.Helper()
	at, err := b.Slot(b.ctx, service, every, now)
	if err != nil {
		b.Fatalf("slot: %v", err)
	}
	return at
}

var slotCases = []testCase{
	{"the first moment is now", func(b *bench) {
		b.same("slot", b.slot("twilio", time.Second, noon), noon)
	}},
	{"the next is one distance later", func(b *bench) {
		for i := range 3 {
			b.same("slot", b.slot("twilio", time.Second, noon), noon.Add(time.Duration(i)*time.Second))
		}
	}},
	{"after a rest it is now again", func(b *bench) {
		b.slot("twilio", time.Second, noon)
		later := noon.Add(time.Minute)
		b.same("slot", b.slot("twilio", time.Second, later), later)
	}},
	{"a caller whose clock is late waits for the moment reserved before", func(b *bench) {
		b.slot("twilio", time.Second, noon)
		b.same("slot", b.slot("twilio", time.Second, noon.Add(-time.Minute)), noon.Add(time.Second))
	}},
	{"the caller's distance counts from the moment reserved before", func(b *bench) {
		b.slot("twilio", time.Second, noon)
		b.same("slot", b.slot("twilio", time.Minute, noon), noon.Add(time.Minute))
	}},
	{"each service has its own moments", func(b *bench) {
		b.slot("twilio", time.Second, noon)
		b.same("slot", b.slot("llm", time.Second, noon), noon)
	}},
	{"moments are in UTC without monotonic reading", func(b *bench) {
		now := time.Now().In(time.FixedZone("UTC+9", 9*60*60))
		if got, want := b.slot("twilio", time.Second, now), now.Round(0).UTC(); got != want {
			b.Errorf("slot is %#v, want %#v", got, want)
		}
	}},
	{"no two callers get the same moment", func(b *bench) {
		got, want := make([]time.Time, crowd), make([]time.Time, crowd)
		race(func(i int) bool {
			at, err := b.Slot(b.ctx, "twilio", time.Second, noon)
			if err != nil {
				b.Errorf("slot: %v", err)
			}
			got[i], want[i] = at, noon.Add(time.Duration(i)*time.Second)
			return err == nil
		})
		slices.SortFunc(got, time.Time.Compare)
		b.same("slots", got, want)
	}},
}
