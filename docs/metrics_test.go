package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"callagent/core/journal"
	"callagent/docs/docstest"
	"callagent/infra/cloudlog"
)

// metric is what CloudWatch makes of events.
type metric struct {
	name, dimension, unit string
	events                map[string]bool
}

// TestThePageHasTheMetrics lets the journal of the functions write every event
// once and reads the metrics out of the lines that it prints.
func TestThePageHasTheMetrics(t *testing.T) {
	found := map[string]*metric{}
	events := slices.Sorted(maps.Keys(eventsOfTheCode(t)))
	for _, event := range events {
		var out bytes.Buffer
		j := cloudlog.New(cloudlog.Options{Out: &out, Function: "call"})
		j.Write(journal.Entry{Event: event, Service: "twilio"})
		j.Flush()
		readMetrics(t, out.Bytes(), event, found)
	}
	var b strings.Builder
	b.WriteString("| metric | dimension | unit | made of |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(found)) {
		m, of := found[name], "`"+strings.Join(slices.Sorted(maps.Keys(found[name].events)), "`, `")+"`"
		if len(m.events) == len(events) {
			of = "the first event of a process"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.dimension, m.unit, of)
	}
	docstest.Part(t, "metrics.md", "metrics", b.String())
}

// readMetrics reads lines of the embedded metric format.
func readMetrics(t *testing.T, log []byte, event string, found map[string]*metric) {
	t.Helper()
	for line := range bytes.Lines(log) {
		var entry struct {
			Metadata struct {
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		for _, set := range entry.Metadata.CloudWatchMetrics {
			for _, m := range set.Metrics {
				if found[m.Name] == nil {
					found[m.Name] = &metric{m.Name, strings.Join(set.Dimensions[0], ", "), m.Unit, map[string]bool{}}
				}
				found[m.Name].events[event] = true
			}
		}
	}
}

// stack is what template.yaml says of parameters and alarms.
type stack struct {
	Parameters map[string]any `yaml:"Parameters"`
	Resources  map[string]struct {
		Type       string `yaml:"Type"`
		Properties struct {
			Description string `yaml:"AlarmDescription"`
			Metric      string `yaml:"MetricName"`
			Statistic   string `yaml:"Statistic"`
			Operator    string `yaml:"ComparisonOperator"`
			Period      any    `yaml:"Period"`
			Periods     any    `yaml:"EvaluationPeriods"`
			Threshold   any    `yaml:"Threshold"`
		} `yaml:"Properties"`
	} `yaml:"Resources"`
}

func template(t *testing.T) (s stack) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(docstest.Root(t), "template.yaml"))
	if err == nil {
		err = yaml.Unmarshal(data, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestThePageHasTheParametersOfTheStack(t *testing.T) {
	page := pages(t)["docs/deploy.md"]
	for name := range template(t).Parameters {
		if !explains(page, name) {
			t.Errorf("docs/deploy.md does not explain the parameter %s", name)
		}
	}
}

// TestThePageHasTheAlarms lists the alarms of template.yaml. What to do about
// each stands in docs/operate.md.
func TestThePageHasTheAlarms(t *testing.T) {
	operate := pages(t)["docs/operate.md"]
	signs := map[string]string{
		"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<",
	}
	var b strings.Builder
	b.WriteString("| alarm | when | for | it means |\n|---|---|---|---|\n")
	resources := template(t).Resources
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		p := resources[name].Properties
		if resources[name].Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		if !explains(operate, name) {
			t.Errorf("docs/operate.md does not say what to do about %s", name)
		}
		if signs[p.Operator] == "" {
			t.Errorf("%s compares with %q, which this page has no sign for", name, p.Operator)
		}
		fmt.Fprintf(&b, "| `%s` | %s of `%s` %s %v | %v × %v s | %s |\n",
			name, strings.ToLower(p.Statistic), p.Metric, signs[p.Operator], p.Threshold, p.Periods, p.Period, p.Description)
	}
	docstest.Part(t, "metrics.md", "alarms", b.String())
}
