package template

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParametersExplainThemselves(t *testing.T) {
	s := load(t)
	for name, p := range s.Parameters {
		if d, _ := p["Description"].(string); len(d) < 20 || !strings.HasSuffix(d, ".") {
			t.Errorf("%s is described by %q", name, d)
		}
		bounded := p["AllowedPattern"] != nil && p["ConstraintDescription"] != nil || p["AllowedValues"] != nil || p["MinValue"] != nil && p["MaxValue"] != nil
		if !bounded {
			t.Errorf("%s takes anything, or does not say what it takes", name)
		}
	}
}

func TestDefaultsAreAllowed(t *testing.T) {
	s := load(t)
	for name, p := range s.Parameters {
		value, hasDefault := p["Default"]
		if pattern, ok := p["AllowedPattern"].(string); ok && hasDefault && !regexp.MustCompile(pattern).MatchString(value.(string)) {
			t.Errorf("%s: the default %q is not allowed", name, value)
		}
		if values := each(p["AllowedValues"]); values != nil && !slices.Contains(values, value) {
			t.Errorf("%s: the default %v is not allowed", name, value)
		}
		if least, ok := p["MinValue"].(int); ok && (value.(int) < least || value.(int) > p["MaxValue"].(int)) {
			t.Errorf("%s: the default %v is not allowed", name, value)
		}
	}
}

func TestPatternsTakeWhatPeopleHave(t *testing.T) {
	s := load(t)
	for name, tries := range map[string]struct{ good, bad string }{
		"SecretsPath":       {"/callagent/prod", "/callagent/prod/"},
		"SettingsObject":    {"s3://my.settings/prod/callagent.toml", "my-settings/callagent.toml"},
		"TwilioAccountSid":  {"AC0123456789abcdef0123456789abcdef", "SK0123456789abcdef0123456789abcdef"},
		"TwilioFrom":        {"+15005550006", "15005550006"},
		"ElevenLabsVoiceId": {"JBFqnCBsd6RMkjVDRZzb", "George "},
		"ElevenLabsModelId": {"eleven_flash_v2_5", "eleven flash"},
		"OpenAIModel":       {"gpt-5-mini", "gpt 5"},
		"AlertEmailFrom":    {"callagent@example.com", "callagent"},
		"AlertEmailTo":      {"ann@example.com,bob@example.com", "ann@example.com, bob@example.com"},
		"TelegramChatId":    {"-1001234567890", "the ops chat"},
		"SpreadsheetId":     {"1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms", "https://docs.google.com/spreadsheets/d/1"},
		"AlarmEmail":        {"ops@example.com", "ops@example.com,dev@example.com"},
		"OpenAIBaseUrl":     {"https://api.openai.com/v1", "api.openai.com"},
		"ElevenLabsBaseUrl": {"https://api.eu.residency.elevenlabs.io", "elevenlabs"},
		"TwilioBaseUrl":     {"http://127.0.0.1:4580", "127.0.0.1:4580"},
		"HubSpotBaseUrl":    {"https://api.hubapi.com", "hubapi"},
		"TelegramBaseUrl":   {"https://api.telegram.org", "telegram"},
		"SheetsEndpoint":    {"https://sheets.googleapis.com", "sheets"},
	} {
		pattern := regexp.MustCompile(s.Parameters[name]["AllowedPattern"].(string))
		if !pattern.MatchString(tries.good) || pattern.MatchString(tries.bad) {
			t.Errorf("%s: %v takes %q: %v, and %q: %v", name, pattern, tries.good, pattern.MatchString(tries.good), tries.bad, pattern.MatchString(tries.bad))
		}
	}
}

// Parameters of a stack can be read by whoever may look at the stack.
func TestNoSecretIsAParameterOrInTheEnvironment(t *testing.T) {
	secret := regexp.MustCompile(`(?i)key$|token|password|smtp|webhook|credential`)
	s := load(t)
	for name := range s.Parameters {
		if secret.MatchString(name) {
			t.Errorf("%s is no place for a secret", name)
		}
	}
	s.each(func(path string, v any) {
		if o, ok := v.(object); ok && strings.HasSuffix(path, "Environment.Variables") {
			for name := range o {
				if notPassed[name] == "secret" {
					t.Errorf("%s has %s in clear", path, name)
				}
			}
		}
	})
}

// reference finds what a Sub speaks of.
var reference = regexp.MustCompile(`\$\{([A-Za-z:]+)[.}]`)

func TestDashboardShowsEveryAlarmAndQueue(t *testing.T) {
	s := load(t)
	body, _ := in(s.properties("Dashboard"), "DashboardBody", "Fn::Sub").(string)
	if !json.Valid([]byte(body)) {
		t.Fatal("the dashboard is no JSON")
	}
	shown := map[string]bool{}
	for _, match := range reference.FindAllStringSubmatch(body, -1) {
		shown[match[1]] = true
	}
	want := append(s.of(alarmType), s.of(functionType)...)
	want = append(want, "ContactsQueue", "CallsTable", "CircuitsTable")
	for _, dead := range s.deadLettersOf() {
		want = append(want, dead)
	}
	for _, name := range want {
		if !shown[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

func TestOutputsNameWhatPeopleNeed(t *testing.T) {
	s := load(t)
	for _, name := range []string{
		"ContactsQueueUrl", "ContactsDeadLettersUrl", "TicksQueueUrl", "AlertsQueueUrl", "JournalQueueUrl",
		"CallsTableName", "CircuitsTableName", "AudioBucketName", "CallbackUrl", "Secret", "Enqueue", "OperatorEnvironment",
	} {
		if s.Outputs[name] == nil {
			t.Errorf("there is no output %s", name)
		}
	}
	for name, o := range s.Outputs {
		if o["Description"] == nil {
			t.Errorf("%s does not say what it is", name)
		}
	}
}

// What an operator pastes into a shell is what the functions have, whatever
// the parameters are.
func TestOperatorsSeeWhatTheFunctionsSee(t *testing.T) {
	s := load(t)
	sub := each(in(s.Outputs["OperatorEnvironment"], "Value", "Fn::Sub"))
	if len(sub) != 2 {
		t.Fatalf("OperatorEnvironment is %v", sub)
	}
	text, found := strings.CutPrefix(sub[0].(string), "export AWS_REGION='${AWS::Region}' ")
	if !found {
		t.Fatalf("OperatorEnvironment begins with %.40q", text)
	}
	pasted := object{"METRICS_NAMESPACE": object{"Ref": "MetricsNamespace"}} // for functions alone
	for _, assignment := range strings.Fields(text) {
		parts := regexp.MustCompile(`^([A-Z_]+)='\$\{([A-Za-z]+)\}'$`).FindStringSubmatch(assignment)
		if parts == nil {
			t.Fatalf("%s is no quoted parameter or resource", assignment)
		}
		if pasted[parts[1]] = in(sub[1], parts[2]); pasted[parts[1]] == nil {
			pasted[parts[1]] = object{"Ref": parts[2]}
		}
	}
	if d := cmp.Diff(in(s.Globals, "Function", "Environment", "Variables"), any(pasted)); d != "" {
		t.Errorf("the functions have, and operators do not (-), or the other way round (+):\n%s", d)
	}
}

// A quote would end a value in OperatorEnvironment.
func TestNoParameterHasAQuote(t *testing.T) {
	s := load(t)
	for name, p := range s.Parameters {
		pattern, ok := p["AllowedPattern"].(string)
		if !ok || name == "AlarmEmail" { // which nobody pastes
			continue
		}
		for _, bad := range []string{"o'brien@example.com", "https://example.com/'", "a'", "/a'", "+1500555000'", "s3://bucket/a'"} {
			if regexp.MustCompile(pattern).MatchString(bad) {
				t.Errorf("%s may be %s", name, bad)
			}
		}
	}
}
