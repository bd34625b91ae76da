package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/wiring/machine"
	"callagent/localstack/simulator"
)

// office is a folder in which an operator works against the simulator. Runs
// play fifty times as fast as the wall clock.
type office struct {
	t     *testing.T
	clock *clock.Clock
	sim   *simulator.Simulator
	world World
	out   bytes.Buffer // of the last command
	errs  bytes.Buffer
}

func newOffice(t *testing.T, c simulator.Config) *office {
	t.Helper()
	t.Chdir(t.TempDir())
	o := &office{t: t, clock: clock.New(time.Time{}, 50)}
	c.Clock, c.Seed = o.clock, 1
	var err error
	if o.sim, err = simulator.Start(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.sim.Close)
	o.world = World{In: strings.NewReader(""), Out: &o.out, Err: &o.errs, Env: environment(o.sim.Env())}
	o.file("callagent.toml", "[campaign.default]\ncall_window = \"00:00-24:00\"\n")
	return o
}

func (o *office) file(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// does runs a command that must end with the status, and gives what it printed
// on both outputs.
func (o *office) does(status int, args ...string) string {
	o.t.Helper()
	o.out.Reset()
	o.errs.Reset()
	if got := Run(args, o.world); got != status {
		o.t.Fatalf("%v: exit status %d, want %d: %s%s", args, got, status, &o.out, &o.errs)
	}
	return o.out.String() + o.errs.String()
}

// run is callagent run at the office's speed; contacts is a list, "" for none.
func (o *office) run(contacts string) summary {
	o.t.Helper()
	g := &grammar{Settings: "callagent.toml"}
	s, err := g.load(o.world)
	if err != nil {
		o.t.Fatal(err)
	}
	j := job{settings: s, clock: o.clock, json: true, patience: machine.Patience{Parked: -1}}
	if contacts != "" {
		o.file("contacts.csv", contacts)
		j.list = enqueueOptions{File: "contacts.csv", Campaign: settings.DefaultCampaign, Settings: s, Quiet: true}
	}
	sum, err := perform(o.world, j)
	if err != nil {
		o.t.Fatal(err)
	}
	return sum
}

// rang fails the test unless the phone rang so many times.
func (o *office) rang(phone string, times int) {
	o.t.Helper()
	if got := o.sim.Rings()[phone]; got != times {
		o.t.Errorf("the phone rang %d times, want %d", got, times)
	}
}

// requests counts the requests that a service saw.
func (o *office) requests(service string) int {
	n := 0
	for _, r := range o.sim.Requests() {
		if r.Service == service {
			n++
		}
	}
	return n
}

// contains fails the test unless the text has every part.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

const (
	ada    = "+12025550101"
	oliver = "+442079460102"
	people = "contact_id,phone,name\nc-001," + ada + ",Ada\nc-002," + oliver + ",Oliver\n"
)

func TestRetryRingsASecondTimeOnlyBecauseAPersonSaysSo(t *testing.T) {
	o := newOffice(t, simulator.Config{Numbers: map[string]string{ada: "no-answer"}})
	o.run(people)
	o.run("")
	o.rang(ada, 1)
	contains(t, o.does(usage, "retry", "--result", "no-answer"), "default   no-answer  1", "nobody was called again: add --yes to do it")
	o.run("")
	o.rang(ada, 1)

	contains(t, o.does(ok, "retry", "--result", "no-answer", "--yes"), "1 contact on the queue again")
	sum := o.run("")
	o.rang(ada, 2)
	o.rang(oliver, 1)
	if sum.Contacts != 2 || sum.Completed != 2 || sum.Rings != 3 || sum.MaxRings != 2 || sum.status() != nil {
		t.Errorf("the summary is %+v", sum)
	}
	o.run("")
	o.rang(ada, 2)

	contains(t, o.does(ok, "call", "default/c-001#1"), "no-answer", "CALL        default/c-001#1")
	contains(t, o.does(ok, "call", "c-001"), "ordered again by an operator; the call before it is kept as default/c-001#1")
	contains(t, o.does(ok, "calls"), "default/c-001#1", "default/c-001 ", "default/c-002 ")
	contains(t, o.does(ok, "status"), "1 and 1 of earlier rounds")
	var recorded []string
	for _, r := range o.sim.Report().CRM {
		if r.Type == "calls" {
			recorded = append(recorded, r.Key[strings.Index(r.Key, "=")+1:])
		}
	}
	told := 0
	for _, m := range o.sim.Report().Webhooks {
		if strings.Contains(string(m.Body), `"campaign_finished"`) {
			told++
		}
	}
	if told != 2 {
		t.Errorf("the end of the campaign was told %d times, want once for each of the two rounds", told)
	}
	slices.Sort(recorded)
	if want := []string{"default/c-001", "default/c-001#2", "default/c-002"}; !slices.Equal(recorded, want) {
		t.Errorf("the CRM has %v, want %v", recorded, want)
	}
}

func TestRetryAsksOnATerminal(t *testing.T) {
	o := newOffice(t, simulator.Config{Numbers: map[string]string{ada: "busy"}})
	o.run(people)
	for reply, status := range map[string]int{"": failed, "\n": failed, "no\n": failed, "perhaps\n": failed} {
		o.world.Terminal, o.world.In = true, strings.NewReader(reply)
		contains(t, o.does(status, "retry", "--result", "busy"), "Go on? [y/N]", "nobody was called again")
	}
	o.world.In = strings.NewReader("y\n")
	contains(t, o.does(ok, "retry", "--result", "busy"), "1 contact on the queue again")
	o.world.Terminal = false
	o.run("")
	o.rang(ada, 2)
}

// Between the question and the answer a running agent, or another operator, may
// have settled some of the calls in another way.
func TestRetryLeavesWhatChangedMeanwhile(t *testing.T) {
	store, err := machine.OpenStore(t.Context(), settings.Settings{Store: "sqlite:" + filepath.Join(t.TempDir(), "callagent.db")}, &clock.Clock{}, true)
	if err != nil {
		t.Fatal(err)
	}
	busy := call.Call{Key: call.Key{Campaign: "spring", Contact: "c-001"}, State: call.Completed, Result: call.Busy}
	if err := store.Put(t.Context(), call.Write{Call: busy}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	selected := finished{
		filter: call.Filter{State: call.Completed, Result: call.NoAnswer},
		keys:   []call.Key{busy.Key, {Campaign: "spring", Contact: "c-002"}},
	}
	if err := again(t.Context(), World{Out: &out}, store, selected); err != nil {
		t.Error(err)
	}
	if want := "0 contacts on the queue again: callagent run calls them, in AWS the functions do. 2 calls changed meanwhile and left as they are.\n"; out.String() != want {
		t.Errorf("it says %q, want %q", out.String(), want)
	}
	if c, err := store.Get(t.Context(), busy.Key); err != nil || c.Version != 1 {
		t.Errorf("the call has version %d, %v", c.Version, err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// Twilio answers every dial with 500 and has executed none: nobody can say
// whether it rang.
func TestResolveSettlesWhatNobodyKnows(t *testing.T) {
	o := newOffice(t, simulator.Config{Faults: []simulator.Fault{{Service: "twilio", Route: "create", For: 30 * time.Second, Answer: "500"}}})
	if sum := o.run(people); sum.Unknown != 2 || sum.Rings != 0 {
		t.Fatalf("the summary is %+v", sum)
	}
	contains(t, o.does(failed, "resolve", "c-999", "rang"), `there is no call "c-999"`)
	contains(t, o.does(ok, "resolve", "c-001", "redial"), "default/c-001 is on the queue again", "default/c-001#1")
	contains(t, o.does(failed, "resolve", "c-001", "redial"), "default/c-001 is waiting: only a call that ended unknown is resolved")
	contains(t, o.does(ok, "resolve", "c-002", "rang"), "default/c-002 is completed now")
	contains(t, o.does(ok, "status"), "orders it to be called once more; the call was unknown.", "says that it rang; the call was unknown.")
	for range 2 {
		sum := o.run("")
		o.rang(ada, 1)
		o.rang(oliver, 0)
		if sum.Contacts != 2 || sum.Completed != 2 || sum.Unknown != 0 || sum.Results["rang"] != 1 || sum.Results["answered"] != 1 {
			t.Errorf("the summary is %+v", sum)
		}
	}
	contains(t, o.does(failed, "resolve", "default/c-001#1", "rang"), "default/c-001#1 is kept from an earlier round and stays as it is")
	contains(t, o.does(ok, "call", "c-002", "--json"), `"result": "rang"`, `"recorded": "yes"`)
}

func TestABlockedContactCostsNothing(t *testing.T) {
	o := newOffice(t, simulator.Config{})
	contains(t, o.does(ok, "block", "add", "+1 (202) 555-0101", oliver), "+1********01 is blocked now", "+4*********02 is blocked now")
	contains(t, o.does(ok, "block", "remove", oliver), "+4*********02 is no longer blocked")
	sum := o.run(people)
	if sum.Failed != 1 || sum.Completed != 1 {
		t.Errorf("the summary is %+v", sum)
	}
	contains(t, o.does(ok, "call", "c-001"), "reason      the number is on the do-not-call list")
	o.rang(ada, 0)
	if llm, speech, crm := o.requests("llm"), o.requests("elevenlabs"), o.requests("crm"); llm != 1 || speech != 1 || crm == 0 {
		t.Errorf("one contact took %d scripts, %d recordings and %d CRM requests", llm, speech, crm)
	}
}

func TestPreviewCallsNobody(t *testing.T) {
	o := newOffice(t, simulator.Config{})
	everything := o.world.Env
	o.world.Env = func(name string) (string, bool) {
		if !strings.HasPrefix(name, "OPENAI_") && !strings.HasPrefix(name, "ELEVENLABS_") {
			return "", false
		}
		return everything(name)
	}
	o.file("contacts.csv", people+"c-003,"+ada+",Grace\n")
	before, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	out := o.does(ok, "preview", "contacts.csv", "-n", "2", "--out", "previews")
	contains(t, out, "default/c-001  +1********01  Ada\n", "Recording: "+filepath.Join("previews", "preview-c-002.mp3"))
	made, err := filepath.Glob(filepath.Join("previews", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.Join("previews", "preview-c-001.mp3"), filepath.Join("previews", "preview-c-002.mp3")}; !slices.Equal(made, want) {
		t.Errorf("it made %v, want %v", made, want)
	}
	if after, err := filepath.Glob("*"); err != nil || !slices.Equal(after, slices.Sorted(slices.Values(append(before, "previews")))) {
		t.Errorf("the folder has %v, %v", after, err)
	}
	for _, r := range o.sim.Requests() {
		if r.Service != "llm" && r.Service != "elevenlabs" {
			t.Errorf("%s was asked: %s", r.Service, r.Path)
		}
	}
	if llm, speech := o.requests("llm"), o.requests("elevenlabs"); llm != 2 || speech != 2 {
		t.Errorf("two contacts took %d scripts and %d recordings", llm, speech)
	}
	if data, err := os.ReadFile(made[0]); err != nil || len(data) == 0 {
		t.Errorf("the recording has %d bytes, %v", len(data), err)
	}
}

func TestPreviewShowsAFaultInOneSentence(t *testing.T) {
	for service, want := range map[string]string{
		"llm":        "callagent: contact c-001 has no script: llm: service_unavailable (503)",
		"elevenlabs": "callagent: contact c-001 has no recording: elevenlabs: service_unavailable (503)",
	} {
		o := newOffice(t, simulator.Config{Faults: []simulator.Fault{{Service: service, Answer: "503"}}})
		o.file("contacts.csv", people)
		o.does(failed, "preview", "contacts.csv")
		if got := o.errs.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("it says %q, want %q", got, want)
		}
		if o.requests("llm") != 1 {
			t.Errorf("%s: %d requests", service, o.requests("llm"))
		}
	}
}
