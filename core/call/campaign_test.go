package call_test

import (
	"reflect"
	"testing"

	"callagent/core/call"
)

var ada = call.Contact{
	Campaign: "spring", ID: "c-001", Phone: "+15005550006", Name: "Ada",
	Variables: map[string]string{"plan": "gold", "city": "Köln"},
}

func TestRequest(t *testing.T) {
	for _, c := range []struct {
		prompt  string
		contact call.Contact
		want    call.ScriptRequest
	}{
		{
			"Greet {{.name}} of {{.city}} about {{.plan}}. [{{.campaign}}, {{.contact_id}}]", ada,
			call.ScriptRequest{
				System:    "Greet Ada of Köln about gold. [spring, c-001]",
				User:      "Write the script for this contact.\nname: Ada\ncity: Köln\nplan: gold",
				MaxTokens: 400,
			},
		},
		{
			"Say hello.", call.Contact{Campaign: "spring", ID: "c-002", Phone: "+15005550007"},
			call.ScriptRequest{System: "Say hello.", User: "Write the script for this contact.\n", MaxTokens: 400},
		},
		{
			"{{if .name}}Dear {{.name}}{{else}}Hello{{end}}", call.Contact{Campaign: "spring", ID: "c-002"},
			call.ScriptRequest{System: "Hello", User: "Write the script for this contact.\n", MaxTokens: 400},
		},
		{
			`{{.name}} {{.first visit}}`, call.Contact{Name: "<Ada & Bob>", Variables: map[string]string{"first visit": "2024"}},
			call.ScriptRequest{System: "<Ada & Bob> 2024", User: "Write the script for this contact.\nname: <Ada & Bob>\nfirst visit: 2024", MaxTokens: 400},
		},
	} {
		got, err := call.Campaign{Name: "spring", Prompt: c.prompt}.Request(c.contact)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", c.prompt, got, err, c.want)
		}
	}
}

func TestRequestRefuses(t *testing.T) {
	for prompt, want := range map[string]string{
		"Dear {{.surname}}": `the prompt of campaign spring asks for something that contact c-001 does not have: {{.surname}}`,
		"{{.phone}}":        `the prompt of campaign spring asks for something that contact c-001 does not have: {{.phone}}`,
		"{{.name":           `the prompt cannot be read, in its line 1: a placeholder has no }} at its end`,
		"{{shout .name}}":   `the prompt cannot be read, in its line 1: {{shout .name}} is not known: write {{.name}}, or {{if .name}} with {{else}} and {{end}}`,
	} {
		_, err := call.Campaign{Name: "spring", Prompt: prompt}.Request(ada)
		if err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", prompt, err, want)
		}
		assertNoPhone(t, err)
	}
}

// The facts stand in the same order every time, so that equal contacts make
// equal requests.
func TestRequestIsTheSameEveryTime(t *testing.T) {
	p := call.Campaign{Name: "spring", Prompt: "Hello"}
	first, err := p.Request(ada)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if again, _ := p.Request(ada); again != first {
			t.Fatalf("%+v, then %+v", first, again)
		}
	}
}

func TestStepNames(t *testing.T) {
	for step, want := range map[call.Step]string{
		call.NoStep: "", call.ScriptStep: "script", call.SpeechStep: "speech", call.DialStep: "dial",
		call.OutcomeStep: "outcome", call.RecordStep: "record", call.Step(99): "record",
	} {
		if step.String() != want {
			t.Errorf("step %d is called %q", step, step)
		}
	}
}
