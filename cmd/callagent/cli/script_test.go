package cli_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"callagent/cmd/callagent/cli"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/sqlite"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"callagent": func() { os.Exit(cli.Run(os.Args[1:], cli.System())) },
		"fill":      func() { must(fill(context.Background(), os.Args[1])) },
		"outdate":   func() { must(outdate(os.Args[1])) },
		"finish":    func() { must(finish(context.Background(), os.Args[1])) },
	})
}

// TestScripts runs the command line in the scripts of testdata/script. Besides
// callagent they have three commands: "fill FILE" makes a store with calls in
// it, "finish FILE" one with calls that ended in every way, "outdate FILE" gives
// a store the version of a callagent to come.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits is "exits STATUS COMMAND ARG...": the command ends with the status.
// As with exec, stdin, stdout and stderr can be set and checked.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND ARG...")
	}
	status := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		status = err.Error()
	}
	if status != args[0] && status != "exit status "+args[0] {
		ts.Fatalf("ended with %s instead of exit status %s", status, args[0])
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// planted is in everything that fill stores and must be in nothing that is
// printed.
const planted = "+14155550123"

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// fill makes a store with five calls, an open circuit, a dead letter, two
// messages and an event.
func fill(ctx context.Context, path string) error {
	s, err := sqlite.Open(ctx, path, sqlite.Options{Now: func() time.Time { return noon }})
	if err != nil {
		return err
	}
	for i, c := range calls() {
		c.Contact.Campaign, c.Contact.ID, c.Contact.Phone = c.Key.Campaign, c.Key.Contact, planted
		c.Contact.Variables = map[string]string{"mobile": planted}
		c.Number, c.CreatedAt = fmt.Sprintf("hash-%d", i), noon.Add(time.Duration(i)*time.Minute)
		c.History = append([]call.Event{{At: c.CreatedAt, What: "claimed"}}, c.History...)
		if err := s.Put(ctx, call.Write{Call: c}); err != nil {
			return err
		}
	}
	reached := call.Key{Campaign: "spring", Contact: "c-002"}
	if _, err := s.Answer(ctx, reached, "attempt-2", call.Answer{SID: "CA02", Result: call.Answered, Duration: 42 * time.Second, At: noon}); err != nil {
		return err
	}
	_, err = s.Swap(ctx, breaker.Record{
		Service: "elevenlabs", State: breaker.Open, Epoch: 1, Streak: 3, OpenedAt: noon, OpenUntil: noon.Add(10 * time.Second),
		LastFault: &fault.Fault{Kind: fault.ServiceUnavailable, Service: "elevenlabs", Status: 503},
	})
	if err != nil {
		return err
	}
	if err := fillQueue(ctx, s); err != nil {
		return err
	}
	return s.Close()
}

func calls() []call.Call {
	named := func(name string) call.Contact { return call.Contact{Name: name} }
	return []call.Call{
		{
			Key: call.Key{Campaign: "default", Contact: "c-001"}, Contact: named("Ada\x1b[31m Okafor"), State: call.Parked,
			Script: "script-1", Park: call.Park{Number: 1, Service: "elevenlabs", Reason: "its circuit is open", Since: noon},
		},
		{
			Key: call.Key{Campaign: "spring", Contact: "c-002"}, Contact: named("Oliver"), State: call.Completed, Result: call.Answered,
			Script: "script-2", Speech: "speech-2", Intent: &call.Intent{Attempt: "attempt-2", At: noon, Deadline: noon.Add(time.Minute)},
			SID: "CA02", Recorded: call.Pending, Talk: 42 * time.Second, FinishedAt: noon.Add(time.Hour),
			History: []call.Event{{At: noon.Add(time.Second), What: "dialled"}},
		},
		{
			Key: call.Key{Campaign: "spring", Contact: "c-003"}, Contact: named(`=HYPERLINK("http://example.com")`), State: call.Failed,
			Reason: "twilio: invalid_request (400) 21211", FinishedAt: noon.Add(time.Hour),
		},
		{Key: call.Key{Campaign: "default", Contact: "c-004"}, State: call.Waiting, Due: noon.Add(20 * time.Second), Retries: 2},
		{Key: call.Key{Campaign: "spring", Contact: "c-001"}, State: call.Expired, FinishedAt: noon.Add(time.Hour)},
	}
}

// fillQueue leaves a message that is ready, one that is hidden, a dead letter
// and an event.
func fillQueue(ctx context.Context, s *sqlite.Store) error {
	body := func(id string) []byte {
		return fmt.Appendf(nil, `{"campaign":"spring","contact_id":%q,"phone":%q}`, id, planted)
	}
	if err := s.Send(ctx, 0, body("c-007")); err != nil {
		return err
	}
	m, err := s.Receive(ctx, 1, nil)
	if err != nil {
		return err
	}
	if err := s.Bury(ctx, m[0].ID, "the campaign is not known"); err != nil {
		return err
	}
	if err := s.Send(ctx, 0, body("c-008")); err != nil {
		return err
	}
	if err := s.Send(ctx, 100*365*24*time.Hour, body("c-009")); err != nil {
		return err
	}
	return s.Append(ctx, []journal.Entry{{
		Time: noon, Level: journal.Error, Service: "elevenlabs", Event: "circuit_opened", Circuit: "OPEN", Message: "The circuit is OPEN.",
	}})
}

// outdate makes this callagent too old for a store.
func outdate(path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		return err
	}
	return db.Close()
}
