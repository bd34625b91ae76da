package dashboard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callagent/core/call"
	"callagent/infra/dashboard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestThePageShowsHowThingsStand(t *testing.T) {
	d := newDesk(t, nil)
	d.fill(400, 6)
	d.circuit(open(time.Now(), 8*time.Second))
	d.tell(outage(time.Now())...)
	page := d.get(http.StatusOK, "/")
	has(t, page,
		"ElevenLabs is not working.", "1 call needs a person.",
		"Next try", "in 8 s", `<a href="/parked/elevenlabs">8</a>`, "ElevenLabs is not available (503)", // the circuit
		"392 of 400 calls begun have ended.", "<h3>renewals</h3>", "<h3>spring</h3>", // the counts
		"392 calls ended in the last 12 hours", "<path class=\"answered\"", `<th scope="col">Voicemail or fax</th>`, // the chart
		"All 3 retries failed", "renewals/c-00101", "1********23",
	)
	if strings.Contains(page, "as for every call") {
		t.Error("the page shows what happens for every call")
	}
	has(t, d.get(http.StatusOK, "/?span=7d"), "392 calls ended in the last 7 days", `href="/?span=7d#outcomes-title" aria-current="true">`)
	has(t, d.get(http.StatusOK, "/parked/elevenlabs"), "Waiting for ElevenLabs", "c-00353", "since ")
	d.get(http.StatusNotFound, "/parked/telegraph")
	d.get(http.StatusNotFound, "/nothing")
}

func TestAnEmptyStoreHasAPage(t *testing.T) {
	d := newDesk(t, func(o *dashboard.Options) { o.Elsewhere = "The events are elsewhere." })
	has(t, d.get(http.StatusOK, "/"), "Everything is working.", "No call has begun yet.", "0 calls ended in the last 12 hours.", "The events are elsewhere.")
}

func TestASearchShowsTheWholeHistory(t *testing.T) {
	d := newDesk(t, nil)
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, campaign := range []string{"autumn", "spring"} {
		c := specimen(0, at)
		c.Key.Campaign, c.Contact.Name, c.Number = campaign, "<script>alert(1)</script>", campaign
		must(t, d.store.Put(t.Context(), call.Write{Call: c}))
	}
	page := d.get(http.StatusOK, "/call?id=c-00000")
	has(t, page, "autumn/c-00000", "spring/c-00000", "1 Jul 12:00:00", "claimed", "dialled", "ended", "&lt;script&gt;alert(1)")
	if strings.Contains(page, "<script>") {
		t.Error("a name becomes part of the page")
	}
	if page := d.get(http.StatusOK, "/call?id=spring%2Fc-00000"); strings.Contains(page, "autumn") {
		t.Error("a whole name finds another campaign's call")
	}
	missing := d.get(http.StatusNotFound, "/call?id="+url.QueryEscape(plantedPhone))
	has(t, missing, "No call of this contact")
	if strings.Contains(missing, plantedPhone) {
		t.Error("the page repeats a number that somebody searched for")
	}
}

func TestOverridesAreDoneAndNoted(t *testing.T) {
	d := newDesk(t, nil)
	d.circuit(open(time.Now(), time.Minute))
	for _, c := range []struct{ action, says, state, forced, noted string }{
		{"open", "ElevenLabs is forced open now", "OPEN", "held", "made it forced open; the circuit was OPEN."},
		{"open", "ElevenLabs was forced open already.", "OPEN", "held", "asked for it to be forced open, which it was already; the circuit was OPEN (forced)."},
		{"close", "ElevenLabs is forced closed now", "CLOSED", "held", "made it forced closed; the circuit was OPEN (forced)."},
		{"auto", "ElevenLabs is automatic now", "CLOSED", "ok", "made it automatic; the circuit was CLOSED (forced)."},
	} {
		page := d.post(http.StatusOK, "/circuits/elevenlabs/"+c.action, url.Values{})
		has(t, page, c.says, `<article class="card `+c.forced+`" aria-labelledby="elevenlabs-title">`)
		has(t, d.journal(), "Operator tester (dashboard) "+c.noted)
		if r, err := d.store.Load(t.Context(), "elevenlabs"); err != nil || r.State.String() != c.state {
			t.Errorf("after %s the circuit is %s, %v", c.action, r.State, err)
		}
	}
	if page := d.get(http.StatusOK, "/"); strings.Contains(page, `class="notice"`) {
		t.Error("the page says twice what was done")
	}
	d.post(http.StatusNotFound, "/circuits/elevenlabs/shut", url.Values{})
	d.post(http.StatusNotFound, "/circuits/telegraph/open", url.Values{})
}

func TestUnknownCallsAreSettledAndNoted(t *testing.T) {
	d := newDesk(t, nil)
	for _, i := range []int{101, 501, 901} {
		must(t, d.store.Put(t.Context(), call.Write{Call: specimen(i, time.Now())}))
	}
	for _, c := range []struct {
		answer, id, says string
		state            call.State
	}{
		{"rang", "renewals/c-00101", "is completed now, and the CRM is told", call.Completed},
		{"redial", "spring/c-00501", "is on the queue again: the phone rings once more", call.Waiting},
		{"drop", "spring/c-00901", "is failed now: nobody is called again", call.Failed},
	} {
		has(t, d.get(http.StatusOK, "/"), "Waiting for a person", c.id)
		has(t, d.post(http.StatusOK, "/calls/"+c.answer, url.Values{"id": {c.id}}), c.id+" "+c.says)
		campaign, contact, _ := strings.Cut(c.id, "/")
		if now, err := d.store.Get(t.Context(), call.Key{Campaign: campaign, Contact: contact}); err != nil || now.State != c.state {
			t.Errorf("%s is %s, %v; want %s", c.id, now.State, err, c.state)
		}
	}
	has(t, d.journal(), "Operator tester (dashboard) says that it rang; the call was unknown.", "drops it", "orders it to be called once more")
	if page := d.get(http.StatusOK, "/"); strings.Contains(page, "Waiting for a person") {
		t.Error("settled calls still wait for a person")
	}
	if ready, _, _, err := d.store.Pending(t.Context()); err != nil || ready != 2 {
		t.Errorf("%d messages are on the queue, %v; want one for each call that has to be looked at", ready, err)
	}
	has(t, d.post(http.StatusConflict, "/calls/rang", url.Values{"id": {"spring/c-00901"}}), "Nothing was done", "The call is failed and no longer unknown")
	d.post(http.StatusNotFound, "/calls/rang", url.Values{"id": {"spring/c-99999"}})
	d.post(http.StatusNotFound, "/calls/later", url.Values{"id": {"spring/c-00901"}})
}

// A store that is silent is not a page that is empty.
func TestASilentStoreIsNamed(t *testing.T) {
	var silent silentStore
	d := newDesk(t, func(o *dashboard.Options) { silent.Store = o.Store; o.Store = &silent })
	d.get(http.StatusOK, "/")
	silent.err = errors.New("the disk is gone")
	time.Sleep(1100 * time.Millisecond)
	has(t, d.get(http.StatusOK, "/"), "The store does not answer (the disk is gone).")

	other := newDesk(t, func(o *dashboard.Options) { o.Store = &silent })
	has(t, other.get(http.StatusServiceUnavailable, "/"), "The store does not answer", "the disk is gone", "calls do not depend on this page")
}

type silentStore struct {
	dashboard.Store
	err error
}

func (s *silentStore) Counts(ctx context.Context) ([]call.Count, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Store.Counts(ctx)
}

// Everything that is sent is searched for what must not be in it.
func TestNoSecretAndNoWholeNumberIsShown(t *testing.T) {
	d := newDesk(t, func(o *dashboard.Options) { o.Token = plantedToken })
	d.fill(400, 6)
	d.circuit(open(time.Now(), time.Minute))
	d.tell(outage(time.Now())...)
	var all strings.Builder
	look := func() {
		for _, path := range []string{"/", "/?span=2h", "/parked/elevenlabs", "/call?id=c-00101", "/call?id=c-00003", "/sign-in", "/assets/live.js", "/assets/style.css"} {
			all.WriteString(d.get(http.StatusOK, path))
		}
		all.WriteString(d.get(http.StatusNotFound, "/call?id="+url.QueryEscape(plantedPhone)))
		all.WriteString(strings.Join(d.events(2), "\n"))
	}
	look()
	if strings.Contains(all.String(), names[1]) {
		t.Error("a name is shown to somebody who has not signed in")
	}
	all.WriteString(d.post(http.StatusForbidden, "/sign-in", url.Values{"name": {"Ada"}, "token": {plantedToken + "x"}}))
	all.WriteString(d.signIn("Ada"))
	look()
	all.WriteString(d.post(http.StatusOK, "/calls/rang", url.Values{"id": {"renewals/c-00101"}}))
	all.WriteString(d.journal())
	has(t, all.String(), names[1], "1********23", "Operator Ada (dashboard) says that it rang")
	for _, secret := range []string{plantedPhone, plantedPhone[1:], plantedPhone[2:], plantedToken, string(d.store.Secret())} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

func TestExposed(t *testing.T) {
	for _, c := range []struct {
		address, token string
		exposed        bool
		err            error
	}{
		{"127.0.0.1:8480", "", false, nil},
		{"localhost:0", "", false, nil},
		{"[::1]:8480", "", false, nil},
		{":8480", "", true, dashboard.ErrNeedsToken},
		{"0.0.0.0:8480", "", true, dashboard.ErrNeedsToken},
		{"192.0.2.7:8480", "", true, dashboard.ErrNeedsToken},
		{"192.0.2.7:8480", "a token", true, nil},
	} {
		if exposed, err := dashboard.Exposed(c.address, c.token); exposed != c.exposed || err != c.err {
			t.Errorf("%s with token %q: %v, %v", c.address, c.token, exposed, err)
		}
	}
}

// BenchmarkPage is the front page of a browser that asks all the time.
func BenchmarkPage(b *testing.B) {
	d := newDesk(b, nil)
	d.fill(2000, 12)
	handler := d.server.Config.Handler
	for b.Loop() {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, d.server.URL+"/", nil))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
