package alert_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callagent/core/alert"
)

// diary decides the long way what a channel sends: it keeps everything that was
// raised and every moment at which a group spoke, and looks at all of it again
// each time.
type diary struct {
	waiting []alert.Alert
	spoke   map[string][]time.Time
}

// group is the group of an alert: calls by kind and campaign; everything else
// stands alone.
func group(a alert.Alert) string {
	if a.CallID == "" {
		return ""
	}
	return fmt.Sprintf("%s/%s", a.Kind, a.Campaign)
}

// may reports whether a group may speak: at once after two hours of silence,
// and then 1, 5, 15 and every 60 min after it spoke last.
func (d *diary) may(key string, now time.Time) bool {
	moments := d.spoke[key]
	if len(moments) == 0 {
		return true
	}
	spoken := 1
	for i := len(moments) - 1; i > 0 && moments[i].Sub(moments[i-1]) < 2*time.Hour; i-- {
		spoken++
	}
	minutes := 60
	if spoken <= 3 {
		minutes = []int{1, 5, 15}[spoken-1]
	}
	return now.Sub(moments[len(moments)-1]) >= time.Duration(minutes)*time.Minute
}

// flush lists the ids of each message: single alerts first, then the groups in
// the order of their first alert.
func (d *diary) flush(all bool, now time.Time) (messages [][]string) {
	var order []string
	byGroup, kept := map[string][]string{}, []alert.Alert(nil)
	for _, a := range d.waiting {
		switch key := group(a); {
		case key == "":
			messages = append(messages, []string{a.ID})
		case !all && !d.may(key, now):
			kept = append(kept, a)
		default:
			if !slices.Contains(order, key) {
				order = append(order, key)
			}
			byGroup[key] = append(byGroup[key], a.ID)
		}
	}
	for _, key := range order {
		messages = append(messages, byGroup[key])
		d.spoke[key] = append(d.spoke[key], now)
	}
	d.waiting = kept
	return messages
}

// raise draws an alert of any sort.
func raise(t *rapid.T, n int, now time.Time) alert.Alert {
	campaign := rapid.SampledFrom([]string{"spring", "autumn"}).Draw(t, "campaign")
	switch rapid.IntRange(0, 4).Draw(t, "sort") {
	case 0:
		r := open("twilio", down)
		r.Outage, r.OpenedAt = int64(n), now
		return told(alert.CircuitOpened, r, now)
	case 1:
		return alert.ForCampaign(campaign, alert.Tally{Completed: n}, now)
	}
	kind := rapid.SampledFrom([]alert.Kind{alert.CallFailed, alert.CallUnknown, alert.RetriesExhausted}).Draw(t, "kind")
	return alert.ForCall(kind, alert.Subject{CallID: fmt.Sprintf("%s/c-%03d", campaign, n), Campaign: campaign, Reason: "x", At: now, Park: 1})
}

// What a channel sends is what the long way decides, message by message,
// whatever is raised and however often it is flushed.
func TestThePlanIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d, now := newChannel(), &diary{spoke: map[string][]time.Time{}}, start
		raised := 0
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 59, 60, 299, 300, 900, 3599, 3600, 7199, 7200}).Draw(t, "seconds")) * time.Second)
			for range rapid.IntRange(0, 3).Draw(t, "alerts") {
				raised++
				a := raise(t, raised, now)
				c.waiting, d.waiting = append(c.waiting, a), append(d.waiting, a)
			}
			all := rapid.IntRange(0, 15).Draw(t, "the process ends") == 0
			before := len(c.letters)
			c.flush(all, now)
			var got [][]string
			for _, m := range c.letters[before:] {
				var ids []string
				for _, a := range m.Alerts {
					ids = append(ids, a.ID)
				}
				got = append(got, ids)
			}
			if want := d.flush(all, now); !slices.EqualFunc(got, want, slices.Equal) {
				t.Fatalf("at %s it sends %q, want %q", now.Sub(start), got, want)
			}
		}
	})
}
