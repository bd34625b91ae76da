//go:build integration

package cloud

import (
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/infra/cost"
	"callagent/localstack/simulator"
)

// The ledger is counted when it has come to rest, and not by every tick from
// then on: that goes through all of it.
func TestALedgerAtRestIsCountedOnce(t *testing.T) {
	t.Parallel()
	if cost.CountEvery != countAtRest {
		t.Errorf("a ledger at rest is counted every %s, infra/cost knows %s", countAtRest, cost.CountEvery)
	}
	c := newCounting(t)
	c.countedOnce()
	c.next(1)
	c.tick(true) // sees that there is work
	c.work(c.over)
	c.countedOnce()
}

// countedOnce fails unless a tick counts the ledger, and further ones do not.
func (c *counting) countedOnce() {
	c.t.Helper()
	began := c.scans()
	for end := time.Now().Add(time.Minute); c.scans() == began; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatal("the ledger is not counted")
		}
		c.tick(true)
	}
	counted := c.scans()
	time.Sleep(time.Until(c.parts(c.processes["healthcheck"]).countAt))
	for range 3 {
		c.tick(true)
	}
	if again := c.scans() - counted; again > 0 {
		c.t.Errorf("nothing happened, and the ledger is counted again: %g read units", again)
	}
}

// A call that is set aside leaves nothing to do, and when it has ended
// meanwhile no tick may have seen it.
func TestALedgerWithCallsSetAsideIsCountedAgain(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	c.fails(simulator.Fault{Service: agent.ElevenLabs, Answer: "503"})
	c.trip()
	contact, err := call.Decode([]byte(contactBody(1)))
	c.must(contact, err)
	now := time.Now().UTC()
	waits := call.Call{Key: contact.Key(), Contact: contact, Number: "n", CreatedAt: now, State: call.Running}.ForCircuit(agent.ElevenLabs, now, "a test")
	c.must(nil, c.observer.calls.Put(t.Context(), call.Write{Call: waits}))
	for times := range 2 {
		time.Sleep(time.Until(c.parts(c.processes["healthcheck"]).countAt))
		c.scanned = 0
		if c.tick(true); c.scans() == 0 {
			t.Errorf("the ledger was counted %d times", times)
		}
	}
}

// scans is what scans have read so far, in units.
func (c *counting) scans() float64 {
	c.taken(1, "")
	return c.scanned
}
