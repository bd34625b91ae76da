//go:build e2e

// Package e2e tests the deployed set as its users have it: the real binaries of
// the functions behind the real template, contacts sent by the AWS CLI, and
// state read by callagent. What the providers saw is asked of their simulator.
//
// The tests take the environment that localstack/emulator/with gives, and
// localstack/emulator/aws.
package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"callagent/cmd/callagent/buildtest"
	"callagent/core/journal"
)

// callagent is the path of the command.
var callagent string

func TestMain(m *testing.M) { os.Exit(withCommand(m.Run)) }

// withCommand builds the command for the tests.
func withCommand(tests func() int) int {
	dir, err := os.MkdirTemp("", "callagent-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if callagent, err = buildtest.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, "callagent does not build:", err)
		return 1
	}
	return tests()
}

// run runs a command in the root of the project and returns what it printed.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	var diagnostics bytes.Buffer
	c := exec.Command(name, args...)
	c.Dir, c.Stderr = "../..", &diagnostics
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, diagnostics.Bytes())
	}
	return out
}

// aws runs the AWS CLI and reads its answer.
func aws[T any](t *testing.T, args ...string) T {
	t.Helper()
	return decoded[T](t, run(t, "localstack/emulator/aws", append(args, "--output", "json")...))
}

func decoded[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil && len(data) > 0 {
		t.Fatalf("%v in %.200s", err, data)
	}
	return v
}

// env is a variable of the stack's environment.
func env(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: run this by localstack/emulator/with ministack", name)
	}
	return v
}

// contact is a message of the contacts queue.
type contact struct {
	Campaign string `json:"campaign"`
	ID       string `json:"contact_id"`
	Phone    string `json:"phone"`
	Name     string `json:"name"`
}

func (c contact) call() string { return c.Campaign + "/" + c.ID }

// contacts makes n people whom nobody has called before.
func contacts(campaign string, n int) []contact {
	first := 2_000_000 + rand.IntN(7_000_000)
	people := make([]contact, n)
	for i := range people {
		people[i] = contact{campaign, fmt.Sprintf("%d-%d", first, i), fmt.Sprintf("+1415%07d", first+i), "Ada"}
	}
	return people
}

// send sends contacts to the queue, ten at a time.
func send(t *testing.T, people []contact) {
	t.Helper()
	queue := env(t, "CONTACTS_QUEUE_URL")
	var all sync.WaitGroup
	atOnce := make(chan struct{}, 4)
	for batch := range slices.Chunk(people, 10) {
		all.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			sendBatch(t, queue, batch)
		})
	}
	all.Wait()
}

// sendBatch sends up to ten contacts as the documentation says, with the AWS
// CLI.
func sendBatch(t *testing.T, queue string, people []contact) {
	type entry struct {
		ID   string `json:"Id"`
		Body string `json:"MessageBody"`
	}
	entries := make([]entry, len(people))
	for i, c := range people {
		body, _ := json.Marshal(c) // nothing but strings
		entries[i] = entry{strconv.Itoa(i), string(body)}
	}
	batch, _ := json.Marshal(entries)
	out, err := exec.Command("../emulator/aws", "sqs", "send-message-batch", "--queue-url", queue,
		"--entries", string(batch), "--output", "json").CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("SenderFault")) {
		t.Errorf("sending: %v\n%s", err, out)
	}
}

// circuit is the state of one, as callagent shows it.
type circuit struct {
	Service string    `json:"service"`
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Parked  int       `json:"parked"`
}

// status is what callagent shows of the stack.
type status struct {
	Circuits []circuit `json:"circuits"`
	Calls    []struct {
		Campaign string `json:"campaign"`
		State    string `json:"state"`
		Calls    int    `json:"calls"`
	} `json:"calls"`
	Queue struct {
		Visible int `json:"visible"`
		Hidden  int `json:"hidden"`
	} `json:"queue"`
	DeadLetters int `json:"dead_letters"`
}

func look(t *testing.T) status {
	t.Helper()
	return decoded[status](t, run(t, callagent, "status", "--store", "aws", "--json"))
}

// circuit finds the one of a service.
func (s status) circuit(service string) circuit {
	for _, c := range s.Circuits {
		if c.Service == service {
			return c
		}
	}
	return circuit{}
}

// in counts a campaign's calls in any of the states.
func (s status) in(campaign string, states ...string) int {
	n := 0
	for _, c := range s.Calls {
		for _, state := range states {
			if c.Campaign == campaign && c.State == state {
				n += c.Calls
			}
		}
	}
	return n
}

// logged gives what a function has written into its journal since a moment.
func logged(t *testing.T, function string, since time.Time) []journal.Entry {
	t.Helper()
	page := aws[struct{ Events []struct{ Message string } }](t, "logs", "filter-log-events",
		"--log-group-name", logGroup(t, function), "--start-time", strconv.FormatInt(since.UnixMilli(), 10))
	var entries []journal.Entry
	for _, e := range page.Events {
		var entry journal.Entry
		if json.Unmarshal([]byte(e.Message), &entry) == nil && entry.Event != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

// logGroup finds the log group of a function of the stack.
func logGroup(t *testing.T, function string) string {
	t.Helper()
	found := aws[struct {
		StackResources []struct{ LogicalResourceId, PhysicalResourceId string }
	}](t, "cloudformation", "describe-stack-resources",
		"--stack-name", env(t, "STACK"))
	for _, r := range found.StackResources {
		if r.LogicalResourceId == function+"Logs" {
			return r.PhysicalResourceId
		}
	}
	t.Fatalf("the stack has no logs of %s", function)
	return ""
}

// eventually waits until something is so.
func eventually(t *testing.T, limit time.Duration, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(time.Second) {
		if time.Since(began) > limit {
			t.Fatalf("%s: not after %s; %+v", what, limit, look(t))
		}
	}
}
