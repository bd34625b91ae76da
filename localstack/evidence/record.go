package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"

	"callagent/examples"
	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/localstack/simulator"
)

// required is the scenario of the source documents.
const required = "elevenlabs-503"

// options say how the scenario is played.
type options struct {
	Binary   string    // the command
	Speed    float64   // how many times faster than real time
	Browser  bool      // take pictures of the dashboard; needs Chromium and real time
	Progress io.Writer // hears how far it is; nil tells nobody
}

// rehearsal is the scenario being played.
type rehearsal struct {
	options
	scenario settings.Scenario
	dir      string // where the processes work
	clock    *clock.Clock
	shared   string // the clock for --clock; "" is real time
	began    time.Time
	sim      *simulator.Simulator

	mu    sync.Mutex
	found parts
}

// keep adds a part.
func (r *rehearsal) keep(name string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found[name] = data
}

// record plays the scenario to its end and returns what it left, without the
// page.
func record(ctx context.Context, o options) (parts, error) {
	dir, err := os.MkdirTemp("", "callagent-evidence-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := &rehearsal{options: o, dir: dir, found: parts{}}
	if r.Progress == nil {
		r.Progress = io.Discard
	}
	if r.Binary, err = filepath.Abs(o.Binary); err != nil {
		return nil, err
	}
	if err := r.prepare(); err != nil {
		return nil, err
	}
	if err := r.start(); err != nil {
		return nil, err
	}
	defer r.sim.Close()
	if err := r.play(ctx); err != nil {
		return nil, err
	}
	return r.found, errors.Join(r.sheet(ctx, "Log", sheetLog), r.sheet(ctx, "Status", sheetEnd), r.collect())
}

// prepare writes what the processes find in their folder: the scenario's
// contacts and settings.
func (r *rehearsal) prepare() error {
	text, err := examples.Files.ReadFile("scenarios/" + required + ".toml")
	if err != nil {
		return err
	}
	if r.scenario, err = settings.ParseScenario(required, text); err != nil {
		return err
	}
	list, err := fs.ReadFile(examples.Files, r.scenario.ContactsFile)
	if err != nil {
		return err
	}
	var file struct {
		Settings map[string]any `toml:"settings"`
	}
	if err := toml.Unmarshal(text, &file); err != nil {
		return err
	}
	own, err := toml.Marshal(file.Settings)
	if err != nil {
		return err
	}
	return errors.Join(r.write("contacts.csv", list), r.write("callagent.toml", own))
}

func (r *rehearsal) write(name string, data []byte) error {
	return os.WriteFile(filepath.Join(r.dir, name), data, 0o600)
}

// start begins the scenario's time and its providers, which are well.
func (r *rehearsal) start() (err error) {
	if r.Speed != 1 {
		r.shared = fmt.Sprintf("%s,%g", time.Now().UTC().Format(time.RFC3339), r.Speed)
	}
	if r.clock, err = clock.Parse(r.shared); err != nil {
		return err
	}
	r.began = r.clock.Now()
	r.sim, err = simulator.Start(simulator.Config{Clock: r.clock, Numbers: r.scenario.Numbers, NoCallbacks: !r.scenario.Callbacks, Seed: 1})
	return err
}

// begin lets the scenario's time line begin with the first request, however long
// the process takes to start.
func (r *rehearsal) begin(ctx context.Context) error {
	for !slices.ContainsFunc(r.sim.Requests(), func(q simulator.Request) bool { return q.Service == ours[0] }) {
		if ctx.Err() != nil {
			return errors.New("the command makes no request")
		}
		time.Sleep(5 * time.Millisecond)
	}
	r.began = r.clock.Now()
	for _, f := range r.scenario.Faults {
		if err := r.sim.AddFaults(simulator.Fault(f)); err != nil {
			return err
		}
	}
	return nil
}

// command is the command with the simulator's environment and no other.
func (r *rehearsal) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, r.Binary, args...)
	c.Dir, c.Env, c.Stderr = r.dir, append(r.sim.Env(), "TZ=UTC"), r.Progress
	c.Cancel, c.WaitDelay = func() error { return c.Process.Signal(os.Interrupt) }, 10*time.Second
	return c
}

// play works the list until nothing is left, and looks on meanwhile.
func (r *rehearsal) play(ctx context.Context) error {
	args := []string{"run", "--contacts", "contacts.csv", "--listen", "127.0.0.1:0", "--json"}
	if r.shared != "" {
		args = append(args, "--clock", r.shared)
	}
	var out bytes.Buffer
	c := r.command(ctx, args...)
	c.Stdout = &out
	watching, enough := context.WithCancel(ctx)
	defer enough()
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait(); enough() }()
	if err := r.begin(watching); err != nil {
		return errors.Join(err, <-ended)
	}
	seen := make(chan error, 2)
	go func() { seen <- r.watchSheet(watching) }()
	go func() { seen <- r.watchDashboard(watching, ctx) }()
	if err := errors.Join(<-ended, <-seen, <-seen); err != nil {
		return err
	}
	r.say("the run has ended")
	return r.sumUp(out.Bytes())
}

func (r *rehearsal) say(text string) {
	_, _ = fmt.Fprintf(r.Progress, "%6.1f s  %s\n", r.clock.Now().Sub(r.began).Seconds(), text)
}

// sumUp keeps what is known of the run as a whole.
func (r *rehearsal) sumUp(printed []byte) error {
	about := run{Scenario: r.scenario.Name, Description: r.scenario.Description, Began: r.began.UTC().Truncate(time.Millisecond), Speed: r.Speed}
	if err := json.Unmarshal(printed, &about.Summary); err != nil {
		return err
	}
	rings := r.sim.Rings()
	about.Phones, about.MostRings = len(rings), slices.Max(slices.Collect(maps.Values(rings)))
	about.Alerts = r.alerts()
	var data bytes.Buffer
	to := json.NewEncoder(&data)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	err := to.Encode(about)
	r.keep(runFile, data.Bytes())
	return err
}

// alerts lists what each channel received, in the order of arrival, and keeps
// it as it came.
func (r *rehearsal) alerts() []notice {
	report := r.sim.Report()
	var all []notice
	add := func(n notice, file, came string) {
		n.File = file
		r.keep(file, []byte(came))
		all = append(all, n)
	}
	for i, m := range report.Email {
		id := strings.Join(m.Header["Message-Id"], "")
		add(notice{At: m.At, Channel: "email", ID: id, Title: m.Subject, Text: m.Text}, fmt.Sprintf("alert-email-%d.eml", i+1), m.Source)
	}
	for i, m := range report.Telegram {
		title, _, _ := strings.Cut(m.Text, "\n")
		add(notice{At: m.At, Channel: "telegram", ID: title, Title: title, Text: m.Text}, fmt.Sprintf("alert-telegram-%d.http", i+1), m.Source)
	}
	for i, m := range report.Webhooks {
		add(notice{At: m.At, Channel: "webhook", ID: m.ID, Title: m.Type}, fmt.Sprintf("alert-webhook-%d.http", i+1), m.Source)
	}
	return all
}

// collect keeps what the run and the simulator wrote down.
func (r *rehearsal) collect() error {
	var err error
	for _, name := range []string{logFile, journalFile} {
		data, failed := os.ReadFile(filepath.Join(r.dir, name))
		r.keep(name, data)
		err = errors.Join(err, failed)
	}
	var requests []request
	for _, q := range r.sim.Requests() {
		requests = append(requests, request{At: q.At.UTC().Truncate(time.Millisecond), Service: q.Service, Route: q.Route, Status: q.Status, Fault: q.Fault})
	}
	data, failed := linewise(requests)
	r.keep(requestsFile, append(data, '\n'))
	return errors.Join(err, failed)
}
