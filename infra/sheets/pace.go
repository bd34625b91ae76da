package sheets

import (
	"context"
	"fmt"
	"time"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/fault"
)

// read makes a request that changes nothing.
func (b *Book) read(ctx context.Context, do func(context.Context) error) error {
	return b.send(ctx, &b.reads, do)
}

// write makes one batchUpdate.
func (b *Book) write(ctx context.Context, requests []*api.Request) error {
	err := b.send(ctx, &b.writes, func(ctx context.Context) error {
		_, err := b.api.Spreadsheets.BatchUpdate(b.id, &api.BatchUpdateSpreadsheetRequest{Requests: requests}).Context(ctx).Do()
		return err
	})
	if err == nil {
		b.throttled = 0
	}
	return err
}

// send makes a request when its pace allows it. In the pause after a throttled
// one it sends nothing and says so.
func (b *Book) send(ctx context.Context, p *pace, do func(context.Context) error) error {
	if left := b.pausedUntil.Sub(b.clock.Now()); left > 0 {
		return &fault.Fault{Service: service, Kind: fault.Throttled, RetryAfter: left,
			Message: fmt.Sprintf("Google asked for fewer requests; the next one is sent in %s", left.Round(time.Second))}
	}
	if err := b.clock.Sleep(ctx, p.take(b.clock.Now())); err != nil {
		return b.settle(err)
	}
	limited, cancel := b.clock.WithTimeout(ctx, requestLimit)
	defer cancel()
	return b.settle(do(limited))
}

// requestLimit bounds one request, a new token included.
const requestLimit = 30 * time.Second

// pace spaces requests, so that no minute has more of them than Google allows
// an account: 60 reads and 60 writes.
type pace struct {
	every time.Duration
	burst int // how many may follow each other at once after a rest
	next  time.Time
}

// take reserves a moment and says how far off it is.
func (p *pace) take(now time.Time) time.Duration {
	at := now.Add(-time.Duration(p.burst-1) * p.every)
	if p.next.After(at) {
		at = p.next
	}
	p.next = at.Add(p.every)
	return at.Sub(now)
}
