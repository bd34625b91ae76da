//go:build integration

package cloud

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/cost"
	"callagent/infra/sqs"
	"callagent/localstack/simulator"
)

var update = flag.Bool("update", false, "write what is counted into infra/cost/counts.json")

// TestCountedCosts lets the functions' own code work a campaign and go through
// an outage of ElevenLabs, and counts what AWS would charge for. It has the
// emulator to itself: what is slow is asked again, and that counts too.
func TestCountedCosts(t *testing.T) {
	c := newCounting(t)
	var got cost.Counts
	c.next(1)
	c.work(c.over) // the first has the processes read secrets and settings
	c.tick(false)
	c.forget()

	got.Enqueued = c.enqueued()
	c.healthy(&got)
	c.outage(&got)
	c.idle(&got)
	c.look(&got)
	compare(t, got)
}

// enqueued has ten contacts put on another queue, so that nobody works them.
func (c *counting) enqueued() cost.Counted {
	const n = 10
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = []byte(contactBody(i))
	}
	c.must(nil, c.parts(c.processes["call"]).alerts.Send(c.t.Context(), 0, bodies...))
	c.must(c.clients.sqs.PurgeQueue(c.t.Context(), &awssqs.PurgeQueueInput{QueueUrl: aws.String(c.env["ALERTS_QUEUE_URL"])}))
	return c.taken(n, "")
}

func (c *counting) healthy(got *cost.Counts) {
	const contacts = 3
	c.next(contacts)
	c.work(c.over)
	got.Contact = c.taken(contacts, "call")
}

// outage goes through two: one from its beginning, with the contacts that meet
// it, and one that is written into the circuit, for those that come later.
func (c *counting) outage(got *cost.Counts) {
	const late = 8
	first := breaker.DefaultConfig().Threshold
	c.fails(simulator.Fault{Service: agent.ElevenLabs, Answer: "503"})
	c.next(first)
	c.work(c.parked(first))
	c.heal()
	got.Opening = c.taken(1, "call")
	c.pump("alert", "ALERTS_QUEUE_URL", c.processes["alert"].Tell, c.told)
	got.Alert = c.taken(1, "alert")

	c.fails(simulator.Fault{Service: agent.ElevenLabs, Answer: "503"})
	c.trip()
	c.next(late)
	c.work(c.parked(late))
	got.SetAside = c.taken(late, "call")
	c.ticks(got)
	c.heal()
	got.Resumed = c.taken(late, "call")
}

// fails puts a fault on the time line, and nothing else but slowness.
func (c *counting) fails(faults ...simulator.Fault) {
	c.sim.ClearFaults()
	c.must(nil, c.sim.AddFaults(append(faults, c.slow()...)...))
}

// trip opens the circuit as the last of some failures would.
func (c *counting) trip() {
	const most = 20 // no streak has to be longer
	r, now := c.speaker(), time.Now()
	for n := 0; n < most && r.State != breaker.Open; n++ {
		f := &fault.Fault{Kind: fault.ServiceUnavailable, Service: agent.ElevenLabs, Status: 503}
		r, _ = breaker.Fail(r, breaker.DefaultConfig(), breaker.Failure{Fault: f, Permit: breaker.Permit{Epoch: r.Epoch}, MayTrip: true}, now)
	}
	if r.State != breaker.Open {
		c.t.Fatalf("the circuit is %s", r.State)
	}
	_, err := c.observer.circuits.Swap(c.t.Context(), r)
	c.must(nil, err)
	time.Sleep(forgotten)
}

// ticks counts those of an outage.
func (c *counting) ticks(got *cost.Counts) {
	c.untilDue()
	c.tick(true)
	got.TickOutage = c.taken(1, "healthcheck")
	time.Sleep(forgotten)
	c.tick(false)
	got.TickEarly = c.taken(1, "healthcheck")
	c.untilDue()
	c.tick(false)
	got.TickProbe = c.taken(1, "healthcheck")
}

// heal ends the outage, and works what was set aside.
func (c *counting) heal() {
	c.fails()
	for c.speaker().State != breaker.Closed {
		c.untilDue()
		c.tick(false)
	}
	c.tick(false) // releases
	c.work(c.over)
}

// parked gives whether the newest n calls are set aside.
func (c *counting) parked(n int) func() bool {
	return func() bool {
		for i := range n {
			k := call.Key{Campaign: "default", Contact: contactID(c.sent - i)}
			if one, err := c.observer.calls.Get(c.t.Context(), k); err != nil || one.State != call.Parked {
				return false
			}
		}
		return true
	}
}

// told reports whether an alert was told, and no message asks for more.
func (c *counting) told() bool {
	depth, err := c.observer.alerts.Depth(c.t.Context())
	c.must(depth, err)
	return len(c.sim.Report().Webhooks) > 0 && depth == sqs.Depth{}
}

func (c *counting) idle(got *cost.Counts) {
	c.scanned = 0
	c.tick(true) // counts, and tells that the campaign is over
	c.forget()
	got.CountedCall = each(c.scanned, float64(c.sent))
	time.Sleep(forgotten)
	c.tick(true)
	got.TickIdle = c.taken(1, "healthcheck")
}

// look has the outcome of a call looked at that has not ended.
func (c *counting) look(got *cost.Counts) {
	asked := func() int { return len(c.sim.Requests()) - c.requests }
	c.stack.send(`{"campaign":"default","contact_id":"stuck","phone":"` + stuck + `"}`)
	c.work(func() bool { return asked() == 3 }) // script, recording and dial
	c.forget()
	c.work(func() bool { return asked() == 1 })
	got.Look = c.taken(1, "call")
}

// compare compares the counts with those that the cost command knows. The
// writes for a contact and of a tick are the same each time; the rest depends on
// the moment.
func compare(t *testing.T, got cost.Counts) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("../../cost/counts.json", append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	counted, known := numbers(t, got), numbers(t, cost.Measured())
	for name := range counted {
		if _, is := known[name]; !is {
			known[name] = 0
		}
	}
	for name, want := range known {
		allowed := 1 + want/4
		if strings.HasSuffix(name, ".write_units") && !strings.HasPrefix(name, ".opening") && !strings.HasPrefix(name, ".alert") {
			allowed = want / 50
		}
		if math.Abs(counted[name]-want) > allowed {
			t.Errorf("%s is %g, infra/cost/counts.json says %g: look why, then make cost", name, counted[name], want)
		}
	}
}

// numbers are all numbers of the counts, by their path in JSON.
func numbers(t *testing.T, c cost.Counts) map[string]float64 {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	flatten(all, "", tree)
	return all
}

func flatten(all map[string]float64, path string, v any) {
	switch v := v.(type) {
	case float64:
		all[path] = v
	case map[string]any:
		for name, below := range v {
			flatten(all, path+"."+name, below)
		}
	}
}
