package template

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"callagent/core/agent"
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
