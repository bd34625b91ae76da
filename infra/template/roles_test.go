package template

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// allowed is what each role may do: every action with all that it may be done
// to. It is what the functions' code asks for and nothing else.
var allowed = map[string]map[string]string{
	"CallRole": {
		"sqs:ReceiveMessage":          "ContactsQueue",
		"sqs:DeleteMessage":           "ContactsQueue",
		"sqs:ChangeMessageVisibility": "ContactsQueue",
		"sqs:GetQueueAttributes":      "ContactsQueue",
		"sqs:SendMessage":             "AlertsQueue ContactsDeadLetters JournalQueue TicksQueue",
		"dynamodb:GetItem":            "CallsTable CircuitsTable",
		"dynamodb:PutItem":            "CircuitsTable",
		"dynamodb:UpdateItem":         "CallsTable CircuitsTable",
		"s3:GetObject":                "${AudioBucket.Arn}/* settings",
		"s3:PutObject":                "${AudioBucket.Arn}/*",
		"s3:ListBucket":               "AudioBucket",
	},
	"HealthcheckRole": {
		"sqs:ReceiveMessage":          "ContactsDeadLetters TicksQueue",
		"sqs:DeleteMessage":           "ContactsDeadLetters TicksQueue",
		"sqs:ChangeMessageVisibility": "ContactsDeadLetters",
		"sqs:GetQueueAttributes":      "ContactsQueue TicksQueue",
		"sqs:SendMessage":             "AlertsQueue ContactsQueue JournalQueue TicksQueue",
		"dynamodb:GetItem":            "CallsTable CircuitsTable",
		"dynamodb:BatchGetItem":       "CallsTable",
		"dynamodb:Scan":               "CallsTable",
		"dynamodb:Query":              "${CallsTable.Arn}/index/due ${CallsTable.Arn}/index/parked CircuitsTable",
		"dynamodb:PutItem":            "CircuitsTable",
		"dynamodb:UpdateItem":         "CallsTable CircuitsTable",
		"s3:GetObject":                "${AudioBucket.Arn}/* settings",
		"s3:PutObject":                "${AudioBucket.Arn}/*",
		"s3:ListBucket":               "AudioBucket",
	},
	"CallbackRole": {
		"sqs:SendMessage":     "ContactsQueue JournalQueue",
		"dynamodb:GetItem":    "CallsTable",
		"dynamodb:UpdateItem": "CallsTable",
		"s3:GetObject":        "settings",
	},
	"AlertRole": {
		"sqs:ReceiveMessage":          "AlertsQueue",
		"sqs:DeleteMessage":           "AlertsQueue",
		"sqs:ChangeMessageVisibility": "AlertsQueue",
		"sqs:GetQueueAttributes":      "AlertsQueue",
		"sqs:SendMessage":             "JournalQueue",
		"dynamodb:Query":              "CircuitsTable",
		"dynamodb:BatchGetItem":       "CircuitsTable",
		"dynamodb:PutItem":            "CircuitsTable",
		"dynamodb:UpdateItem":         "CircuitsTable",
		"dynamodb:DeleteItem":         "CircuitsTable",
		"s3:GetObject":                "settings",
	},
	"SheetRole": {
		"sqs:ReceiveMessage":          "JournalQueue",
		"sqs:DeleteMessage":           "JournalQueue",
		"sqs:ChangeMessageVisibility": "JournalQueue",
		"sqs:GetQueueAttributes":      "JournalQueue",
		"dynamodb:GetItem":            "CircuitsTable",
		"dynamodb:Scan":               "CallsTable",
		"dynamodb:Query":              "${CallsTable.Arn}/index/parked",
		"dynamodb:PutItem":            "CircuitsTable",
		"dynamodb:DeleteItem":         "CircuitsTable",
		"s3:GetObject":                "settings",
	},
	"SchedulerRole": {"lambda:InvokeFunction": "HealthcheckFunction"},
}

// secretsPath is how a statement names the path of the secrets.
const secretsPath = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${SecretsPath}"

func TestRolesAllowExactlyWhatIsAskedFor(t *testing.T) {
	s := load(t)
	got := map[string]map[string]string{}
	for _, role := range s.of("AWS::IAM::Role") {
		got[role] = s.grants(t, role)
	}
	for role, want := range allowed {
		want := maps.Clone(want)
		if function, ok := strings.CutSuffix(role, "Role"); ok && role != "SchedulerRole" {
			want["logs:CreateLogStream"], want["logs:PutLogEvents"] = function+"Logs", function+"Logs"
			want["ssm:GetParametersByPath"] = secretsPath + " " + secretsPath + "/*"
		}
		for _, action := range slices.Sorted(maps.Keys(merged(got[role], want))) {
			if got[role][action] != want[action] {
				t.Errorf("%s may %s on %q, want %q", role, action, got[role][action], want[action])
			}
		}
	}
	if len(got) != len(allowed) {
		t.Errorf("roles %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(allowed)))
	}
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// grants gives what the role may do, each action with its resources in order.
func (s stack) grants(t *testing.T, role string) map[string]string {
	t.Helper()
	on := map[string][]string{}
	for _, p := range each(s.properties(role)["Policies"]) {
		for _, st := range each(in(p, "PolicyDocument", "Statement")) {
			if branches := each(in(st, "Fn::If")); len(branches) == 3 { // condition, then, else
				st = branches[1]
			}
			if in(st, "Effect") != "Allow" {
				t.Errorf("%s has a statement that is no Allow: %v", role, st)
			}
			for _, action := range each(in(st, "Action")) {
				for _, r := range each(in(st, "Resource")) {
					on[action.(string)] = append(on[action.(string)], resource(r))
				}
			}
		}
	}
	grants := map[string]string{}
	for action, resources := range on {
		slices.Sort(resources)
		grants[action] = strings.Join(resources, " ")
	}
	return grants
}

// resource names what a statement speaks of: a logical id, the text of a Sub,
// or "settings" for the object that SettingsObject names.
func resource(v any) string {
	sub := in(v, "Fn::Sub")
	settingsObject := []any{"arn:${AWS::Partition}:s3:::${Object}", object{"Object": object{
		"Fn::Join": []any{"", object{"Fn::Split": []any{"s3://", object{"Ref": "SettingsObject"}}}},
	}}}
	if reflect.DeepEqual(sub, settingsObject) {
		return "settings"
	}
	if text, ok := sub.(string); ok {
		return text
	}
	if id := target(v); id != "" {
		return id
	}
	return fmt.Sprint(v)
}

func TestEachFunctionHasARoleOfItsOwn(t *testing.T) {
	s := load(t)
	for _, f := range s.of(functionType) {
		if role := target(s.properties(f)["Role"]); role != strings.TrimSuffix(f, "Function")+"Role" {
			t.Errorf("%s has the role %q", f, role)
		}
	}
}

func TestNobodyAllowsEverything(t *testing.T) {
	s := load(t)
	s.each(func(path string, v any) {
		o, _ := v.(object)
		if o["ManagedPolicyArns"] != nil || o["Policies"] != nil && strings.HasSuffix(path, "Function.Properties") {
			t.Errorf("%s: a role has statements of its own and nothing else", path)
		}
		if o["Effect"] != "Allow" {
			return
		}
		for _, r := range each(o["Resource"]) {
			if r == "*" {
				t.Errorf("%s allows something on everything", path)
			}
		}
		for _, a := range each(o["Action"]) {
			if strings.Contains(a.(string), "*") {
				t.Errorf("%s allows %v", path, a)
			}
		}
	})
}

func TestSchedulerRoleIsForThisAccountAlone(t *testing.T) {
	trust := each(in(load(t).properties("SchedulerRole"), "AssumeRolePolicyDocument", "Statement"))
	for _, st := range trust {
		if target(in(st, "Condition", "StringEquals", "aws:SourceAccount")) != "AWS::AccountId" {
			t.Errorf("whoever uses the scheduler may take the role: %v", st)
		}
	}
}

// The functions use AWS through these packages alone, so what the packages ask
// for and what the roles allow is the same set of actions.
func TestRolesAndAdaptersSpeakOfTheSameActions(t *testing.T) {
	granted, asked := map[string]bool{}, map[string]bool{}
	for _, actions := range allowed {
		for a := range actions {
			granted[a] = true
		}
	}
	granted["ssm:GetParametersByPath"] = true
	delete(granted, "lambda:InvokeFunction") // the scheduler asks for it
	delete(granted, "s3:ListBucket")         // S3 wants it before it says that an object is not there
	for adapter, service := range map[string]string{"dynamo": "dynamodb", "sqs": "sqs", "s3": "s3", "ssm": "ssm"} {
		for _, action := range requests(t, adapter) {
			asked[service+":"+action] = true
		}
	}
	for _, a := range slices.Sorted(maps.Keys(granted)) {
		if !asked[a] {
			t.Errorf("%s is allowed and no adapter asks for it", a)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(asked)) {
		if !granted[a] {
			t.Errorf("an adapter asks for %s and no role allows it", a)
		}
	}
}

// requests lists the actions that an adapter of AWS asks for: the inputs of
// its requests, and the parts of its transactions, which are authorised one by
// one. What check.go asks for is the doctor's, whom a person's rights allow it.
func requests(t *testing.T, adapter string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", adapter, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of %s: %v", adapter, err)
	}
	var asked []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "check.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if a := actionOf(s); a != "" {
					asked = append(asked, a)
				}
			}
			return true
		})
	}
	return asked
}

// actionOf is the action that a type of an SDK stands for; "" for none.
func actionOf(s *ast.SelectorExpr) string {
	if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "types" {
		switch s.Sel.Name {
		case "Put", "Update", "Delete":
			return s.Sel.Name + "Item"
		case "ConditionCheck":
			return "ConditionCheckItem"
		}
		return ""
	}
	action, isInput := strings.CutSuffix(s.Sel.Name, "Input")
	switch {
	case !isInput, action == "CreateTable", action == "TransactWriteItems":
		return ""
	case strings.HasSuffix(action, "MessageBatch"), action == "ChangeMessageVisibilityBatch":
		return strings.TrimSuffix(action, "Batch")
	}
	return action
}
