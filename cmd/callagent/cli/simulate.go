package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"

	"callagent/examples"
	"callagent/infra/clock"
	"callagent/infra/settings"
	"callagent/infra/wiring/machine"
	"callagent/localstack/simulator"
)

// simulateCommand rehearses a scenario.
type simulateCommand struct {
	Scenario string  `help:"Name of a built-in scenario, or a file." required:"" placeholder:"NAME|FILE"`
	Speed    float64 `help:"How many times faster than real time." default:"1"`
	Check    bool    `help:"Exit with 0 if it ended as the scenario expects, even where that leaves work, and say so in one line."`
	JSON     bool    `help:"Print the summary as one JSON document." name:"json"`
	Report   string  `help:"Write what the simulator saw (requests, rings, messages) to this file." placeholder:"FILE"`
}

// Run is the command.
func (c *simulateCommand) Run(g *grammar, w World) error {
	if !(c.Speed >= 1 && c.Speed <= 1000) {
		return usageError{fmt.Errorf("--speed %g makes no sense: use 1 to 1000", c.Speed)}
	}
	scenario, contacts, err := findScenario(c.Scenario)
	if err != nil {
		return usageError{err}
	}
	dir, err := os.MkdirTemp("", "callagent-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	list := filepath.Join(dir, "contacts.csv")
	if err := os.WriteFile(list, contacts, 0o600); err != nil {
		return err
	}
	ticking := clock.New(scenario.Start, c.Speed)
	sim, err := simulator.Start(simulator.Config{
		Clock: ticking, Faults: faultsOf(scenario), Numbers: scenario.Numbers, NoCallbacks: !scenario.Callbacks, Seed: 1,
	})
	if err != nil {
		return usageError{fmt.Errorf("scenario %s: %w", scenario.Name, err)}
	}
	defer sim.Close()
	if g.Store == "" {
		g.Store = "sqlite:" + filepath.Join(dir, "callagent.db")
	}
	w.Env = environment(sim.Env())
	s, err := g.load(w, scenario.Settings)
	if err != nil {
		return err
	}
	sum, err := perform(w, job{
		settings: s, clock: ticking, json: c.JSON || c.Check,
		list: enqueueOptions{
			File: list, Name: "the contacts of scenario " + scenario.Name, Campaign: settings.DefaultCampaign,
			Settings: s, Quiet: true, Now: ticking.Now(),
		},
		patience: machine.Patience{Parked: scenario.Wait},
	})
	if err != nil {
		return err
	}
	sum.count(sim.Rings())
	if err := c.report(sim); err != nil {
		return err
	}
	return c.judge(w, scenario, sum)
}

// judge prints the summary and compares it with what the scenario expects.
func (c *simulateCommand) judge(w World, scenario settings.Scenario, sum summary) error {
	wrong := sum.differs(scenario.Expect)
	if c.JSON || !c.Check {
		if err := sum.print(w, c.JSON); err != nil {
			return err
		}
	}
	if sum.interrupted {
		return fmt.Errorf("scenario %s was interrupted", scenario.Name)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("scenario %s did not end as expected: %s", scenario.Name, strings.Join(wrong, ", "))
	}
	if !c.Check {
		return sum.status()
	}
	if c.JSON {
		return nil
	}
	_, err := fmt.Fprintf(w.Out, "ok  %-20s %5.1f s  %s\n", scenario.Name, sum.Duration, sum.counts())
	return err
}

// report writes what the simulator saw: the providers' side of the rehearsal.
func (c *simulateCommand) report(sim *simulator.Simulator) error {
	if c.Report == "" {
		return nil
	}
	data, err := json.MarshalIndent(sim.Report(), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.Report, data, 0o600)
}

// findScenario reads a built-in scenario by name, or a file, and its contacts.
func findScenario(name string) (settings.Scenario, []byte, error) {
	data, err := fs.ReadFile(examples.Files, path.Join("scenarios", name+".toml"))
	own := err != nil
	if own {
		data, err = os.ReadFile(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return settings.Scenario{}, nil, fmt.Errorf("there is no scenario and no file %q: the scenarios are %s", name, strings.Join(scenarioNames(), ", "))
	}
	if err != nil {
		return settings.Scenario{}, nil, fmt.Errorf("the scenario cannot be read: %w", err)
	}
	s, err := settings.ParseScenario(name, data)
	switch {
	case err != nil:
		return s, nil, err
	case s.Contacts != "":
		return s, []byte(s.Contacts), nil
	case own:
		data, err = listBeside(name, s.ContactsFile)
	default:
		data, err = fs.ReadFile(examples.Files, s.ContactsFile)
	}
	if err != nil {
		return s, nil, fmt.Errorf("scenario %s: its contacts_file cannot be read (%w): write a path relative to the scenario, or contacts.csv or forty.csv", name, err)
	}
	return s, data, nil
}

// listBeside reads a list that a scenario file names; a copy of a built-in
// scenario finds the built-in lists.
func listBeside(scenario, file string) ([]byte, error) {
	beside := file
	if !filepath.IsAbs(file) {
		beside = filepath.Join(filepath.Dir(scenario), file)
	}
	data, err := os.ReadFile(beside)
	if errors.Is(err, fs.ErrNotExist) {
		if builtIn, builtInErr := fs.ReadFile(examples.Files, file); builtInErr == nil {
			return builtIn, nil
		}
	}
	return data, err
}

// scenarioNames lists the built-in scenarios.
func scenarioNames() []string {
	found, err := fs.Glob(examples.Files, "scenarios/*.toml")
	if err != nil {
		return nil
	}
	for i, f := range found {
		found[i] = strings.TrimSuffix(path.Base(f), ".toml")
	}
	return found
}

// faultsOf translates a scenario's faults for the simulator.
func faultsOf(s settings.Scenario) []simulator.Fault {
	faults := make([]simulator.Fault, len(s.Faults))
	for i, f := range s.Faults {
		faults[i] = simulator.Fault(f)
	}
	return faults
}

// environment is what the simulator hands out and nothing else, so that a
// rehearsal can never use a real key.
func environment(pairs []string) func(string) (string, bool) {
	values := map[string]string{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		values[name] = value
	}
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// count takes the simulator's own count of rings.
func (s *summary) count(rings map[string]int) {
	s.Rings, s.MaxRings = 0, 0
	for n := range maps.Values(rings) {
		s.Rings += n
		s.MaxRings = max(s.MaxRings, n)
	}
}
