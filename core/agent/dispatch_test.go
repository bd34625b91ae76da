package agent_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/fault"
	"callagent/infra/memory"
)

// channel is one way to people: it keeps what it takes, and fails with the
// faults that it was given, one a message.
type channel struct {
	fails  []error
	tried  int
	taken  []alert.Message
	before func() // while a message is under way
}

func (c *channel) Notify(_ context.Context, m alert.Message) error {
	c.tried++
	if c.before != nil {
		c.before()
	}
	if len(c.fails) > 0 {
		err := c.fails[0]
		c.fails = c.fails[1:]
		if err != nil {
			return err
		}
	}
	c.taken = append(c.taken, m)
	return nil
}

// office is a dispatcher with two channels.
type office struct {
	t               *testing.T
	clock           *clock
	store           *memory.Store
	journal         *events
	email, telegram channel
	dispatcher      *agent.Dispatcher
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, clock: &clock{now: start}, journal: &events{}}
	o.store = memory.New(memory.Options{Now: o.clock.Now})
	o.replace()
	return o
}

// replace starts a new process.
func (o *office) replace() {
	o.dispatcher = agent.NewDispatcher(agent.DispatcherOptions{
		Outbox: o.store, Channels: map[string]agent.Notifier{"email": &o.email, "telegram": &o.telegram},
		Clock: o.clock, Random: func() float64 { return 0 }, Journal: o.journal, Timeout: 10 * time.Second,
	})
}

// raise raises alerts about n failed calls.
func (o *office) raise(from, n int) {
	o.t.Helper()
	for i := range n {
		a := alert.ForCall(alert.CallFailed, alert.Subject{CallID: fmt.Sprintf("spring/c-%03d", from+i), Campaign: "spring", Reason: "bad number", At: o.clock.Now()})
		if err := o.store.Raise(o.t.Context(), []string{"email", "telegram"}, a); err != nil {
			o.t.Fatal(err)
		}
	}
}

func (o *office) flush(channel string, all bool) (left bool) {
	o.t.Helper()
	left, err := o.dispatcher.Flush(o.t.Context(), channel, all)
	if err != nil {
		o.t.Fatal(err)
	}
	return left
}

func TestAThousandFailedContactsAreOneDigest(t *testing.T) {
	o := newOffice(t)
	o.raise(1, 1)
	o.flush("email", false) // the first at once
	o.raise(2, 999)
	o.flush("email", false)
	if len(o.email.taken) != 1 {
		t.Fatalf("%d messages at once", len(o.email.taken))
	}
	o.clock.to(start.Add(time.Minute))
	o.flush("email", false)
	if len(o.email.taken) != 2 || len(o.email.taken[1].Alerts) != 999 {
		t.Errorf("%d messages", len(o.email.taken))
	}
	o.clock.to(start.Add(10 * time.Hour))
	o.flush("email", false)
	if o.email.tried != 2 {
		t.Errorf("%d messages although nothing is new", o.email.tried)
	}
}

func TestAllSendsDigestsBeforeTheirTime(t *testing.T) {
	o := newOffice(t)
	for i := range 3 {
		o.raise(i, 1)
		if left := o.flush("email", true); left || len(o.email.taken) != i+1 {
			t.Errorf("%d messages of %d, left %t", len(o.email.taken), i+1, left)
		}
	}
}

func TestAChannelThatFailsIsRetriedOnItsOwnAndHoldsUpNoOther(t *testing.T) {
	o := newOffice(t)
	o.email.fails = []error{errSilent, faults["503"], &fault.Fault{Kind: fault.Throttled, RetryAfter: 90 * time.Second}, faults["401"]}
	o.raise(1, 1)
	for _, wait := range []time.Duration{5 * time.Second, 10 * time.Second, 90 * time.Second, 40 * time.Second} {
		tried := o.email.tried
		if left := o.flush("email", false); !left || o.email.tried != tried+1 {
			t.Fatalf("left %t after %d", left, o.email.tried)
		}
		o.clock.to(o.clock.Now().Add(wait - 1))
		if left := o.flush("email", false); !left || o.email.tried != tried+1 {
			t.Errorf("it was tried before %s were over", wait)
		}
		o.clock.to(o.clock.Now().Add(1))
	}
	if left := o.flush("telegram", false); left || len(o.telegram.taken) != 1 {
		t.Errorf("telegram: left %t, %d messages", left, len(o.telegram.taken))
	}
	if left := o.flush("email", false); left || len(o.email.taken) != 1 {
		t.Errorf("email: left %t, %d messages", left, len(o.email.taken))
	}
	if n := o.journal.count("alert_failed"); n != 1 {
		t.Errorf("the journal says so %d times", n)
	}
}

// An end of the process is no reason to disturb a channel that asked for time.
func TestAChannelThatAskedForTimeGetsIt(t *testing.T) {
	o := newOffice(t)
	o.email.fails = []error{&fault.Fault{Kind: fault.Throttled, RetryAfter: 34 * time.Second}}
	o.raise(1, 1)
	o.flush("email", false)
	for _, wait := range []time.Duration{34 * time.Second, time.Second} {
		if asked := o.dispatcher.Asked("email"); asked != wait {
			t.Errorf("it asked for %s, want %s", asked, wait)
		}
		if left := o.flush("email", true); !left || o.email.tried != 1 {
			t.Errorf("%s before its time it was tried %d times", wait, o.email.tried)
		}
		o.clock.to(start.Add(33 * time.Second))
	}
	o.clock.to(start.Add(34 * time.Second))
	if left := o.flush("email", true); left || len(o.email.taken) != 1 || o.dispatcher.Asked("email") != 0 {
		t.Errorf("left %t, %d messages", left, len(o.email.taken))
	}
	o.telegram.fails = []error{faults["503"]}
	o.flush("telegram", false)
	if left := o.flush("telegram", true); left || o.dispatcher.Asked("telegram") != 0 {
		t.Error("one that only failed was not tried at the end")
	}
}

func TestAMessageThatAChannelCanNeverTakeIsDroppedWithAnEntry(t *testing.T) {
	o := newOffice(t)
	o.email.fails = []error{faults["422"]}
	o.raise(1, 1)
	if left := o.flush("email", false); left {
		t.Error("it is kept")
	}
	o.clock.to(start.Add(24 * time.Hour))
	o.flush("email", true)
	if o.email.tried != 1 || o.journal.count("alert_refused") != 1 {
		t.Errorf("tried %d times, %d entries", o.email.tried, o.journal.count("alert_refused"))
	}
}

// forgetful is an outbox that cannot note what was delivered.
type forgetful struct{ *memory.Store }

func (forgetful) Delivered(context.Context, string, []string, string, alert.Group) error {
	return errors.New("crashed")
}

func TestWhatWasSentIsNotedEvenWhenTimeIsUp(t *testing.T) {
	o := newOffice(t)
	o.raise(1, 1)
	ctx, end := context.WithCancel(t.Context())
	o.email.before = end
	if left, err := o.dispatcher.Flush(ctx, "email", false); left || err != nil {
		t.Fatalf("left %t, %v", left, err)
	}
	o.replace()
	if o.flush("email", true); len(o.email.taken) != 1 {
		t.Errorf("it is told %d times", len(o.email.taken))
	}
}

func TestASecondCopyComesOnlyAfterACrashWithTheSameID(t *testing.T) {
	for joined, want := range map[int]string{0: "the same", 2: "another"} {
		o := newOffice(t)
		o.raise(1, 3)
		o.dispatcher.Outbox = forgetful{o.store} // it is sent, and cannot be recorded
		if left, err := o.dispatcher.Flush(t.Context(), "email", false); !left || err == nil {
			t.Fatalf("left %t, %v", left, err)
		}
		o.replace()
		o.raise(4, joined) // what joins a digest makes it another one: nobody may drop it
		o.flush("email", false)
		o.flush("email", true)
		if len(o.email.taken) != 2 || len(o.email.taken[1].Alerts) != 3+joined {
			t.Fatalf("sent %+v", o.email.taken)
		}
		if same := o.email.taken[0].ID == o.email.taken[1].ID; same != (joined == 0) {
			t.Errorf("with %d more, %s has to follow %s with %s id", joined, o.email.taken[1].ID, o.email.taken[0].ID, want)
		}
	}
}

func TestAStoppingProcessHoldsNothingAgainstTheChannel(t *testing.T) {
	o := newOffice(t)
	ctx, stop := context.WithCancel(t.Context())
	o.raise(1, 1)
	o.email.before, o.email.fails = stop, []error{context.Canceled}
	if left, err := o.dispatcher.Flush(ctx, "email", true); !left || err != nil {
		t.Errorf("left %t, %v", left, err)
	}
	o.email.before = nil
	if left := o.flush("email", false); left || len(o.email.taken) != 1 {
		t.Errorf("left %t, %d messages", left, len(o.email.taken))
	}
}

// Five messages take 7 s each, and each may take 10: one that time could run out
// for is left to the next flush.
func TestAMessageThatCouldBeCutOffIsNotBegun(t *testing.T) {
	for seconds, want := range map[time.Duration]int{10: 0, 11: 1, 17: 1, 18: 2, 25: 3} {
		o := newOffice(t)
		for i := range 5 {
			a := alert.Alert{ID: fmt.Sprint("circuit/", i), Kind: alert.CircuitOpened, Service: agent.LLM, At: start}
			if err := o.store.Raise(t.Context(), []string{"email"}, a); err != nil {
				t.Fatal(err)
			}
		}
		o.email.before = func() { _ = o.clock.Sleep(context.Background(), 7*time.Second) }
		ctx, cancel := o.clock.WithTimeout(t.Context(), seconds*time.Second)
		if left, err := o.dispatcher.Flush(ctx, "email", false); !left || err != nil {
			t.Errorf("left %t, %v", left, err)
		}
		cancel()
		if len(o.email.taken) != want || o.journal.count("alert_failed") != 0 {
			t.Errorf("in %d s %d messages were begun, want %d", seconds, len(o.email.taken), want)
		}
		if o.flush("email", false); len(o.email.taken) != 5 {
			t.Errorf("%d messages in all", len(o.email.taken))
		}
	}
}

func TestAlertsOfTheirOwnGoOutAtOnceInTheirOrder(t *testing.T) {
	o := newOffice(t)
	for i := range 5 {
		a := alert.Alert{ID: fmt.Sprint("circuit/", i), Kind: alert.CircuitOpened, Service: agent.LLM, At: start}
		if err := o.store.Raise(t.Context(), []string{"email"}, a); err != nil {
			t.Fatal(err)
		}
	}
	o.flush("email", false)
	for i, m := range o.email.taken {
		if m.ID != fmt.Sprint("circuit/", i) {
			t.Errorf("message %d is %s", i, m.ID)
		}
	}
	if len(o.email.taken) != 5 || o.journal.count("alert_sent") != 5 {
		t.Errorf("%d messages", len(o.email.taken))
	}
}
