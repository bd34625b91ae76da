package template

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"callagent/infra/cost"
	"callagent/infra/settings"
)

// folderOf is the folder below functions/ that a function is built from.
func folderOf(function string) string {
	return strings.ToLower(strings.TrimSuffix(function, "Function"))
}

func TestEveryFolderIsAFunction(t *testing.T) {
	s := load(t)
	mains, err := filepath.Glob(filepath.Join("..", "..", "functions", "*", "main.go"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	var folders, functions []string
	for _, m := range mains {
		folders = append(folders, filepath.Base(filepath.Dir(m)))
	}
	for _, f := range s.of(functionType) {
		functions = append(functions, folderOf(f))
		if s.Resources[f]["Metadata"].(object)["BuildMethod"] != "makefile" {
			t.Errorf("%s is not built by the makefile", f)
		}
	}
	if !slices.Equal(folders, functions) {
		t.Errorf("the folders are %v, the functions %v", folders, functions)
	}
}

func TestFunctionsAreBuiltAsDocumented(t *testing.T) {
	s := load(t)
	makefile, err := os.ReadFile(filepath.Join("..", "..", "functions", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"CGO_ENABLED=0", "-tags lambda.norpc", "-trimpath", `-ldflags "-s -w"`, "GOARCH ?= arm64"} {
		if !strings.Contains(string(makefile), flag) {
			t.Errorf("functions/Makefile builds without %s", flag)
		}
	}
	want := object{"Runtime": "provided.al2023", "Handler": "bootstrap", "CodeUri": "functions/", "Architectures": []any{object{"Ref": "Architecture"}}}
	for key, value := range want {
		if got := in(s.Globals, "Function", key); !reflect.DeepEqual(got, value) {
			t.Errorf("%s is %v, want %v", key, got, value)
		}
	}
	if s.Parameters["Architecture"]["Default"] != "arm64" {
		t.Error("the makefile builds for arm64 when nobody says otherwise, the template does not")
	}
}

func TestTimeLimitsAreThoseOfLambda(t *testing.T) {
	s := load(t)
	for _, f := range s.of(functionType) {
		if n := s.number(t, s.properties(f), "Timeout"); n < 1 || n > 900 {
			t.Errorf("%s runs for up to %d s; Lambda takes 1 to 900", f, n)
		}
		if n := s.number(t, s.properties(f), "MemorySize"); n < 128 || n > 10240 {
			t.Errorf("%s has %d MB; Lambda takes 128 to 10240", f, n)
		}
	}
}

// A call's three paid steps fit one behind the other, each with the margin that
// the agent wants before the end.
func TestACallFitsIntoItsTimeLimit(t *testing.T) {
	s := load(t)
	settled, err := settings.Load(settings.Source{})
	if err != nil {
		t.Fatal(err)
	}
	need := 0
	for _, service := range []string{"llm", "elevenlabs", "twilio"} {
		need += int(settled.Services[service].Timeout.Seconds()) + 2
	}
	if n := s.number(t, s.properties("CallFunction"), "Timeout"); n < need {
		t.Errorf("CallFunction runs for up to %d s, a call may need %d", n, need)
	}
}

// callagent cost counts with the memory of the functions.
func TestMemoryIsWhatIsPaidFor(t *testing.T) {
	s := load(t)
	for name, memory := range cost.Memory {
		function := strings.ToUpper(name[:1]) + name[1:] + "Function"
		if n := s.number(t, s.properties(function), "MemorySize"); float64(n) != memory {
			t.Errorf("%s has %d MB, infra/cost knows %g", function, n, memory)
		}
	}
	visibility := time.Duration(s.number(t, s.properties("ContactsQueue"), "VisibilityTimeout")) * time.Second
	if visibility != cost.SleepReturn {
		t.Errorf("a contact comes back after %s, infra/cost knows %s", visibility, cost.SleepReturn)
	}
}

func TestEachFunctionHasALogThatEnds(t *testing.T) {
	s := load(t)
	for _, f := range s.of(functionType) {
		group := target(in(s.properties(f), "LoggingConfig", "LogGroup"))
		name := "${AWS::StackName}-" + folderOf(f)
		if group != strings.TrimSuffix(f, "Function")+"Logs" || in(s.properties(f), "FunctionName", "Fn::Sub") != name {
			t.Errorf("%s writes into %q", f, group)
		}
		if got := in(s.properties(group), "LogGroupName", "Fn::Sub"); got != "/aws/lambda/"+name {
			t.Errorf("%s is the log group %v", group, got)
		}
		if target(s.properties(group)["RetentionInDays"]) != "LogRetentionDays" {
			t.Errorf("%s keeps its lines for ever", group)
		}
		if in(s.properties(f), "LoggingConfig", "LogFormat") != "Text" {
			t.Errorf("%s: Lambda would wrap the lines that are JSON by themselves", f)
		}
	}
}

// notPassed are the variables that settings knows and the template does not
// set for all functions, each with why.
var notPassed = map[string]string{
	"OPENAI_API_KEY":                 "secret",
	"ELEVENLABS_API_KEY":             "secret",
	"TWILIO_AUTH_TOKEN":              "secret",
	"HUBSPOT_TOKEN":                  "secret",
	"TELEGRAM_BOT_TOKEN":             "secret",
	"SMTP_URL":                       "secret",
	"ALERT_WEBHOOK_URL":              "secret",
	"ALERT_WEBHOOK_SECRET":           "secret",
	"GOOGLE_APPLICATION_CREDENTIALS": "secret",
	"OPERATOR_TOKEN":                 "there is no dashboard of ours in the cloud",
	"AWS_ENDPOINT_URL":               "AWS itself; emulators set it",
	"PUBLIC_URL":                     "not for all: CallbackFunction's address cannot be in its own environment",
}

func TestFunctionsAreToldWhatSettingsAskFor(t *testing.T) {
	s := load(t)
	passed, _ := in(s.Globals, "Function", "Environment", "Variables").(object)
	asked := wired(t)
	_, err := settings.Load(settings.Source{Env: func(name string) (string, bool) {
		asked[name] = true
		return "", false
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if _, ok := passed[name]; ok == (notPassed[name] != "") {
			t.Errorf("%s: passed is %v, and the reason not to is %q", name, ok, notPassed[name])
		}
	}
	for name := range passed {
		if !asked[name] {
			t.Errorf("%s is passed and nobody reads it", name)
		}
	}
}

// wired are the variables that the wiring itself reads.
func wired(t *testing.T) map[string]bool {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "wiring", "cloud", "process.go"))
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?:env|Getenv)\("([A-Z_]+)"\)`).FindAllSubmatch(source, -1) {
		asked[string(match[1])] = true
	}
	return asked
}

// Who dials, or wires what dials, has to know where Twilio reports.
func TestDiallersKnowTheCallbackURL(t *testing.T) {
	s := load(t)
	url := object{"Fn::GetAtt": []any{"CallbackFunctionUrl", "FunctionUrl"}}
	for _, f := range []string{"CallFunction", "HealthcheckFunction"} {
		if got := in(s.properties(f), "Environment", "Variables", "PUBLIC_URL"); !reflect.DeepEqual(got, url) {
			t.Errorf("%s believes that it is reached at %v", f, got)
		}
	}
}

// With this property SAM makes the URL and both permissions that a public one
// needs, lambda:InvokeFunctionUrl and lambda:InvokeFunction.
func TestOnlyTheCallbackIsPublic(t *testing.T) {
	s := load(t)
	for _, f := range s.of(functionType) {
		public := s.properties(f)["FunctionUrlConfig"]
		if f == "CallbackFunction" && !reflect.DeepEqual(public, object{"AuthType": "NONE"}) || f != "CallbackFunction" && public != nil {
			t.Errorf("%s has the URL %v", f, public)
		}
	}
}

func TestATickIsNeverRetried(t *testing.T) {
	p := load(t).properties("HealthcheckFunction")
	tick, _ := in(p, "Events", "Minute", "Properties").(object)
	once := object{"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
	if !reflect.DeepEqual(tick["RetryPolicy"], once) || !reflect.DeepEqual(p["EventInvokeConfig"], once) {
		t.Errorf("ticks are retried: %v by the schedule, %v by Lambda", tick["RetryPolicy"], p["EventInvokeConfig"])
	}
	if tick["ScheduleExpression"] != "rate(1 minute)" || target(tick["RoleArn"]) != "SchedulerRole" {
		t.Errorf("the schedule is %v", tick)
	}
	// Without a name SAM gives every stack's schedule the same.
	if name, _ := in(tick, "Name", "Fn::Sub").(string); !strings.Contains(name, "${AWS::StackName}") {
		t.Errorf("the schedule's name is %v", tick["Name"])
	}
}

// cfn-lint does not know the properties of SAM's events.
func TestEventsHaveOnlyKnownProperties(t *testing.T) {
	known := map[string][]string{
		"SQS": {"Queue", "BatchSize", "FunctionResponseTypes", "ScalingConfig", "Enabled"},
		"ScheduleV2": {
			"Name", "Description", "ScheduleExpression", "FlexibleTimeWindow", "Input", "RoleArn", "RetryPolicy",
		},
	}
	s := load(t)
	for _, f := range s.of(functionType) {
		events, _ := s.properties(f)["Events"].(object)
		for name, e := range events {
			kind, _ := in(e, "Type").(string)
			properties, _ := in(e, "Properties").(object)
			for p := range properties {
				if !slices.Contains(known[kind], p) {
					t.Errorf("%s.%s: an event of the type %q has no %s", f, name, kind, p)
				}
			}
		}
	}
}
