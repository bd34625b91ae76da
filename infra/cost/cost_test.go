package cost

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// Whoever renames a count has the file written anew.
func TestCountsFitTheirFile(t *testing.T) {
	d := json.NewDecoder(strings.NewReader(string(counted)))
	d.DisallowUnknownFields()
	var c Counts
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]Counted{
		"contact": c.Contact, "look": c.Look, "opening": c.Opening, "set_aside": c.SetAside, "resumed": c.Resumed, "tick_idle": c.TickIdle,
		"tick_outage": c.TickOutage, "tick_probe": c.TickProbe, "tick_early": c.TickEarly, "alert": c.Alert,
	} {
		if one.usage()[LambdaTime] <= 0 || one.ReadUnits <= 0 {
			t.Errorf("%s is not counted: %+v", name, one)
		}
		for function := range one.Functions {
			if Memory[function] == 0 {
				t.Errorf("%s: the memory of %s is not known", name, function)
			}
		}
	}
	if c.Enqueued.Queue <= 0 || c.CountedCall <= 0 {
		t.Errorf("enqueued %+v, a counted call %g", c.Enqueued, c.CountedCall)
	}
}

func TestPricesHaveTheirPages(t *testing.T) {
	seen := map[Item]bool{}
	for _, p := range Prices() {
		if seen[p.Item] || p.Dollars <= 0 || p.Per <= 0 || !strings.HasPrefix(p.Page, "https://aws.amazon.com/") {
			t.Errorf("%+v", p)
		}
		seen[p.Item] = true
	}
}

// plain is counts that can be worked out by hand: a contact is one run of 10
// requests to AWS and one to the LLM, and everything else one write.
func plain() Counts {
	one := Counted{WriteUnits: 1}
	return Counts{
		Enqueued:   Counted{Queue: 0.1},
		Contact:    Counted{Functions: map[string]Work{"call": {Runs: 1, AWS: 10, Providers: map[string]float64{"llm": 1}}}, WriteUnits: 20, Queue: 3},
		Look:       one,
		Opening:    Counted{WriteUnits: 100},
		SetAside:   Counted{WriteUnits: 5},
		Resumed:    Counted{Functions: map[string]Work{"call": {Runs: 2, AWS: 10, Providers: map[string]float64{"llm": 1}}}, WriteUnits: 22, Queue: 3},
		TickIdle:   Counted{ReadUnits: 10},
		TickOutage: one, TickProbe: one, TickEarly: one,
		Alert:       Counted{WriteUnits: 50},
		CountedCall: 0.1,
	}
}

// quantity is how much of an item stands on a bill.
func quantity(b Bill, i Item) float64 {
	for _, l := range b.Lines {
		if l.Item == i {
			return l.Quantity
		}
	}
	return 0
}

func TestBills(t *testing.T) {
	c := plain()
	for _, one := range []struct {
		what string
		bill Bill
		item Item
		want float64
	}{
		{"1,000 contacts", c.Campaign(1000), WriteUnits, 1000 * (20 + Looks)},
		{"1,000 contacts", c.Campaign(1000), QueueRequests, 3100},
		{"1,000 contacts", c.Campaign(1000), LambdaTime, 1000 * (0.1 + 3) / 4},
		{"1,000 contacts", c.Campaign(1000), Internet, 0.4},
		// 3 open it, 97 are set aside; 60 minutes of 25 ticks; it opens, is told after 5, 15 and 60 minutes, and closes
		{"an hour", c.Outage(100, time.Hour), WriteUnits, 100 + 97*(5+22) - 100*20 + 60*25 + 5*50},
		{"an hour", c.Outage(100, time.Hour), LambdaRuns, 97*2 - 100},
		{"an hour", c.Outage(100, time.Hour), ReadUnits, 60 * 100 * 0.1},
		{"a minute, two contacts", c.Outage(2, time.Minute), WriteUnits, 100 - 3*20 + 25 + 2*50},
		{"sleeping once", SleepingOnce(100), LambdaTime, 100 * (3 + 4*2 + 5 + 10 + 20) / 4},
		{"sleeping once", SleepingOnce(100), QueueRequests, 200},
		{"sleeping through", SleepingThrough(100, time.Hour), LambdaRuns, 600},
		{"sleeping through", SleepingThrough(100, time.Hour), QueueRequests, 700},
		{"a month", c.Idle(0), QueueRequests, 1_944_000},
		{"a month", c.Idle(1000), ReadUnits, 43200*10 + 2880*100},
	} {
		if got := quantity(one.bill, one.item); math.Abs(got-one.want) > 1e-6 {
			t.Errorf("%s: %g %s, want %g", one.what, got, one.item, one.want)
		}
	}
}

func TestABillIsItsLines(t *testing.T) {
	b := Usage{WriteUnits: 2e6, ReadUnits: 0, ObjectWrites: 1000}.bill()
	if len(b.Lines) != 2 || b.Lines[0].Dollars != 1.25 || b.Dollars != 1.255 {
		t.Errorf("%+v", b)
	}
}

// What the issue promises, of the counts as they are.
func TestAnOutageCostsNextToNothing(t *testing.T) {
	c := Measured()
	if d := c.Campaign(1000).Dollars; d < 0.05 || d > 0.25 {
		t.Errorf("1,000 contacts cost %g dollars: that is no matter of cents", d)
	}
	outage := c.Outage(10_000, time.Hour).Dollars
	if outage <= 0 || outage > 0.15 {
		t.Errorf("an hour with 10,000 contacts waiting costs %g dollars", outage)
	}
	if longer := c.Outage(10_000, 2*time.Hour).Dollars; longer <= outage || longer > 2*outage {
		t.Errorf("an hour costs %g dollars, two %g", outage, longer)
	}
	if sleeping := SleepingOnce(10_000).Dollars; sleeping < 10*outage {
		t.Errorf("sleeping costs %g dollars, being set aside %g", sleeping, outage)
	}
}
