package crashtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"callagent/core/alert"
	"callagent/core/call"
	"callagent/localstack/simulator"
)

// verdict checks what a rehearsal came to.
type verdict struct {
	*rehearsal
	kills int
}

// calls checks that every contact has its outcome, and that nobody was rung
// twice or rung without being told so.
func (v verdict) calls(calls []call.Call) {
	t := v.t
	t.Helper()
	if len(calls) != v.n {
		t.Errorf("%d contacts have a call, want %d", len(calls), v.n)
	}
	rings := v.sim.Rings()
	states := map[call.State]int{}
	for _, c := range calls {
		states[c.State]++
		rung := rings[c.Contact.Phone]
		switch {
		case c.State == call.Completed && rung == 1 && c.Recorded == call.Yes:
		case c.State == call.Failed && rung == 0 && slices.Contains(refused, number(c.Key.Contact[len("c-"):])):
		case c.State == call.Unknown && rung == 0:
		default:
			t.Errorf("%s is %s (%s), recorded %q, and rang %d times: %s", c.Key, c.State, c.Reason, c.Recorded, rung, history(c))
		}
		if c.Lease.Holder != "" || !c.Due.IsZero() || c.Park.Service != "" {
			t.Errorf("%s is finished and yet held by %q, due %s, parked for %q", c.Key, c.Lease.Holder, c.Due, c.Park.Service)
		}
	}
	for _, one := range v.sim.Calls() {
		if n := rings[one.To]; n != 1 {
			t.Errorf("a number was rung %d times", n)
		}
	}
	if states[call.Unknown] > v.kills {
		t.Errorf("%d calls are unknown after %d kills", states[call.Unknown], v.kills)
	}
	t.Logf("outcomes: %v; of the unknown %d left no request to dial", states, v.undialled(calls))
}

// undialled counts the unknown calls whose process died between the intent and
// the request. The others were refused, and nobody heard it.
func (v verdict) undialled(calls []call.Call) int {
	dialled := map[string]bool{}
	for _, x := range v.wire.all() {
		if x.step == "dial" {
			dialled[x.who] = true
		}
	}
	n := 0
	for _, c := range calls {
		if c.State == call.Unknown && !dialled[c.Key.Contact] {
			n++
		}
	}
	return n
}

func history(c call.Call) string {
	var lines []string
	for _, e := range c.History {
		lines = append(lines, e.At.Format(time.TimeOnly)+" "+e.What)
	}
	return strings.Join(lines, "; ")
}

// requests checks that no stored step was requested again, and counts what the
// kills cost.
func (v verdict) requests() {
	t := v.t
	t.Helper()
	type turn struct {
		life      int
		step, who string
	}
	done := map[turn]int{}
	paid := map[string]map[string]int{"script": {}, "speech": {}, "dial": {}, "record": {}}
	for _, x := range v.wire.all() {
		if x.step == "" || x.who == "" {
			continue
		}
		if after, known := v.known[x.who][x.step]; known && x.life > after {
			t.Errorf("process %d requests the %s of %s, which was stored when process %d died", x.life, x.step, x.who, after)
		}
		if x.status >= 200 && x.status < 300 {
			done[turn{x.life, x.step, x.who}]++
			paid[x.step][x.who]++
		}
	}
	for k, n := range done {
		if n > 1 {
			t.Errorf("process %d had the %s of %s done %d times", k.life, k.step, k.who, n)
		}
	}
	for _, step := range slices.Sorted(maps.Keys(paid)) {
		again := 0
		for _, n := range paid[step] {
			again += n - 1
		}
		t.Logf("%s: %d contacts, %d repeated because the answer was never stored", step, len(paid[step]), again)
		if again > v.kills*workers || step == "dial" && again > 0 {
			t.Errorf("%s was repeated %d times in %d kills", step, again, v.kills)
		}
	}
	for key, n := range count(v.sim.Report().CRM, func(r simulator.Record) string { return r.Type + " " + r.Key }) {
		if n > 1 {
			t.Errorf("the CRM has %q %d times", key, n)
		}
	}
}

// count counts values by what they are called.
func count[T any](values []T, called func(T) string) map[string]int {
	n := map[string]int{}
	for _, v := range values {
		n[called(v)]++
	}
	return n
}

// leftovers checks that the store is sound and that nothing lies around in it
// but wake-ups for calls that have ended, which nobody waits for.
func (v verdict) leftovers() {
	t := v.t
	t.Helper()
	sound(t, v.store)
	for what, statement := range map[string]string{
		"messages": `SELECT count(*) FROM messages WHERE key NOT IN
			(SELECT campaign || '/' || contact FROM calls WHERE finished IS NOT NULL AND due IS NULL)`,
		"messages in hand":   "SELECT count(*) FROM messages WHERE taken = 1",
		"dead letters":       "SELECT count(*) FROM dead_letters",
		"numbers held":       "SELECT count(*) FROM holders",
		"alerts undelivered": "SELECT count(*) FROM alerts WHERE delivered IS NULL",
	} {
		if n := query[int](t, v.store, statement); n != 0 {
			t.Errorf("%s left behind: %d", what, n)
		}
	}
}

// logs checks that a line that a kill cut off spoils no other line.
func (v verdict) logs() {
	t := v.t
	t.Helper()
	data, err := os.ReadFile(filepath.Join(v.dir, "app_logs.json"))
	if err != nil {
		t.Fatal(err)
	}
	torn := 0
	for line := range bytes.Lines(data) {
		if !json.Valid(line) {
			torn++
		}
		if n := bytes.Count(line, []byte(`{"timestamp":`)); n > 1 {
			t.Errorf("%d entries share a line: %s", n, line)
		}
	}
	if torn > v.kills {
		t.Errorf("%d lines are torn after %d kills", torn, v.kills)
	}
	t.Logf("log: %d lines, %d torn", bytes.Count(data, []byte("\n")), torn)
}

// alerts checks that each alert reached each channel that wanted it, and that
// nobody was told a thing twice more often than there were kills.
func (v verdict) alerts() {
	t := v.t
	t.Helper()
	report := v.sim.Report()
	told, again := map[string]string{}, map[string]int{}
	tell := func(channel, text string, before bool) {
		told[channel] += text + "\n"
		if before {
			again[channel]++
		}
	}
	seen := map[string]bool{}
	for _, m := range report.Telegram {
		tell("telegram", m.Text, seen[m.Text])
		seen[m.Text] = true
	}
	for _, m := range report.Email {
		id := fmt.Sprint(m.Header["Message-Id"])
		tell("email", m.Text, seen[id])
		seen[id] = true
	}
	heard := map[string]bool{}
	for _, h := range report.Webhooks {
		ids := alertsIn(h)
		known := slices.ContainsFunc(ids, func(id string) bool { return heard[id] })
		switch {
		case !h.Verified:
			t.Errorf("a webhook came without a good signature")
		case h.Duplicate: // a receiver drops what it knows the id of
			tell("webhook", "", true)
			continue
		}
		tell("webhook", strings.Join(ids, "\n"), known)
		for _, id := range ids {
			heard[id] = true
		}
	}
	kinds, untold := map[string]int{}, map[string][]string{}
	for _, a := range raisedAlerts(t, v.store) {
		kinds[string(a.alert.Kind)]++
		if !names(told[a.channel], a.alert, a.channel == "webhook") {
			untold[a.channel] = append(untold[a.channel], a.alert.ID)
		}
	}
	for channel, ids := range untold {
		if n := unlisted(told[channel]); len(ids) > n {
			t.Errorf("%d alerts were never told by %s, and its digests leave out %d: %v", len(ids), channel, n, ids)
		}
	}
	t.Logf("alerts raised, over all channels: %v; second copies: %v", kinds, again)
	for channel, n := range again {
		if n > v.kills {
			t.Errorf("%s was told %d second copies in %d kills", channel, n, v.kills)
		}
	}
}

// names reports whether a channel's texts tell of an alert: by its id, in a
// message of its own, or beside its reason in a digest.
func names(text string, a alert.Alert, byID bool) bool {
	if byID {
		return strings.Contains(text, a.ID)
	}
	contact := regexp.MustCompile(`[(, ]` + regexp.QuoteMeta(strings.TrimPrefix(a.CallID, a.Campaign+"/")) + `[,) ]`)
	for line := range strings.Lines(text) {
		_, listed, found := strings.Cut(line, " × "+a.Reason)
		if strings.Contains(line, a.What) || a.Reason != "" && found && contact.MatchString(listed) {
			return true
		}
	}
	return false
}

// others is how a digest counts alerts that it does not list.
var others = regexp.MustCompile(`(\d+) (?:more\)|for other reasons\.)`)

// unlisted counts the alerts that digests count and do not list.
func unlisted(text string) int {
	n := 0
	for _, m := range others.FindAllStringSubmatch(text, -1) {
		more, _ := strconv.Atoi(m[1])
		n += more
	}
	return n
}

// alertsIn lists the ids of the alerts in a webhook's message.
func alertsIn(h simulator.Hook) []string {
	var body struct {
		Data struct {
			Alerts []struct {
				ID string `json:"id"`
			} `json:"alerts"`
		} `json:"data"`
	}
	if json.Unmarshal(h.Body, &body) != nil {
		return nil
	}
	var ids []string
	for _, a := range body.Data.Alerts {
		ids = append(ids, a.ID)
	}
	return ids
}
