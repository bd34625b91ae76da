package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"callagent/core/agent/notifytest"
)

// endpoint reads a request as the specification asks of receivers: it checks
// the signature and takes no more than 20 kB.
func endpoint(r *http.Request, body []byte) (notifytest.Arrival, error) {
	if len(body) > 20_000 {
		return notifytest.Arrival{}, errors.New("too large")
	}
	if err := Verify(secret, r.Header, body, now); err != nil {
		return notifytest.Arrival{}, err
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return notifytest.Arrival{}, err
	}
	return notifytest.Arrival{Title: e.Data.Title, Text: e.Data.Text, ID: r.Header.Get("webhook-id")}, nil
}

func TestNotifierSuite(t *testing.T) {
	const path = "/services/T0/B0/planted"
	notifytest.Run(t, func(t *testing.T) notifytest.Harness {
		r := notifytest.ServeHTTP(t, notifytest.Dialect{Read: endpoint, Refuse: func(reason string) string { return reason }})
		return notifytest.Harness{Notifier: open(t, Config{URL: r.URL + path, Secret: secret}), Receiver: r,
			Secrets: []string{secret, strings.TrimPrefix(secret, "whsec_"), path, r.URL + path}}
	})
}
