// Package crashtest kills the real command at random moments and goes on with
// the same store, against the provider simulator, until every contact has its
// outcome. It then asks the simulator, the ledger and the channels whether
// anything was lost, or done twice.
package crashtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/call"
	"callagent/infra/clock"
	"callagent/localstack/simulator"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(buildDir)
		os.Exit(code)
	}))
}

func init() {
	var err error
	if buildDir, err = os.MkdirTemp("", "callagent-crashtest-"); err != nil {
		panic(err)
	}
}

const (
	contacts = 200
	kills    = 120
	least    = 100 // with fewer kills the test shows too little
	workers  = 8
	// faster is the pace of the rehearsal: a look every 15 s, a listing a
	// minute after a deadline and a circuit's 10 s all have to come.
	faster = 20
)

// refused are the contacts whose numbers Twilio does not take.
var refused = []int{7, 31, 64, 99, 128, 150, 171, 196}

// behaviour is how the process is set up.
var behaviour = fmt.Sprintf(`
workers = %d
[services.twilio]
rate = 0.5
[campaign.default]
call_window = "00:00-24:00"
`, workers)

// weather is what goes wrong besides the kills: now and then a dial whose
// answer is lost, passing errors, and two outages.
func weather() []simulator.Fault {
	return []simulator.Fault{
		{Service: "twilio", Route: "create", Answer: "lost_answer", Rate: 0.06},
		{Service: "twilio", Route: "create", Answer: "503", Rate: 0.02},
		{Service: "twilio", Route: "fetch", Answer: "500", Rate: 0.05},
		{Service: "llm", Answer: "lost_answer", Rate: 0.02},
		{Service: "elevenlabs", Answer: "503", From: 100 * time.Second, For: 40 * time.Second},
		{Service: "elevenlabs", Answer: "503", From: 400 * time.Second, For: 60 * time.Second},
		{Service: "elevenlabs", Answer: "503", Rate: 0.03},
		{Service: "crm", Route: "calls", Answer: "503", Rate: 0.03},
		{Service: "crm", Route: "contacts", Answer: "503", From: 250 * time.Second, For: 40 * time.Second},
	}
}

// rehearsal is a store, its processes and everything around them.
type rehearsal struct {
	t     *testing.T
	dir   string
	store string
	time  string // the clock that all share
	sim   *simulator.Simulator
	wire  *wire
	known map[string]map[string]int // the life after which a step was found stored, by contact and step

	mu   sync.Mutex
	life int
	now  *process
}

// newRehearsal has a list of n contacts and no process yet.
func newRehearsal(t *testing.T, n int, faults ...simulator.Fault) *rehearsal {
	t.Helper()
	r := &rehearsal{t: t, dir: t.TempDir(), known: map[string]map[string]int{}}
	r.store = filepath.Join(r.dir, "callagent.db")
	r.time = fmt.Sprintf("%s,%d", time.Now().UTC().Format(time.RFC3339), faster)
	ticking, err := clock.Parse(r.time)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]string{}
	for _, n := range refused {
		numbers[phone(n)] = "invalid"
	}
	if r.sim, err = simulator.Start(simulator.Config{Clock: ticking, Faults: faults, Seed: 1, Numbers: numbers}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.sim.Close)
	r.wire = newWire(t, r.sim.URLs(), r.watch)
	for file, text := range map[string]string{"contacts.csv": list(n), "callagent.toml": behaviour} {
		if err := os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// watch hands what happens on the wire to the process that it is about.
func (r *rehearsal) watch(life, service string, s stage) {
	r.mu.Lock()
	p := r.now
	if life != strconv.Itoa(r.life) {
		p = nil
	}
	r.mu.Unlock()
	if p != nil {
		p.watch(service, s)
	}
}

// begin starts the next process.
func (r *rehearsal) begin(m moment, args ...string) *process {
	r.mu.Lock()
	defer r.mu.Unlock() // nothing on the wire is judged before the process is known
	r.life++
	args = append([]string{"run", "--clock", r.time, "--listen", r.address()}, args...)
	r.now = start(r.t, r.dir, r.environment(r.life), m, args...)
	return r.now
}

// environment is the simulator's, with the wire in between.
func (r *rehearsal) environment(life int) []string {
	env := r.sim.Env()
	for name, service := range map[string]string{
		"OPENAI_BASE_URL": "llm", "ELEVENLABS_BASE_URL": "elevenlabs", "TWILIO_BASE_URL": "twilio", "HUBSPOT_BASE_URL": "crm",
		"TELEGRAM_BASE_URL": "telegram", "ALERT_WEBHOOK_URL": "webhook",
	} {
		env = append(env, name+"="+r.wire.url(strconv.Itoa(life), service))
	}
	return env
}

// address is the one that all processes listen at, one after the other: what
// Twilio was told by one has to reach the next. It lies below the ports that
// systems give to connections.
var address = sync.OnceValue(func() string {
	for port := 18470; ; port++ {
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if l, err := net.Listen("tcp", at); err == nil {
			_ = l.Close()
			return at
		}
	}
})

func (*rehearsal) address() string { return address() }

// bury notes what a dead process had stored.
func (r *rehearsal) bury() {
	r.t.Helper()
	for _, c := range autopsy(r.t, r.store) {
		who := c.Key.Contact
		if r.known[who] == nil {
			r.known[who] = map[string]int{}
		}
		for _, s := range steps(c) {
			if _, known := r.known[who][s]; !known {
				r.known[who][s] = r.life
			}
		}
	}
}

func TestKilledAtRandomMoments(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CALLAGENT_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	random := rand.New(rand.NewPCG(seed, 1))
	r := newRehearsal(t, contacts, weather()...)
	killed := 0
	for killed < kills {
		var again []string
		if killed < 4 || killed%20 == 0 { // it may have died before all of the list was on the queue
			again = []string{"--contacts", "contacts.csv"}
		}
		if !r.begin(draw(random), again...).killed(t) {
			break
		}
		killed++
		r.bury()
	}
	if killed < least {
		t.Fatalf("seed %d: everything ended after %d kills, %d are needed", seed, killed, least)
	}
	if r.begin(moment{latest: time.Minute}).killed(t) {
		t.Fatalf("seed %d: left alone, it does not come to an end", seed)
	}
	took := time.Since(began)
	v := verdict{r, killed}
	v.calls(read(t, r.store))
	v.requests()
	v.alerts()
	v.leftovers()
	v.logs()
	if t.Failed() {
		t.Logf("seed %d; what was done last:\n%s", seed, r.now.out.String())
	}
	t.Logf("%d kills in %.1f s, seed %d", killed, took.Seconds(), seed)
}

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
	if len(calls) != contacts {
		t.Errorf("%d contacts have a call, want %d", len(calls), contacts)
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
	t.Logf("outcomes: %v", states)
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

// alerts checks that each alert reached each channel that wanted it, and that
// a second copy is the same message and not more frequent than kills.
func (v verdict) alerts() {
	t := v.t
	t.Helper()
	report := v.sim.Report()
	told := map[string]string{} // everything that a channel was told
	for _, m := range report.Telegram {
		told["telegram"] += m.Text + "\n"
	}
	for _, m := range report.Email {
		told["email"] += m.Text + "\n"
	}
	for _, h := range report.Webhooks {
		if !h.Verified {
			t.Errorf("a webhook came without a good signature")
		}
		if !h.Duplicate { // a receiver drops what it knows the id of
			told["webhook"] += string(h.Body)
		}
	}
	for _, a := range raisedAlerts(t, v.store) {
		proof := a.alert.What
		if a.channel == "webhook" {
			proof = strconv.Quote(a.alert.ID)
		}
		if !strings.Contains(told[a.channel], proof) {
			t.Errorf("%s was never told by %s", a.alert.ID, a.channel)
		}
	}
	for channel, copies := range map[string]map[string]int{
		"telegram": count(report.Telegram, func(m simulator.Chat) string { return m.Text }),
		"email":    count(report.Email, func(m simulator.Email) string { return fmt.Sprint(m.Header["Message-Id"]) }),
		"webhook":  count(report.Webhooks, func(h simulator.Hook) string { return h.ID }),
	} {
		again := 0
		for _, n := range copies {
			again += n - 1
		}
		t.Logf("%s: %d messages, %d second copies", channel, len(copies), again)
		if again > v.kills {
			t.Errorf("%s was told %d second copies in %d kills", channel, again, v.kills)
		}
	}
}

// leftovers checks that the store is sound and that nothing lies around in it.
func (v verdict) leftovers() {
	t := v.t
	t.Helper()
	sound(t, v.store)
	for what, statement := range map[string]string{
		"messages":           "SELECT count(*) FROM messages",
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
