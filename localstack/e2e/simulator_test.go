//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"callagent/localstack/simulator"
)

// ask is one request to the simulator.
func ask(t *testing.T, method, path string, body []byte) []byte {
	t.Helper()
	req, err := http.NewRequest(method, env(t, "SIMULATOR_URL")+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 299 {
		t.Fatalf("%s %s: %s, %v\n%s", method, path, res.Status, err, data)
	}
	return data
}

// fault is what one service answers from now on.
type fault struct {
	Service    string `json:"service"`
	Answer     string `json:"answer"`
	RetryAfter string `json:"retry_after,omitempty"`
}

// breakDown has a service fail until heal.
func breakDown(t *testing.T, f fault) {
	t.Helper()
	body, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	ask(t, http.MethodPost, "/faults", body)
}

// heal has every service work again and says when that was.
func heal(t *testing.T) time.Time {
	t.Helper()
	ask(t, http.MethodDelete, "/faults", nil)
	return time.Now()
}

// requests lists those that a service got since a moment, in their order.
func requests(t *testing.T, service string, since time.Time) []simulator.Request {
	t.Helper()
	var list []simulator.Request
	for _, r := range decoded[[]simulator.Request](t, ask(t, http.MethodGet, "/requests", nil)) {
		if r.Service == service && r.At.After(since) {
			list = append(list, r)
		}
	}
	return list
}

// rings counts how often the phone of each contact rang.
func rings(t *testing.T, people []contact) map[string]int {
	t.Helper()
	all := decoded[map[string]int](t, ask(t, http.MethodGet, "/rings", nil))
	of := map[string]int{}
	for _, c := range people {
		of[c.call()] = all[c.Phone]
	}
	return of
}

// callsOf lists the calls that Twilio took for the contacts.
func callsOf(t *testing.T, people []contact) []simulator.Call {
	t.Helper()
	mine := map[string]bool{}
	for _, c := range people {
		mine[c.Phone] = true
	}
	var list []simulator.Call
	for _, c := range decoded[[]simulator.Call](t, ask(t, http.MethodGet, "/calls", nil)) {
		if mine[c.To] {
			list = append(list, c)
		}
	}
	return list
}

// told counts the messages with a text that each channel got since a moment.
func told(t *testing.T, text string, since time.Time) map[string]int {
	t.Helper()
	got := decoded[struct {
		Telegram []simulator.Chat
		Email    []simulator.Email
		Webhooks []simulator.Hook
	}](t, ask(t, http.MethodGet, "/messages", nil))
	n := map[string]int{}
	count := func(channel, message string, at time.Time) {
		if at.After(since) && strings.Contains(message, text) {
			n[channel]++
		}
	}
	for _, m := range got.Telegram {
		count("telegram", m.Text, m.At)
	}
	for _, m := range got.Email {
		count("email", m.Text, m.At)
	}
	for _, m := range got.Webhooks {
		count("webhook", string(m.Body), m.At)
	}
	return n
}
