//go:build integration

package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"callagent/core/call"
	"callagent/infra/dashboard"
	"callagent/infra/dynamo"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// cloudOffice is the operator's side of a stack in the emulator.
type cloudOffice struct {
	office
	calls *dynamo.Calls
	env   map[string]string
}

// newAccount makes the queues and tables of a new stack, with some calls.
func newAccount(t *testing.T) *cloudOffice {
	t.Helper()
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		t.Fatal("AWS_ENDPOINT_URL is not set: run make integration")
	}
	t.Chdir(t.TempDir())
	c, err := config.LoadDefaultConfig(t.Context())
	must(t, err)
	tables, queues := dynamodb.NewFromConfig(c), sqs.NewFromConfig(c)
	name := "cli-" + strings.ToLower(rand.Text()[:10])
	a := &cloudOffice{env: map[string]string{"CALLS_TABLE": name + "-calls", "CIRCUITS_TABLE": name + "-circuits"}}
	_, err = tables.CreateTable(t.Context(), dynamo.CallsTable(a.env["CALLS_TABLE"]))
	must(t, err)
	_, err = tables.CreateTable(t.Context(), dynamo.CircuitsTable(a.env["CIRCUITS_TABLE"]))
	must(t, err)
	for _, variable := range []string{"CONTACTS_QUEUE_URL", "CONTACTS_DEAD_LETTERS_URL", "JOURNAL_QUEUE_URL"} {
		out, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name + "-" + strings.ToLower(variable))})
		must(t, err)
		a.env[variable] = *out.QueueUrl
	}
	a.t = t
	a.world = World{In: strings.NewReader(""), Out: &a.out, Err: &a.errs, Env: func(n string) (string, bool) { v, ok := a.env[n]; return v, ok }}
	a.file("callagent.toml", "store = \"aws\"\n")
	a.calls = dynamo.NewCalls(tables, a.env["CALLS_TABLE"], time.Now)
	for _, one := range stored() {
		must(t, a.calls.Put(t.Context(), call.Write{Call: one}))
	}
	return a
}

// stored are a call that failed and one that nobody knows the end of.
func stored() []call.Call {
	now := time.Now().UTC()
	begun := func(id, phone string) call.Call {
		c := call.Contact{Campaign: "default", ID: id, Phone: phone}
		return call.Call{Key: c.Key(), Contact: c, Number: "hash of " + id, State: call.Running, CreatedAt: now}
	}
	return []call.Call{
		begun("c-1", "+15005550121").Failed(now, "a test").Told(now),
		begun("c-2", "+15005550122").Intends("attempt", "+15005550006", now).Lost(now, "a test").Told(now),
	}
}

// reads runs a reading command and decodes its document.
func (a *cloudOffice) reads(to any, args ...string) {
	a.t.Helper()
	text := a.does(ok, append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), to); err != nil {
		a.t.Fatalf("%v: %v in %s", args, err, text)
	}
}

func TestTheOperatorsCommandsInAWS(t *testing.T) {
	a := newAccount(t)
	a.file("list.csv", "contact_id,phone,name\nn-1,+15005550123,Ada\nn-2,+15005550124,Bob\nn-3,12,Eve\n")
	contains(t, a.does(failed, "enqueue", "list.csv"), "2 contacts enqueued, 1 row refused", "line 4")

	var now status
	a.reads(&now, "status")
	if now.Store != "aws" || now.Queue.Visible != 2 || len(now.Circuits) != 4 || len(now.Calls) == 0 {
		t.Errorf("status %+v", now)
	}

	var listed struct{ Calls []shownCall }
	a.reads(&listed, "calls")
	if len(listed.Calls) != len(stored()) {
		t.Errorf("%d calls are listed, want %d", len(listed.Calls), len(stored()))
	}
	failed, unknown := stored()[0].Key, stored()[1].Key
	contains(t, a.does(ok, "call", unknown.String()), unknown.Contact, "unknown")

	a.does(ok, "resolve", unknown.String(), "rang")
	a.is(unknown, call.Completed)

	contains(t, a.does(ok, "circuit", "twilio", "open"), "twilio")
	a.reads(&now, "status")
	if now.Circuits[2].Service != "twilio" || now.Circuits[2].State != "OPEN" {
		t.Errorf("circuits %+v", now.Circuits)
	}
	a.does(ok, "circuit", "twilio", "auto")

	a.does(ok, "block", "add", "+15005550124")
	a.dashboard()

	contains(t, a.does(ok, "retry", "--state", "failed", "--yes"), "1 contact on the queue again")
	a.is(failed, call.Waiting)
}

// dashboard shows the page of the same store.
func (a *cloudOffice) dashboard() {
	a.t.Helper()
	g := &grammar{}
	must(a.t, withStore(g, a.world, false, func(_ context.Context, store wiring.Store, s settings.Settings) error {
		board := dashboard.New((&dashboardCommand{}).options(store, s))
		var w *httptest.ResponseRecorder
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			w = httptest.NewRecorder()
			if board.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/", nil)); !strings.Contains(w.Body.String(), "being counted") {
				break // it does not wait for a slow count
			}
		}
		contains(a.t, w.Body.String(), "Twilio is not working.", "2 of 2 calls begun have ended.", "Failed or expired <b>1</b>", "in CloudWatch and the Google Sheet")
		return nil
	}))
}

// shownCall is a line of callagent calls.
type shownCall struct {
	ID    string `json:"call_id"`
	State call.State
}

// is fails unless the call is in the state.
func (a *cloudOffice) is(k call.Key, want call.State) {
	a.t.Helper()
	c, err := a.calls.Get(a.t.Context(), k)
	if err != nil || c.State != want {
		a.t.Errorf("%s is %s, %v, want %s", k, c.State, err, want)
	}
}

func TestWhatAWSLacksIsNamed(t *testing.T) {
	a := newAccount(t)
	delete(a.env, "CALLS_TABLE")
	contains(t, a.does(usage, "status"), "--store aws needs CALLS_TABLE", "OperatorEnvironment")
	a.env["CALLS_TABLE"] = "nobody-has-it"
	contains(t, a.does(failed, "status"), "check CALLS_TABLE")
}
