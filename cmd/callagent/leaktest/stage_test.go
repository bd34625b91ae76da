package leaktest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callagent/infra/clock"
	"callagent/localstack/simulator"
)

// faster is the pace of the campaigns.
const faster = 40

// stage is a folder in which the command works, and what it printed and left
// there by name.
type stage struct {
	t       *testing.T
	name    string
	binary  string
	dir     string
	clock   string
	sim     *simulator.Simulator
	parrots map[string]*parrot // by service
	env     []string
	google  map[string]string // the service account's key file
	outputs map[string]string
	stores  map[string]string // the files of the store, which may have numbers
}

// newStage has a parrot before each provider.
func newStage(t *testing.T, name, binary string, outputs, numbers map[string]string, faults ...simulator.Fault) *stage {
	t.Helper()
	s := &stage{t: t, name: name, binary: binary, dir: t.TempDir(), outputs: outputs, stores: map[string]string{}, parrots: map[string]*parrot{}}
	s.clock = fmt.Sprintf("%s,%d", time.Now().UTC().Format(time.RFC3339), faster)
	ticking, err := clock.Parse(s.clock)
	s.must(err)
	s.sim, err = simulator.Start(simulator.Config{Clock: ticking, Seed: 1, Keys: keys, Numbers: numbers, Faults: faults})
	s.must(err)
	t.Cleanup(s.sim.Close)
	for service, at := range s.sim.URLs() {
		if service != "email" && service != "control" {
			s.parrots[service] = newParrot(t, at)
		}
	}
	s.environment()
	s.file("callagent.toml", "[retry]\ninitial_delay = \"1s\"\nmax_retries = 1\n[campaign.default]\ncall_window = \"00:00-24:00\"\n")
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) file(name, text string) {
	s.t.Helper()
	s.must(os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// environment has all secrets there are, and the parrots for the providers.
func (s *stage) environment() {
	behind := map[string]string{
		"OPENAI_BASE_URL": "llm", "ELEVENLABS_BASE_URL": "elevenlabs", "TWILIO_BASE_URL": "twilio", "HUBSPOT_BASE_URL": "crm",
		"TELEGRAM_BASE_URL": "telegram", "SHEETS_ENDPOINT": "sheets",
	}
	for _, pair := range s.sim.Env() {
		name, value, _ := strings.Cut(pair, "=")
		switch service := behind[name]; {
		case service != "":
			value = s.parrots[service].at(value)
		case name == "ALERT_WEBHOOK_URL":
			value = s.parrots["webhook"].URL + hookPath
		case name == "GOOGLE_APPLICATION_CREDENTIALS":
			key, err := os.ReadFile(value)
			s.must(err)
			s.must(json.Unmarshal(key, &s.google))
			value = string(key)
		}
		s.env = append(s.env, name+"="+value)
	}
	s.env = append(s.env, "OPERATOR_TOKEN="+operatorToken, "TZ=UTC")
}

// command is callagent with this environment.
func (s *stage) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, s.binary, args...)
	c.Dir, c.Env = s.dir, s.env
	return c
}

// does runs a command that is well written.
func (s *stage) does(args ...string) string {
	s.t.Helper()
	out := s.tries(args...)
	if strings.Contains(out, "unexpected argument") || strings.Contains(out, "unknown flag") {
		s.t.Fatalf("%v: %s", args, out)
	}
	return out
}

// tries runs a command and keeps what it prints, however it ends.
func (s *stage) tries(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	c := s.command(ctx, args...)
	out, err := c.CombinedOutput()
	if c.ProcessState == nil || ctx.Err() != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	s.keep("callagent "+strings.Join(args, " "), string(out))
	return string(out)
}

// keep adds a text to an output.
func (s *stage) keep(name, text string) { s.outputs[s.name+": "+name] += text }

// run works a list, or goes on without one.
func (s *stage) run(args ...string) string {
	s.t.Helper()
	return s.does(append([]string{"run", "--clock", s.clock, "--listen", "127.0.0.1:0"}, args...)...)
}

// collect keeps what was written and sent meanwhile.
func (s *stage) collect() {
	s.t.Helper()
	for _, name := range []string{"app.log", "app_logs.json"} {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		s.must(err)
		s.keep(name, string(data))
	}
	r := s.sim.Report()
	for i, m := range r.Email {
		s.keep(fmt.Sprint("email ", i+1), strings.ReplaceAll(m.Source, "=\n", "")) // a line may end within a word
	}
	for i, m := range r.Telegram {
		s.keep(fmt.Sprint("Telegram message ", i+1), m.Text)
	}
	for i, h := range r.Webhooks {
		s.keep(fmt.Sprint("webhook ", i+1), string(h.Body))
	}
	for _, tab := range r.Sheet {
		if len(tab.Rows) > 0 {
			s.keep("sheet "+tab.Title, fmt.Sprint(tab.Rows))
		}
	}
}
