package dashboard_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"callagent/core/breaker"
	"callagent/infra/dashboard"
)

// untouched fails the test if an override was done.
func (d *desk) untouched() {
	d.t.Helper()
	if r, err := d.store.Load(d.t.Context(), "twilio"); err != nil || r.Forced != breaker.Automatic {
		d.t.Errorf("the circuit of twilio is %v, %v", r, err)
	}
	if noted := d.journal(); noted != "" {
		d.t.Errorf("the journal says %s", noted)
	}
}

// A page of another site makes the operator's own browser send a form: with all
// its cookies, and even with the token of our forms, should that ever leak.
func TestAForgedPostIsRefused(t *testing.T) {
	for name, headers := range map[string]http.Header{
		"fetch metadata": {"Sec-Fetch-Site": {"cross-site"}},
		"same site":      {"Sec-Fetch-Site": {"same-site"}},
		"origin":         {"Origin": {"https://evil.example"}},
		"no origin":      {"Origin": {"null"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil)
			r := d.request("/circuits/twilio/open", url.Values{"form": {d.form()}})
			for k, v := range headers {
				r.Header[k] = v
			}
			has(t, d.does(http.StatusForbidden, r), "Nothing was done", "came from another web site")
			d.untouched()
		})
	}
}

// Nor is one that no browser marked: it lacks the token, or the cookie that
// belongs to it.
func TestAPostWithoutOurFormIsRefused(t *testing.T) {
	d := newDesk(t, nil)
	form := d.form()
	for _, token := range []string{"", "guess", form + "x"} {
		d.does(http.StatusForbidden, d.request("/circuits/twilio/open", url.Values{"form": {token}}))
	}
	d.client = d.browser()
	d.does(http.StatusForbidden, d.request("/circuits/twilio/open", url.Values{"form": {form}}))
	d.untouched()
	r := d.request("/circuits/twilio/open", url.Values{"form": {d.form()}})
	r.Header.Set("Origin", d.server.URL)
	has(t, d.does(http.StatusOK, r), "Twilio is forced open now")
}

// A name that somebody else's name server points at this machine is a web site
// that poses as ours.
func TestOnlyNamesOfThisMachineAreAnswered(t *testing.T) {
	d := newDesk(t, nil)
	for host, status := range map[string]int{
		"evil.example": http.StatusMisdirectedRequest, "evil.example:8480": http.StatusMisdirectedRequest, "127.0.0.1.evil.example": http.StatusMisdirectedRequest,
		"localhost:8480": http.StatusOK, "[::1]:8480": http.StatusOK, "127.0.0.1": http.StatusOK,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.server.URL, nil)
		must(t, err)
		r.Host = host
		d.does(status, r)
	}
	exposed := newDesk(t, func(o *dashboard.Options) { o.Exposed, o.Token = true, plantedToken })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, exposed.server.URL, nil)
	must(t, err)
	r.Host = "calls.example"
	exposed.does(http.StatusOK, r)
}

func TestOnlyOperatorsAct(t *testing.T) {
	d := newDesk(t, func(o *dashboard.Options) { o.Token = plantedToken })
	d.fill(120, 1)
	page := d.get(http.StatusOK, "/")
	has(t, page, "Sign in as operator")
	if strings.Contains(page, "<button form=") || strings.Contains(page, "formaction") {
		t.Error("there are buttons for somebody who has not signed in")
	}
	has(t, d.post(http.StatusForbidden, "/circuits/twilio/open", url.Values{}), "Only operators may do this")
	d.post(http.StatusForbidden, "/calls/drop", url.Values{"id": {"renewals/c-00101"}})
	for _, wrong := range []string{"", "guess", plantedToken[1:], plantedToken + " "} {
		has(t, d.post(http.StatusForbidden, "/sign-in", url.Values{"name": {"Ada"}, "token": {wrong}}), "That is not the operator token.")
	}
	d.untouched()

	for _, name := range []string{"", "7", "Ada\nOperator root", "+1 415 555 0123", "Ada 4155550123", strings.Repeat("a", 41)} {
		has(t, d.post(http.StatusUnprocessableEntity, "/sign-in", url.Values{"name": {name}, "token": {plantedToken}}), "Write a name")
	}
	has(t, d.signIn("Ada Okafor"), "Signed in as Ada Okafor", "Force open")
	has(t, d.post(http.StatusOK, "/circuits/twilio/open", url.Values{}), "Twilio is forced open now")
	has(t, d.journal(), "Operator Ada Okafor (dashboard) made it forced open; the circuit was CLOSED.")
	d.post(http.StatusOK, "/sign-out", url.Values{})
	d.post(http.StatusForbidden, "/circuits/twilio/auto", url.Values{})
}

func TestTheTokenCannotBeGuessedForLong(t *testing.T) {
	d := newDesk(t, func(o *dashboard.Options) { o.Token = plantedToken })
	for range 10 {
		d.post(http.StatusForbidden, "/sign-in", url.Values{"name": {"Ada"}, "token": {"guess"}})
	}
	has(t, d.post(http.StatusTooManyRequests, "/sign-in", url.Values{"name": {"Ada"}, "token": {plantedToken}}), "Too many wrong tokens")
}

// A cookie that somebody made, or that another process signed, is none.
func TestACookieOfOthersIsNone(t *testing.T) {
	d := newDesk(t, func(o *dashboard.Options) { o.Token = plantedToken })
	other := newDesk(t, func(o *dashboard.Options) { o.Token = plantedToken })
	other.signIn("Ada")
	theirs, err := url.Parse(other.server.URL)
	must(t, err)
	ours, err := url.Parse(d.server.URL)
	must(t, err)
	for _, c := range other.client.Jar.Cookies(theirs) {
		c.Name = "callagent" + ours.Port()
		d.client.Jar.SetCookies(ours, []*http.Cookie{c})
	}
	if page := d.get(http.StatusOK, "/"); strings.Contains(page, "Signed in") {
		t.Error("the sign-in of another process is taken")
	}
}

func TestBrowsersAreToldToBeStrict(t *testing.T) {
	d := newDesk(t, nil)
	res, err := d.client.Get(d.server.URL)
	must(t, err)
	must(t, res.Body.Close())
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'", "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		if got := res.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, c := range res.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
			t.Errorf("the cookie %s is not kept to this site", c.Name)
		}
	}
	page := d.get(http.StatusOK, "/")
	for _, inline := range []string{"<script>", " style=", "<style", " onclick="} {
		if strings.Contains(page, inline) {
			t.Errorf("the page has %q, which its own policy forbids", inline)
		}
	}
}
