package memory

import (
	"context"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
)

// circuits is one record per service.
type circuits struct {
	mu      sync.Mutex
	records map[string]breaker.Record
}

func newCircuits() circuits { return circuits{records: map[string]breaker.Record{}} }

// Load reads a record.
func (c *circuits) Load(ctx context.Context, service string) (breaker.Record, error) {
	if err := ctx.Err(); err != nil {
		return breaker.Record{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load(service), nil
}

// Swap stores r over the version that it was read with.
func (c *circuits) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	if err := ctx.Err(); err != nil {
		return breaker.Record{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if stored := c.load(r.Service); stored.Version != r.Version {
		return stored, agent.ErrConflict
	}
	r.Version++
	c.records[r.Service] = copyRecord(r)
	return c.load(r.Service), nil
}

func (c *circuits) load(service string) breaker.Record {
	r, found := c.records[service]
	if !found {
		return breaker.Record{Service: service}
	}
	return copyRecord(r)
}

// pace is the last reserved moment of each service.
type pace struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func newPace() pace { return pace{last: map[string]time.Time{}} }

// Slot reserves the next free moment of the service.
func (p *pace) Slot(ctx context.Context, service string, every time.Duration, now time.Time) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	slot := utc(now)
	if last, found := p.last[service]; found && last.Add(every).After(slot) {
		slot = last.Add(every)
	}
	p.last[service] = slot
	return slot, nil
}
