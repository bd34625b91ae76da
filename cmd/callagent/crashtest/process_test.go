package crashtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"callagent/cmd/callagent/buildtest"
)

// moment is when a process is killed: when a request to a service reaches a
// stage for the nth time, or else some time after the process was first heard
// of, or after its start.
type moment struct {
	service string // "" is any
	nth     int    // 0 is never
	stage   stage
	delay   time.Duration // from there
	working time.Duration // from its first request; 0 is never
	latest  time.Duration // from its start
	spared  bool          // the test itself ends it
}

func (m moment) String() string {
	if m.nth == 0 {
		return "after " + m.latest.String()
	}
	return fmt.Sprintf("%s after request %d to %q was %s", m.delay, m.nth, m.service,
		[...]string{"sent", "executed", "answered"}[m.stage])
}

// How long a process lives whose moment does not come: while it works, and when
// it is never heard of.
const (
	working = 200 * time.Millisecond
	silent  = time.Second
)

// draw chooses a moment. A fifth of them may hit the start, the others hit
// where something is happening, half of those a service in particular.
func draw(r *rand.Rand) moment {
	m := moment{working: working, latest: silent}
	switch pick := r.IntN(20); {
	case pick < 4:
		return moment{latest: time.Duration(r.Int64N(int64(200 * time.Millisecond)))}
	case pick < 12:
		m.nth = 1 + r.IntN(8)
	default:
		m.service = []string{"twilio", "twilio", "llm", "elevenlabs", "crm", "crm", "webhook", "telegram"}[pick-12]
		m.nth = 1 + r.IntN(2)
	}
	m.stage = stage(r.IntN(3))
	if r.IntN(2) == 0 {
		m.delay = time.Duration(r.Int64N(int64(5 * time.Millisecond)))
	}
	return m
}

// process is one life of the command.
type process struct {
	cmd    *exec.Cmd
	out    bytes.Buffer
	moment moment
	exited chan error
	heard  chan struct{} // closed when its first request has come
	struck chan struct{} // closed when its moment has come

	mu    sync.Mutex
	first bool // it has been heard of
	seen  int
}

// start begins a life.
func start(t *testing.T, dir string, env []string, as *syscall.SysProcAttr, m moment, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(t.Context(), binary(t), args...), moment: m, exited: make(chan error, 1),
		heard: make(chan struct{}), struck: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.SysProcAttr = dir, env, as
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	return p
}

// watch learns that a request has reached a stage. A process whose moment is
// without delay is killed before the request goes on.
func (p *process) watch(service string, s stage) {
	p.mu.Lock()
	if !p.first {
		p.first = true
		close(p.heard)
	}
	p.mu.Unlock()
	m := p.moment
	if s != m.stage || m.service != "" && m.service != service {
		return
	}
	p.mu.Lock()
	p.seen++
	now := p.seen == m.nth
	p.mu.Unlock()
	if !now {
		return
	}
	if m.delay == 0 && !m.spared {
		_ = p.cmd.Process.Kill() // if it has ended by itself, the main loop says so
	}
	close(p.struck)
}

// killed waits for the moment and kills. It reports false when the process
// ended by itself before.
func (p *process) killed(t *testing.T) bool {
	t.Helper()
	heard, latest := p.heard, time.After(p.moment.latest)
	for struck := p.struck; ; {
		select {
		case err := <-p.exited:
			return p.ended(t, err)
		case <-heard:
			if heard = nil; struck != nil && p.moment.working > 0 {
				latest = time.After(p.moment.working)
			}
			continue
		case <-struck:
			struck, latest = nil, time.After(p.moment.delay)
			continue
		case <-latest:
		}
		_ = p.cmd.Process.Kill()
		return p.ended(t, <-p.exited)
	}
}

// ended tells a kill from an end. A process that ended by itself must have
// reached its end.
func (p *process) ended(t *testing.T, err error) (killed bool) {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 {
		return true
	}
	if err != nil {
		t.Fatalf("the process ended with %v and said:\n%s", err, p.out.String())
	}
	return false
}

// exitStatus waits for a process that ends by itself.
func (p *process) exitStatus(t *testing.T) int {
	t.Helper()
	select {
	case err := <-p.exited:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
		t.Fatalf("it does not come to an end, and said:\n%s", p.out.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// patience is how long a process may take to end by itself.
const patience = 2 * time.Minute

// binary builds the command, once for all tests.
func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildDir string // set by init

// built names a variable with the path of a command that is built already.
const built = "CRASHTEST_BINARY"

var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(built); path != "" {
		return path, nil
	}
	return buildtest.Build(buildDir)
})

// number reads the digits that this package wrote.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err)
	}
	return n
}

// contactID is the id of contact n.
func contactID(n int) string { return fmt.Sprintf("c-%03d", n) }

// phone is the number of contact n.
func phone(n int) string { return fmt.Sprintf("+1202555%04d", n) }

// name is the name of contact n: three letters, because the simulated LLM
// takes nothing else for a name.
func name(n int) string {
	return string([]byte{'A' + byte(n/676), 'A' + byte(n/26%26), 'A' + byte(n%26)})
}

// contactNamed is the id of the contact with a name.
func contactNamed(s string) string {
	return contactID(int(s[0]-'A')*676 + int(s[1]-'A')*26 + int(s[2]-'A'))
}

// list is a contact list of n rows.
func list(n int) string {
	var b strings.Builder
	b.WriteString("contact_id,phone,name\n")
	for i := range n {
		fmt.Fprintf(&b, "%s,%s,Person %s\n", contactID(i), phone(i), name(i))
	}
	return b.String()
}
