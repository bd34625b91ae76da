// Package crashtest kills the real command at random moments and goes on with
// the same store, against the provider simulator, until every contact has its
// outcome. It then asks the simulator, the ledger and the channels whether
// anything was lost, or done twice.
package crashtest

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/call"
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
rate = 0.3
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

// With the same seed a test kills at the same moments; what the processes do
// until then is theirs.
var seed = flag.Uint64("crash.seed", uint64(time.Now().UnixNano()), "draw the moments of the kills from this")

func TestKilledAtRandomMoments(t *testing.T) {
	seed, began := *seed, time.Now()
	random := rand.New(rand.NewPCG(seed, 1))
	r := newRehearsal(t, contacts, behaviour, weather()...)
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
	if r.begin(moment{latest: 2 * time.Minute}).killed(t) {
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

// A second Ctrl-C does not wait for what is under way, and loses nothing.
func TestTwoInterruptsLeaveAtOnce(t *testing.T) {
	const slow = 9 * time.Minute
	patient := fmt.Sprintf("%s[services.elevenlabs]\ntimeout = %q\n", behaviour, 2*slow)
	r := newRehearsal(t, 30, patient, simulator.Fault{Service: "elevenlabs", Answer: "slow", Delay: slow})
	p := r.begin(moment{service: "elevenlabs", nth: 4, stage: sent, spared: true}, "--contacts", "contacts.csv")
	<-p.struck
	began := time.Now()
	var err error
	for waiting := true; waiting; {
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case err = <-p.exited:
			waiting = false
		case <-time.After(50 * time.Millisecond): // two of the same kind at once are one
		}
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("it ended with %v, want exit status 1, and said:\n%s", err, p.out.String())
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s to leave, as if it had waited for the slow requests", took)
	}
	r.bury()
	r.sim.ClearFaults()
	if r.begin(moment{latest: 2 * time.Minute}).killed(t) {
		t.Fatal("the next process does not come to an end")
	}
	v := verdict{r, 1}
	calls := read(t, r.store)
	v.calls(calls)
	v.requests()
	v.alerts()
	v.leftovers()
	v.logs()
	for _, c := range calls {
		if c.State == call.Unknown {
			t.Errorf("%s is unknown although nothing was killed between two steps: %s", c.Key, history(c))
		}
	}
}

func TestTheClockOfARehearsalIsNoClockForRealCalls(t *testing.T) {
	for args, want := range map[string]string{
		"--clock 2026-11-22T10:00:00Z,20": "--clock is for rehearsals",
		"--clock tomorrow":                "no moment and speed",
	} {
		cmd := exec.CommandContext(t.Context(), binary(t), append([]string{"run"}, strings.Fields(args)...)...)
		cmd.Dir, cmd.Env = t.TempDir(), []string{}
		said, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(said), want) {
			t.Errorf("%s ends with %v and says %s", args, err, said)
		}
	}
}
