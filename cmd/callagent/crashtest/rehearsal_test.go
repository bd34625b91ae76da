package crashtest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"callagent/infra/clock"
	"callagent/localstack/simulator"
)

// rehearsal is a store, its processes and everything around them.
type rehearsal struct {
	t     *testing.T
	n     int // contacts
	dir   string
	store string
	time  string // the clock that all share
	sim   *simulator.Simulator
	wire  *wire
	as    *syscall.SysProcAttr      // of the processes; nil is as the test itself
	known map[string]map[string]int // the life after which a step was found stored, by contact and step

	mu   sync.Mutex
	life int
	now  *process
}

// newRehearsal has a list of n contacts and no process yet.
func newRehearsal(t *testing.T, n int, settings string, faults ...simulator.Fault) *rehearsal {
	t.Helper()
	return rehearse(t, t.TempDir(), n, settings, faults...)
}

// rehearse is newRehearsal with everything in a folder of the caller's.
func rehearse(t *testing.T, dir string, n int, settings string, faults ...simulator.Fault) *rehearsal {
	t.Helper()
	binary(t) // before the clock of the rehearsal begins to matter
	r := &rehearsal{t: t, n: n, dir: dir, known: map[string]map[string]int{}}
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
	for file, text := range map[string]string{"contacts.csv": list(n), "callagent.toml": settings} {
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
	r.now = start(r.t, r.dir, r.environment(r.life), r.as, m, args...)
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
// systems give to connections, and elsewhere for another run of this test.
var address = sync.OnceValue(func() string {
	for port := 16000 + os.Getpid()%14000; ; port++ {
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
	for _, c := range autopsy(r.t, r.store, r.life%10 == 0) {
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
