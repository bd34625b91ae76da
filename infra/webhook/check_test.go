package webhook

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"callagent/core/fault"
)

// Whatever a receiver says to OPTIONS, it is there, unless it is down, gone or
// elsewhere.
func TestCheckReach(t *testing.T) {
	for status, want := range map[int]string{
		200: "", 204: "", 400: "", 401: "", 404: "", 405: "", 501: "",
		301: fault.InvalidRequest.String(), 410: fault.NotFound.String(), 500: fault.ServiceUnavailable.String(), 503: fault.ServiceUnavailable.String(),
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodOptions || r.ContentLength > 0 {
				t.Errorf("asked by %s with %d bytes", r.Method, r.ContentLength)
			}
			w.WriteHeader(status)
		}))
		got, err := open(t, Config{URL: s.URL}).CheckReach(t.Context())
		f := fault.From(service, err)
		if got != status || (f == nil) != (want == "") || f != nil && f.Kind.String() != want {
			t.Errorf("%d: %d, %v, want %q", status, got, f, want)
		}
		s.Close()
	}
}
