package dashboard_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/infra/dashboard"
)

// slow is a store that counts only when it is told to.
type slow struct {
	dashboard.Store
	counted chan struct{}
}

func (s slow) Counts(ctx context.Context) ([]call.Count, error) {
	select {
	case <-s.counted:
	case <-ctx.Done():
	}
	return s.Store.Counts(ctx)
}

func TestTheFirstPageDoesNotWaitForCounts(t *testing.T) {
	counted := make(chan struct{})
	d := newDesk(t, func(o *dashboard.Options) { o.Store, o.Patience = slow{o.Store, counted}, 0 })
	d.fill(200, 1)
	d.circuit(open(time.Now(), time.Minute))
	page := d.get(http.StatusOK, "/")
	has(t, page, "ElevenLabs is not working.", "The calls are being counted.", `<noscript><meta http-equiv="refresh" content="1"></noscript>`)
	if strings.Contains(page, "need a person") || strings.Contains(page, "0 of 0") {
		t.Errorf("it counts before it knows:\n%s", page)
	}
	events := d.stream()
	close(counted)
	await(t, events, "event: campaigns", "196 of 200 calls begun have ended")
	if page := d.get(http.StatusOK, "/"); strings.Contains(page, "being counted") || strings.Contains(page, "refresh") {
		t.Errorf("it is still counting:\n%s", page)
	}
}
