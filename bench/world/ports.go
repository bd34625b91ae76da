package world

import (
	"context"
	"errors"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
)

// The stores as one process reaches them.
type (
	ledger    struct{ p *Process }
	backlog   struct{ p *Process }
	blocklist struct{ p *Process }
	circuits  struct{ p *Process }
	pace      struct{ p *Process }
	outbox    struct{ p *Process }
	media     struct{ p *Process }
	paperless struct{ p *Process } // the journal: it is traced and kept nowhere
)

func (l ledger) Get(ctx context.Context, k call.Key) (call.Call, error) {
	l.p.seen.key = k
	u := use{p: l.p, port: Ledger, menu: reads, what: "ledger: get"}
	return through(ctx, u, func(ctx context.Context) (call.Call, error) { return l.p.world.store.Get(ctx, k) })
}

var numberOps = [...]string{"", ", take number", ", free number", ", withdraw number"}

func (l ledger) Put(ctx context.Context, wr call.Write) error {
	w, by := l.p.world, l.p.standing()
	what := "ledger: put " + string(wr.Call.State) + numberOps[wr.Number]
	if wr.Own != "" {
		what += ", own sid"
	}
	if wr.Number == call.TakeNumber {
		w.admitted(l.p, agent.Twilio, wr.Call.Key)
	}
	wr.Call.History = wr.Call.History[:len(wr.Call.History):len(wr.Call.History)]
	return do(ctx, use{p: l.p, port: Ledger, menu: conditionals, what: what, key: wr.Call.Key}, func(ctx context.Context) error {
		err := w.store.Put(ctx, wr)
		if err == nil {
			w.wrote(by, wr)
		}
		return err
	})
}

func (l ledger) Answer(ctx context.Context, k call.Key, attempt string, a call.Answer) (call.Call, error) {
	w, by := l.p.world, l.p.standing()
	u := use{p: l.p, port: Ledger, menu: conditionals, what: "ledger: answer"}
	return through(ctx, u, func(ctx context.Context) (call.Call, error) {
		c, err := w.store.Answer(ctx, k, attempt, a)
		if err == nil {
			w.changed(by, k)
		}
		return c, err
	})
}

func (l ledger) Owner(ctx context.Context, sid string) (call.Key, error) {
	u := use{p: l.p, port: Ledger, menu: reads, what: "ledger: owner"}
	return through(ctx, u, func(ctx context.Context) (call.Key, error) { return l.p.world.store.Owner(ctx, sid) })
}

func (b backlog) Due(ctx context.Context, t time.Time, limit int) ([]call.Call, error) {
	u := use{p: b.p, port: Backlog, menu: reads, what: "backlog: due"}
	return through(ctx, u, func(ctx context.Context) ([]call.Call, error) { return b.p.world.due(ctx, b.p, t, limit) })
}

func (b backlog) Parked(ctx context.Context, service string, unsent time.Time, limit int) ([]call.Call, error) {
	u := use{p: b.p, port: Backlog, menu: reads, what: "backlog: parked for " + service}
	return through(ctx, u, func(ctx context.Context) ([]call.Call, error) {
		return b.p.world.parked(ctx, b.p, service, unsent, limit)
	})
}

func (b backlog) Stamp(ctx context.Context, c call.Call, at time.Time) error {
	w, by := b.p.world, b.p.standing()
	u := use{p: b.p, port: Backlog, menu: conditionals, what: "backlog: stamp", key: c.Key}
	return do(ctx, u, func(ctx context.Context) error {
		err := w.store.Stamp(ctx, c, at)
		if err == nil {
			w.changed(by, c.Key)
		}
		return err
	})
}

func (b blocklist) Block(ctx context.Context, number string) error {
	return b.p.world.store.Block(ctx, number)
}

func (b blocklist) Unblock(ctx context.Context, number string) error {
	return b.p.world.store.Unblock(ctx, number)
}

func (b blocklist) Blocked(ctx context.Context, number string) (bool, error) {
	u := use{p: b.p, port: Blocklist, menu: reads, what: "blocklist: blocked"}
	return through(ctx, u, func(ctx context.Context) (bool, error) { return b.p.world.store.Blocked(ctx, number) })
}

func (c circuits) Load(ctx context.Context, service string) (breaker.Record, error) {
	u := use{p: c.p, port: Circuits, menu: reads, what: "circuits: load " + service, service: service}
	r, err := through(ctx, u, func(ctx context.Context) (breaker.Record, error) { return c.p.world.store.Load(ctx, service) })
	c.p.world.loaded(c.p, service, err)
	return r, err
}

func (c circuits) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	w, by := c.p.world, c.p.standing()
	u := use{p: c.p, port: Circuits, menu: conditionals, what: "circuits: swap " + r.Service + " " + r.State.String(), service: r.Service}
	stored, err := through(ctx, u, func(ctx context.Context) (breaker.Record, error) {
		stored, err := w.store.Swap(ctx, r)
		if err == nil {
			w.swapped(by, stored)
		}
		return stored, err
	})
	if errors.Is(err, agent.ErrConflict) && stored.Service == "" {
		stored, _ = w.store.Load(context.Background(), r.Service)
	}
	if err == nil || errors.Is(err, agent.ErrConflict) {
		w.loaded(c.p, r.Service, nil)
	} else {
		c.p.excuse(serviceOf(r.Service))
	}
	return stored, err
}

func (s pace) Slot(ctx context.Context, service string, every time.Duration, now time.Time) (time.Time, error) {
	u := use{p: s.p, port: Pace, menu: writes, what: "pace: slot", service: service}
	return through(ctx, u, func(ctx context.Context) (time.Time, error) { return s.p.world.store.Slot(ctx, service, every, now) })
}

func (o outbox) Raise(ctx context.Context, channels []string, a alert.Alert) error {
	w := o.p.world
	return do(ctx, use{p: o.p, port: Outbox, menu: writes, what: "outbox: raise " + string(a.Kind)}, func(ctx context.Context) error {
		err := w.store.Raise(ctx, channels, a)
		if err == nil {
			w.raised(a)
		}
		return err
	})
}

func (o outbox) Undelivered(ctx context.Context, channel string, limit int) ([]alert.Alert, error) {
	u := use{p: o.p, port: Outbox, menu: reads, what: "outbox: undelivered"}
	return through(ctx, u, func(ctx context.Context) ([]alert.Alert, error) {
		return o.p.world.store.Undelivered(ctx, channel, limit)
	})
}

func (o outbox) Groups(ctx context.Context, channel string) (map[string]alert.Group, error) {
	u := use{p: o.p, port: Outbox, menu: reads, what: "outbox: groups"}
	return through(ctx, u, func(ctx context.Context) (map[string]alert.Group, error) {
		return o.p.world.store.Groups(ctx, channel)
	})
}

func (o outbox) Delivered(ctx context.Context, channel string, ids []string, key string, g alert.Group) error {
	return do(ctx, use{p: o.p, port: Outbox, menu: writes, what: "outbox: delivered"}, func(ctx context.Context) error {
		return o.p.world.store.Delivered(ctx, channel, ids, key, g)
	})
}

func (m media) Put(ctx context.Context, name, contentType string, data []byte) (string, error) {
	u := use{p: m.p, port: Media, menu: writes, what: "media: put"}
	return through(ctx, u, func(ctx context.Context) (string, error) { return m.p.world.media.Put(ctx, name, contentType, data) })
}

func (m media) Get(ctx context.Context, ref string) ([]byte, error) {
	u := use{p: m.p, port: Media, menu: reads, what: "media: get"}
	return through(ctx, u, func(ctx context.Context) ([]byte, error) { return m.p.world.media.Get(ctx, ref) })
}

func (m media) Link(ctx context.Context, ref string) (string, error) {
	u := use{p: m.p, port: Media, menu: reads, what: "media: link"}
	return through(ctx, u, func(ctx context.Context) (string, error) { return m.p.world.media.Link(ctx, ref) })
}

// ringer is the channel to people.
type ringer struct{ p *Process }

func (r ringer) Notify(ctx context.Context, m alert.Message) error {
	w := r.p.world
	return do(ctx, use{p: r.p, port: Channel, menu: writes, what: "channel: notify"}, func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return &fault.Fault{Service: channel, Kind: fault.Timeout, Cause: err}
		}
		w.notified(m)
		return nil
	})
}

func (j paperless) Write(e journal.Entry) {
	w := j.p.world
	w.inside(j.p, "journal")
	if w.Trace != nil {
		w.tracef("%-4s   %s %s %s", j.p.Name, e.Event, e.CallID, e.Message)
	}
}
