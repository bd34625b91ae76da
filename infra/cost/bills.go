package cost

import (
	"math"
	"time"

	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/health"
)

// Campaign is what so many contacts cost when nothing fails.
func (c Counts) Campaign(contacts int) Bill {
	n := float64(contacts)
	u := Usage{ObjectStorage: n * Recording * KeptMonths, Internet: n * Recording}
	u.add(n, c.Enqueued.usage())
	u.add(n, c.Contact.usage())
	u.add(n*Looks, c.Look.usage())
	return u.bill()
}

// Outage is what an outage of one service costs besides the calls themselves,
// with so many contacts waiting: each is set aside once and released, ticks
// test the service, and people are told.
func (c Counts) Outage(contacts int, length time.Duration) Bill {
	u, first := Usage{}, breaker.DefaultConfig().Threshold
	late := float64(max(0, contacts-first)) // after the circuit opened
	u.add(1, c.Opening.usage())
	u.add(late, c.SetAside.usage())
	u.add(late, c.Resumed.usage())
	u.add(-late-float64(first), c.Contact.usage()) // they would have been called anyway
	minutes := math.Ceil(length.Minutes())
	u.add(minutes, c.minute())
	u[ReadUnits] += minutes * float64(contacts) * c.CountedCall // the scheduled tick finds the queue empty
	u.add(float64(alerts(length)), c.Alert.usage())
	return u.bill()
}

// minute is the ticks of a minute in which a service fails.
func (c Counts) minute() Usage {
	calledFor := float64(len(health.Ticks()))
	probes := float64(time.Minute / breaker.DefaultConfig().Interval)
	u := Usage{ScheduleRuns: 1}
	u.add(1, c.TickOutage.usage())
	u.add(probes-1, c.TickProbe.usage())
	u.add(calledFor-(probes-1), c.TickEarly.usage())
	return u
}

// alerts is how many are told of an outage: that it begins, that it lasts, and
// that it is over.
func alerts(length time.Duration) int {
	n := 2
	for length >= health.RemindAfter(n-1) {
		n++
	}
	return n
}

// SleepReturn is how long a message stays away that a sleeping function failed
// on: the visibility time of the contacts queue in template.yaml.
const SleepReturn = 12 * time.Minute

// SleepingOnce is what the same contacts cost during an outage, besides calls,
// in a flow without a circuit that sleeps between its retries inside the
// function. Every contact gets one run: a script, and the four attempts of
// [backoff.Default] with the sleeps between them at their shortest. Then it is
// given up. What such a flow keeps and logs is left out in its favour.
func SleepingOnce(contacts int) Bill { return sleeping(contacts, 1) }

// SleepingThrough is SleepingOnce for contacts that are not given up: each
// comes back after SleepReturn for another such run until the outage is over.
func SleepingThrough(contacts int, length time.Duration) Bill {
	return sleeping(contacts, 1+int(length/SleepReturn))
}

func sleeping(contacts, runs int) Bill {
	retries := backoff.Default()
	billed := WriterTime + SpeakerTime
	for n := range retries.MaxRetries {
		billed += retries.Delay(n, 0) + SpeakerTime
	}
	n := float64(contacts * runs)
	return Usage{
		LambdaRuns: n, LambdaTime: n * billed.Seconds() * Memory["call"] / 1024,
		QueueRequests: n + float64(contacts), // received each time, removed once
	}.bill()
}

// What a stack has and does, whether or not it works.
const (
	AlarmCount  = 21               // alarms of template.yaml
	MetricCount = 5                // the four circuits, and a count of cold starts
	Queues      = 3                // that Lambda asks for messages: contacts, ticks and alerts
	Pollers     = 5                // that Lambda has for each
	PollFor     = 20 * time.Second // how long each of them waits for messages
	Month       = 30 * 24 * time.Hour
)

// CountEvery is how often ticks count the calls of a ledger at rest.
const CountEvery = 15 * time.Minute

// Idle is what a month costs in which nothing happens, with so many calls in
// the ledger.
func (c Counts) Idle(calls int) Bill {
	ticks, countings := Month.Minutes(), float64(Month/CountEvery)
	u := Usage{Alarms: AlarmCount, Metrics: MetricCount, ScheduleRuns: ticks,
		QueueRequests: Queues * Pollers * float64(Month/PollFor)}
	u.add(ticks, c.TickIdle.usage())
	u[ReadUnits] += countings * float64(calls) * c.CountedCall
	return u.bill()
}
