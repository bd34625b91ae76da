package simulator_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"callagent/localstack/simulator"
)

// inbox is an application that takes status callbacks.
type inbox struct {
	*httptest.Server
	mu    sync.Mutex
	forms []url.Values
	heads []http.Header
	paths []string
	hosts []string
	fail  int // how many to refuse first
}

func newInbox(t *testing.T, fail int) *inbox {
	in := &inbox{fail: fail}
	in.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		defer in.mu.Unlock()
		_ = r.ParseForm()
		form := r.PostForm
		if r.Method == http.MethodGet {
			form = r.Form
		}
		in.forms, in.heads, in.paths = append(in.forms, form), append(in.heads, r.Header), append(in.paths, r.URL.RequestURI())
		in.hosts = append(in.hosts, r.Host)
		if in.fail > 0 {
			in.fail--
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.forms)
}

// signed is what Twilio's documentation says a signature is.
func signed(token, link string, form url.Values) string {
	var text strings.Builder
	text.WriteString(link)
	keys := []string{}
	for key := range form {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		text.WriteString(key + form.Get(key))
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestStatusCallbacks(t *testing.T) {
	for _, tc := range []struct {
		behaviour string
		statuses  []string // by sequence number
		sip       string
	}{
		{"answered", []string{"initiated", "ringing", "in-progress", "completed"}, "200"},
		{"busy", []string{"initiated", "ringing", "busy"}, "486"},
		{"failed", []string{"initiated", "failed"}, "404"},
	} {
		t.Run(tc.behaviour, func(t *testing.T) {
			in := newInbox(t, 0)
			w := start(t, simulator.Config{Numbers: map[string]string{callee: tc.behaviour}})
			link := in.URL + "/status?attempt=42"
			w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("StatusCallback", link+"#rc=2",
				"StatusCallbackEvent", "initiated|ringing|answered|completed"))
			eventually(t, "callbacks", func() bool { return w.Calls()[0].Callbacks == len(tc.statuses) })
			sid := w.Calls()[0].SID
			for i, form := range in.forms {
				if got := in.heads[i].Get("X-Twilio-Signature"); got != signed(w.env["TWILIO_AUTH_TOKEN"], link, form) {
					t.Errorf("callback %d: the signature does not verify", i)
				}
				if form.Get("CallSid") != sid || form.Get("To") != callee || in.paths[i] != "/status?attempt=42" {
					t.Errorf("callback %d: %v at %s", i, form, in.paths[i])
				}
			}
			slices.SortFunc(in.forms, func(a, b url.Values) int { return strings.Compare(a.Get("SequenceNumber"), b.Get("SequenceNumber")) })
			var statuses []string
			for _, form := range in.forms {
				statuses = append(statuses, form.Get("CallStatus"))
			}
			last := in.forms[len(in.forms)-1]
			if !slices.Equal(statuses, tc.statuses) || last.Get("SipResponseCode") != tc.sip || !last.Has("CallDuration") || in.forms[0].Has("CallDuration") {
				t.Errorf("statuses %v, last %v; want %v and SIP %s", statuses, last, tc.statuses, tc.sip)
			}
		})
	}
}

func TestCallbacksOfTheEndOnly(t *testing.T) {
	in := newInbox(t, 0)
	w := start(t, simulator.Config{})
	w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("StatusCallback", in.URL, "StatusCallbackMethod", "GET"))
	eventually(t, "callback", func() bool { return w.Calls()[0].Callbacks == 1 })
	if in.count() != 1 || in.forms[0].Get("CallStatus") != "completed" || in.forms[0].Get("SequenceNumber") != "3" {
		t.Errorf("callbacks %v, want the end", in.forms)
	}
	link := in.URL + strings.TrimPrefix(in.paths[0], "/") // the callback's URL has no path
	if got := in.heads[0].Get("X-Twilio-Signature"); got != signed(w.env["TWILIO_AUTH_TOKEN"], link, nil) {
		t.Error("the signature of a GET does not verify")
	}
}

func TestCallbacksAreRetriedOnce(t *testing.T) {
	for _, tc := range []struct{ failures, requests, taken int }{{1, 2, 1}, {2, 2, 0}} {
		in := newInbox(t, tc.failures)
		w := start(t, simulator.Config{})
		w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("StatusCallback", in.URL))
		eventually(t, "callbacks", func() bool { return in.count() == tc.requests })
		eventually(t, "their result", func() bool { return w.Calls()[0].Callbacks == tc.taken })
		first, second := in.heads[0].Get("I-Twilio-Idempotency-Token"), in.heads[1].Get("I-Twilio-Idempotency-Token")
		if first == "" || first != second {
			t.Errorf("tokens %q and %q, want the same", first, second)
		}
	}
}

func TestAHostThatNoNameServerKnowsIsReached(t *testing.T) {
	in := newInbox(t, 0)
	w := start(t, simulator.Config{Reach: map[string]string{".lambda-url.invalid": in.Listener.Addr().String()}})
	link := "http://abc.lambda-url.invalid/status"
	w.twilio(t.Context(), "POST", "/Calls.json", w.callForm("StatusCallback", link))
	eventually(t, "callback", func() bool { return w.Calls()[0].Callbacks == 1 })
	if in.hosts[0] != "abc.lambda-url.invalid" {
		t.Errorf("the host is told as %s", in.hosts[0])
	}
	if got := in.heads[0].Get("X-Twilio-Signature"); got != signed(w.env["TWILIO_AUTH_TOKEN"], link, in.forms[0]) {
		t.Error("the signature does not verify")
	}
}
