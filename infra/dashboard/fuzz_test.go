package dashboard_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"callagent/core/breaker"
	"callagent/infra/dashboard"
)

// FuzzForms: whatever a stranger sends, the page answers, shows no number and no
// token, and does nothing.
func FuzzForms(f *testing.F) {
	for _, path := range []string{"/", "/call", "/parked/twilio", "/sign-in", "/sign-out", "/circuits/twilio/open", "/calls/rang", "/live", "/nothing"} {
		f.Add(true, path, "", "form=x&id=spring%2Fc-001&name=Ada&token="+plantedToken[:8])
		f.Add(false, path, "id=spring/c-001&span=7d&campaign=%zz", "")
	}
	f.Add(true, "/circuits/twilio/open", "", "form=%00&form=&;=%")
	f.Add(false, "/call", "id="+url.QueryEscape("spring/<script>alert(1)</script>"), "")
	d := newDesk(f, func(o *dashboard.Options) { o.Token = plantedToken })
	d.fill(40, 2)
	page := d.server.Config.Handler
	ctx := f.Context()
	f.Fuzz(func(t *testing.T, post bool, path, query, body string) {
		method := http.MethodGet
		if post {
			method = http.MethodPost
		}
		target := &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/" + strings.TrimPrefix(path, "/"), RawQuery: query}
		if target.Path == "/live" {
			return // a stream that ends with its reader
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(body))
		r.URL, r.Host, r.RemoteAddr = target, target.Host, "127.0.0.1:2"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		shown := w.Body.String()
		if w.Code >= 500 || strings.Contains(shown, plantedPhone[1:]) || strings.Contains(shown, plantedToken) || strings.Contains(shown, "<script>alert") {
			t.Errorf("%s %s answers %d:\n%s", method, target, w.Code, shown)
		}
		if r, err := d.store.Load(ctx, "twilio"); err != nil || r.Forced != breaker.Automatic {
			t.Errorf("the circuit of twilio is %v, %v", r, err)
		}
	})
}
