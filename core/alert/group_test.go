package alert_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/alert"
)

// channel is one channel with its outbox: Plan, deliver, record.
type channel struct {
	waiting []alert.Alert
	groups  map[string]alert.Group
	sent    []time.Duration
	letters []alert.Message
}

func newChannel() *channel { return &channel{groups: map[string]alert.Group{}} }

func (c *channel) flush(all bool, now time.Time) {
	for _, s := range alert.Plan(c.waiting, c.groups, all, now) {
		c.sent = append(c.sent, now.Sub(start))
		c.letters = append(c.letters, s.Message)
		if s.Key != "" {
			c.groups[s.Key] = s.Group
		}
		c.waiting = slices.DeleteFunc(c.waiting, func(a alert.Alert) bool { return slices.Contains(s.IDs, a.ID) })
	}
}

func TestAThousandFailedContactsAreAtMostThreeMessagesInSixMinutes(t *testing.T) {
	c := newChannel()
	for i := range 1000 { // nearly three a second
		now := start.Add(time.Duration(i) * 360 * time.Millisecond)
		a := failed(i)
		a.At = now
		c.waiting = append(c.waiting, a)
		c.flush(false, now)
	}
	c.flush(false, start.Add(6*time.Minute))
	if len(c.sent) > 3 || c.sent[0] != 0 {
		t.Fatalf("sent at %s", c.sent)
	}
	c.flush(false, start.Add(7*time.Minute))
	told := 0
	for _, m := range c.letters {
		told += len(m.Alerts)
	}
	if told != 1000 || len(c.waiting) != 0 {
		t.Errorf("%d contacts were told of, %d wait", told, len(c.waiting))
	}
}

func TestAGroupSpeaksAtOnceThenAfter1And5And15And60Minutes(t *testing.T) {
	c := newChannel()
	for minute := range 300 {
		now := start.Add(time.Duration(minute) * time.Minute)
		a := failed(minute)
		c.waiting = append(c.waiting, a)
		c.flush(false, now)
	}
	want := []time.Duration{0, time.Minute, 6 * time.Minute, 21 * time.Minute, 81 * time.Minute, 141 * time.Minute, 201 * time.Minute, 261 * time.Minute}
	if !slices.Equal(c.sent, want) {
		t.Errorf("sent at %s, want %s", c.sent, want)
	}
}

func TestAfterTwoHoursOfSilenceAGroupBeginsAnew(t *testing.T) {
	for _, c := range []struct {
		silence time.Duration
		want    []time.Duration // after the silence, of an alert a minute
	}{
		{2 * time.Hour, []time.Duration{0, time.Minute, 6 * time.Minute}},
		{2*time.Hour - time.Second, []time.Duration{0}},
	} {
		ch := newChannel()
		ch.groups["call_failed/spring"] = alert.Group{LastSent: start.Add(-c.silence), Sent: 9}
		for minute := range 10 {
			ch.waiting = append(ch.waiting, failed(minute))
			ch.flush(false, start.Add(time.Duration(minute)*time.Minute))
		}
		if !slices.Equal(ch.sent, c.want) {
			t.Errorf("after %s it speaks at %s, want %s", c.silence, ch.sent, c.want)
		}
	}
}

func TestAFlushSendsWhatWaits(t *testing.T) {
	c := newChannel()
	c.waiting = []alert.Alert{failed(1)}
	c.flush(false, start)
	c.waiting = []alert.Alert{failed(2), failed(3)}
	c.flush(false, start.Add(time.Second))
	if len(c.sent) != 1 {
		t.Fatalf("sent at %s", c.sent)
	}
	c.flush(true, start.Add(2*time.Second)) // the process ends
	if len(c.sent) != 2 || len(c.waiting) != 0 || c.groups["call_failed/spring"].Sent != 2 {
		t.Errorf("sent at %s, %d wait, group %+v", c.sent, len(c.waiting), c.groups["call_failed/spring"])
	}
}

func TestPlan(t *testing.T) {
	opened := told(alert.CircuitOpened, open("twilio", down), start)
	finished := alert.ForCampaign("spring", alert.Tally{Completed: 1}, start)
	other := failed(9)
	other.Campaign = "autumn"
	unknown := alert.ForCall(alert.CallUnknown, alert.Subject{CallID: "spring/c-007", Campaign: "spring", At: start})

	waiting := []alert.Alert{failed(1), opened, other, failed(2), unknown, finished, failed(3)}
	var got []string
	for _, s := range alert.Plan(waiting, nil, false, start) {
		got = append(got, s.Key+": "+strings.Join(s.IDs, " "))
	}
	want := []string{ // what stands alone first, then the groups, each in the order of what waits
		": " + opened.ID,
		": " + finished.ID,
		"call_failed/spring: call/spring/c-001/call_failed call/spring/c-002/call_failed call/spring/c-003/call_failed",
		"call_failed/autumn: " + other.ID,
		"call_unknown/spring: " + unknown.ID,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the plan is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if plan := alert.Plan(nil, nil, true, start); plan != nil {
		t.Errorf("of nothing it plans %+v", plan)
	}
}

// A group that is silent holds up no other, and nothing that stands alone.
func TestASilentGroupHoldsUpNoOther(t *testing.T) {
	groups := map[string]alert.Group{"call_failed/spring": {LastSent: start, Sent: 1}}
	opened := told(alert.CircuitOpened, open("twilio", down), start)
	plan := alert.Plan([]alert.Alert{failed(1), opened}, groups, false, start.Add(59*time.Second))
	if len(plan) != 1 || plan[0].Message.ID != opened.ID {
		t.Errorf("the plan is %+v", plan)
	}
	if plan := alert.Plan([]alert.Alert{failed(1)}, groups, false, start.Add(time.Minute)); len(plan) != 1 || plan[0].Group.Sent != 2 {
		t.Errorf("a minute later the plan is %+v", plan)
	}
}

// A digest that is sent again after a crash is recognised by its id, but not
// when more alerts have joined it: a receiver that drops it would miss them.
func TestADigestKeepsItsID(t *testing.T) {
	digest := func(n int) string {
		var as []alert.Alert
		for i := range n {
			as = append(as, failed(i+1))
		}
		return alert.Digest("call_failed/spring", as).ID
	}
	if once, again := digest(2), digest(2); once != again || once != "digest/call_failed/spring/2/call/spring/c-001/call_failed" {
		t.Errorf("%s, then %s", once, again)
	}
	if joined := digest(3); joined == digest(2) {
		t.Errorf("a digest of three has the id of one of two: %s", joined)
	}
	if one := digest(1); one != failed(1).ID {
		t.Errorf("a digest of one has the id %s", one)
	}
}

// Whatever is raised and whenever it is flushed, each alert is told exactly
// once, and no group speaks sooner than it may.
func TestEachAlertIsToldOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c, now, raised := newChannel(), start, 0
		spoke := map[string]time.Time{}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(rt, "seconds")) * time.Second)
			for range rapid.IntRange(0, 3).Draw(rt, "alerts") {
				raised++
				a := failed(raised)
				a.Campaign = rapid.SampledFrom([]string{"spring", "autumn"}).Draw(rt, "campaign")
				c.waiting = append(c.waiting, a)
			}
			before, groups := len(c.letters), maps.Clone(c.groups)
			c.flush(false, now)
			for _, m := range c.letters[before:] {
				key := m.Alerts[0].Key()
				if last, spoken := spoke[key]; spoken && now.Sub(last) < time.Minute {
					rt.Fatalf("%s speaks %s after it spoke: %+v", key, now.Sub(last), groups[key])
				}
				spoke[key] = now
			}
		}
		c.flush(true, now)
		seen := map[string]int{}
		for _, m := range c.letters {
			for _, a := range m.Alerts {
				seen[a.ID]++
			}
		}
		if len(seen) != raised || len(c.waiting) != 0 {
			rt.Fatalf("%d of %d were told of, %d wait", len(seen), raised, len(c.waiting))
		}
		for id, n := range seen {
			if n != 1 {
				rt.Fatalf("%s was told %d times", id, n)
			}
		}
	})
}

func TestIDsAreDerived(t *testing.T) {
	about := alert.Subject{CallID: "spring/c-001", Campaign: "spring", Reason: "one", At: start, Park: 3}
	later := about
	later.Reason, later.At = "another", start.Add(time.Hour)
	for kind, want := range map[alert.Kind]string{
		alert.CallFailed:       "call/spring/c-001/call_failed",
		alert.CallUnknown:      "call/spring/c-001/call_unknown",
		alert.RetriesExhausted: "call/spring/c-001/retries_exhausted/3",
	} {
		if got := alert.ForCall(kind, about).ID; got != want || alert.ForCall(kind, later).ID != want {
			t.Errorf("%s has the id %s, want %s", kind, got, want)
		}
	}
	later.Park = 4
	if alert.ForCall(alert.RetriesExhausted, later).ID == alert.ForCall(alert.RetriesExhausted, about).ID {
		t.Error("the next park is another alert")
	}
	one := alert.ForCampaign("spring", alert.Tally{Completed: 9, Failed: 1}, start)
	same := alert.ForCampaign("spring", alert.Tally{Completed: 8, Unknown: 2}, start.Add(time.Hour))
	more := alert.ForCampaign("spring", alert.Tally{Completed: 11}, start)
	if one.ID != "campaign/spring/campaign_finished/10" || same.ID != one.ID || more.ID == one.ID {
		t.Errorf("campaigns have the ids %s, %s and %s", one.ID, same.ID, more.ID)
	}
}

func TestSeverity(t *testing.T) {
	for s, want := range map[alert.Severity]string{
		alert.Info: "info", alert.Warning: "warning", alert.Critical: "critical", alert.Severity(9): "critical",
	} {
		if s.String() != want {
			t.Errorf("severity %d is called %q", s, s)
		}
	}
	for name, want := range map[string]alert.Severity{
		"info": alert.Info, "warning": alert.Warning, "critical": alert.Critical, "fatal": alert.Info, "": alert.Info,
	} {
		got := alert.Critical
		if err := got.UnmarshalText([]byte(name)); err != nil || got != want {
			t.Errorf("%q is read as %s, %v", name, got, err)
		}
	}
}

// The webhook sends a message as JSON; those who read it rely on the names.
func TestAMessageAsJSON(t *testing.T) {
	m := alert.Single(failed(1))
	got, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"call/spring/c-001/call_failed","kind":"call_failed","severity":"warning","at":"2026-01-05T09:00:01Z",` +
		`"title":"Call to c-001 failed (campaign spring)","text":` + quoted(t, m.Text) + `,"alerts":[{"id":"call/spring/c-001/call_failed",` +
		`"kind":"call_failed","severity":"warning","campaign":"spring","call_id":"spring/c-001","at":"2026-01-05T09:00:01Z",` +
		`"title":"Call to c-001 failed (campaign spring)",` +
		`"what":"The call to contact c-001 failed: Twilio refuses the request (400, 21211): Invalid 'To' Phone Number.",` +
		`"reason":"Twilio refuses the request (400, 21211): Invalid 'To' Phone Number","effect":"only this contact, who was not called.",` +
		`"agent":"goes on with the next contact. It does not try again.",` +
		`"you":"Nothing, unless the contact should be called after all: then correct its data and put it on the list again under a new id."}]}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var back alert.Message
	if err := json.Unmarshal(got, &back); err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("it comes back as %+v, %v", back, err)
	}
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTitle(t *testing.T) {
	for service, want := range map[string]string{
		"llm": "the script service (LLM)", "elevenlabs": "ElevenLabs", "twilio": "Twilio", "crm": "the CRM", "sheets": "sheets",
	} {
		if got := alert.Title(service); got != want {
			t.Errorf("%s is called %q", service, got)
		}
	}
}

func TestAnUnknownKindHasItsNameForATitle(t *testing.T) {
	m := alert.Single(alert.Alert{ID: "1", Kind: "rain", What: "It rains."})
	if m.Title != "rain" || !strings.HasPrefix(m.Text, "It rains.\n\nYou: Nothing to do.\n\n") {
		t.Errorf("%+v", m)
	}
}
