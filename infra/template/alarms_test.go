package template

import (
	"bufio"
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"callagent/core/agent"
	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/cost"
)

const alarmType = "AWS::CloudWatch::Alarm"

// watched lists what alarms watch of a metric: the targets or values of its
// only dimension.
func (s stack) watched(metric string) []string {
	var all []string
	for _, a := range s.of(alarmType) {
		p := s.properties(a)
		if p["MetricName"] != metric {
			continue
		}
		for _, d := range each(p["Dimensions"]) {
			of := target(in(d, "Value"))
			if value, ok := in(d, "Value").(string); ok {
				of = value
			}
			all = append(all, of)
		}
	}
	slices.Sort(all)
	return all
}

// What callagent cost says of a stack that does nothing.
func TestAsManyAlarmsAsArePaidFor(t *testing.T) {
	if n := len(load(t).of(alarmType)); n != cost.AlarmCount {
		t.Errorf("there are %d alarms, infra/cost knows %d", n, cost.AlarmCount)
	}
}

func TestAlarmsWatchEverything(t *testing.T) {
	s := load(t)
	var dead []string
	for _, d := range s.deadLettersOf() {
		dead = append(dead, d)
	}
	for metric, want := range map[string][]string{
		"ApproximateAgeOfOldestMessage":      {"ContactsQueue"},
		"ApproximateNumberOfMessagesVisible": dead,
		"Errors":                             s.of(functionType),
		"Invocations":                        {"HealthcheckFunction"},
		"CircuitOpen":                        agent.Services(),
		"AlertsFailed":                       {"email", "telegram", "webhook"},
	} {
		slices.Sort(want)
		if got := s.watched(metric); !slices.Equal(got, want) {
			t.Errorf("alarms on %s watch %v, want %v", metric, got, want)
		}
	}
}

func TestAlarmsReachPeople(t *testing.T) {
	s := load(t)
	tell := object{"Fn::If": []any{"HasAlarmEmail", []any{object{"Ref": "AlarmTopic"}}, object{"Ref": "AWS::NoValue"}}}
	for _, a := range s.of(alarmType) {
		p := s.properties(a)
		if !reflect.DeepEqual(p["AlarmActions"], tell) || !reflect.DeepEqual(p["OKActions"], tell) {
			t.Errorf("%s tells nobody", a)
		}
		if d, _ := p["AlarmDescription"].(string); !strings.HasSuffix(d, ".") {
			t.Errorf("%s is described by %q", a, d)
		}
		silence := map[bool]string{true: "breaching", false: "notBreaching"}[a == "NoTicksAlarm"]
		if p["TreatMissingData"] != silence {
			t.Errorf("%s takes silence as %v, want %s", a, p["TreatMissingData"], silence)
		}
	}
}

// measure is a metric of ours with the dimension that tells it apart, "" for
// none.
type measure struct{ name, dimension string }

// measured has the journal measure every event that alarms and dashboard show.
func measured(t *testing.T) map[measure]bool {
	t.Helper()
	var out bytes.Buffer
	j := cloudlog.New(cloudlog.Options{Out: &out})
	for _, event := range []string{
		"request_failed", "call_completed", "call_failed", "call_unknown", "call_expired", "call_parked", "calls_released",
		"alert_failed", "circuit_opened", "setup_wrong", "ledger_silent",
	} {
		j.Write(journal.Entry{Event: event, Service: "email"})
	}
	j.Flush()
	found := map[measure]bool{}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var line struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for _, d := range line.AWS.CloudWatchMetrics {
			for _, m := range d.Metrics {
				found[measure{m.Name, strings.Join(d.Dimensions[0], ",")}] = true
			}
		}
	}
	return found
}

// ours finds the metrics of callagent on the dashboard.
var ours = regexp.MustCompile(`\["\$\{MetricsNamespace\}", "(\w+)"(?:, "(\w+)", "\w+")?`)

func TestAlarmsAndDashboardShowWhatIsMeasured(t *testing.T) {
	s, found := load(t), measured(t)
	used := map[measure]string{}
	for _, a := range s.of(alarmType) {
		if p := s.properties(a); target(p["Namespace"]) == "MetricsNamespace" {
			dimension := ""
			if of := each(p["Dimensions"]); len(of) > 0 {
				dimension, _ = in(of[0], "Name").(string)
			}
			used[measure{p["MetricName"].(string), dimension}] = a
		}
	}
	body, _ := in(s.properties("Dashboard"), "DashboardBody", "Fn::Sub").(string)
	for _, match := range ours.FindAllStringSubmatch(body, -1) {
		used[measure{match[1], match[2]}] = "Dashboard"
	}
	for _, name := range []string{"Broken", "StoresSilent"} {
		if used[measure{name, ""}] == "" {
			t.Errorf("no alarm watches %s", name)
		}
	}
	for m, by := range used {
		if !found[m] {
			t.Errorf("%s shows %s by %q, which nobody measures", by, m.name, m.dimension)
		}
	}
	if len(used) != 11 {
		t.Errorf("alarms and dashboard show %d metrics of ours, want 11", len(used))
	}
}
