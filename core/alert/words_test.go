package alert_test

import (
	"reflect"
	"testing"
	"time"

	"callagent/core/alert"
	"callagent/core/fault"
)

func TestWords(t *testing.T) {
	for want, f := range map[string]*fault.Fault{
		"the request failed": nil,
		"ElevenLabs is not available (503): The service is temporarily unavailable":         down,
		"ElevenLabs refuses our key (401, invalid_api_key)":                                 key,
		"the script service (LLM) says that our quota is used up (429, insufficient_quota)": quota,
		"the CRM does not answer in time":                                                   {Service: "crm", Kind: fault.Timeout},
		"Twilio cannot be reached: its host name does not resolve":                          {Service: "twilio", Kind: fault.Network, Message: "its host name does not resolve"},
		"ElevenLabs is not available":                                                       {Service: "elevenlabs", Kind: fault.ServiceUnavailable, Code: "service_unavailable"},
		"the service fails":                                                                 {},
	} {
		if got := alert.Words(f); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Whatever a fault is, people read a clause about it.
func TestEveryKindOfFaultHasWords(t *testing.T) {
	bare := alert.Words(&fault.Fault{Service: "twilio", Kind: 200})
	for k := fault.Unknown; k <= fault.Conflict; k++ {
		if got := alert.Words(&fault.Fault{Service: "twilio", Kind: k}); got == bare {
			t.Errorf("%s has no words: %q", k, got)
		}
	}
}

func TestParagraphs(t *testing.T) {
	m := alert.Message{Text: "First.\r\nStill first.\n\n\n\nWho is affected: nobody.\n\nYou: Nothing to do.\n\nYou: Ring Ada.\n\nYou may: rest."}
	want := []alert.Paragraph{
		{Lines: []string{"First.", "Still first."}},
		{Label: "Who is affected:", Lines: []string{"nobody."}},
		{Label: "You:", Lines: []string{"Nothing to do."}},
		{Label: "You:", Lines: []string{"Ring Ada."}, You: true},
		{Lines: []string{"You may: rest."}},
	}
	if got := m.Paragraphs(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// Every message says all four things, and when it was.
func TestEveryMessageSaysWhatWhomTheAgentAndYou(t *testing.T) {
	for kind, ss := range samples() {
		for _, s := range ss {
			checkParts(t, s.when, alert.Single(s.alert))
			if s.alert.CallID != "" {
				other := s.alert
				other.At = other.At.Add(time.Minute)
				checkParts(t, string(kind)+" digest", alert.Digest(s.alert.Key(), []alert.Alert{s.alert, other}))
			}
		}
	}
}

func checkParts(t *testing.T, name string, m alert.Message) {
	t.Helper()
	var labels []string
	for _, p := range m.Paragraphs() {
		labels = append(labels, p.Label)
	}
	if want := []string{"", "Who is affected:", "The agent:", "You:", ""}; !reflect.DeepEqual(labels, want) || m.Title == "" {
		t.Errorf("%s: %q has the parts %q, want %q", name, m.Title, labels, want)
	}
}
