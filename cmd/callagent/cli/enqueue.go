package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/infra/contactlist"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// enqueueCommand puts contacts on the queue. Its exit status is 0 when all
// rows went and 1 when some were refused.
type enqueueCommand struct {
	File     string `arg:"" help:"List of contacts as CSV; - reads standard input."`
	Campaign string `help:"Campaign of contacts that name none." default:"default" placeholder:"NAME"`
	Strict   bool   `help:"Refuse the whole list if one row of it is bad."`
}

// Run is the command.
func (c *enqueueCommand) Run(g *grammar, w World) error {
	return withStore(g, w, true, func(ctx context.Context, store wiring.Store, s settings.Settings) error {
		n, err := enqueue(ctx, w, store, enqueueOptions{File: c.File, Campaign: c.Campaign, Strict: c.Strict, Settings: s})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w.Out, "%s enqueued, %s refused\n", number(n.Contacts, "contact"), number(n.Refused, "row")); err != nil {
			return err
		}
		if n.Refused > 0 {
			return exit(failed)
		}
		return nil
	})
}

// sender is the part of a queue that contacts are put on.
type sender interface {
	Send(ctx context.Context, delay time.Duration, bodies ...[]byte) error
}

// enqueueOptions say which contacts go on the queue.
type enqueueOptions struct {
	File     string // "-" is standard input
	Name     string // what messages call the list; "" is its file
	Campaign string // of contacts that name none; "" is the default campaign
	Strict   bool   // nothing is sent unless every row is good
	Settings settings.Settings
	Quiet    bool      // say nothing but what is wrong with the list
	Now      time.Time // who has expired is judged by this; zero is the present
}

// enqueued counts what became of the rows of a list.
type enqueued struct{ Contacts, Refused int }

const (
	sendTogether = 500                 // contacts that are sent at once
	longList     = 10 * 24 * time.Hour // a queue in the cloud keeps a message 14 days
)

// enqueue puts the contacts of a list on the queue, however long it is. Bad
// rows are reported on Err and counted; an error is about the list as a whole,
// and what was sent before it stays sent. Sending a contact twice is harmless,
// because the ledger has one call for it.
func enqueue(ctx context.Context, w World, q sender, o enqueueOptions) (enqueued, error) {
	if err := o.check(); err != nil {
		return enqueued{}, err
	}
	l, err := openList(ctx, w.In, o.File, o.Strict)
	if err != nil {
		return enqueued{}, err
	}
	l.name = cmp.Or(o.Name, l.name)
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	p := passage{w: w, list: l, quiet: o.Quiet, rules: contactlist.Options{Campaign: o.Campaign, Known: o.knows, Now: o.Now}}
	n, err := p.send(ctx, q, o.Strict)
	if err == nil && !o.Quiet {
		warnOfLength(w.Err, n.Contacts, o.Settings.Services[agent.Twilio].Rate)
	}
	return n, errors.Join(err, l.Close())
}

// check sees to it that the campaign exists.
func (o *enqueueOptions) check() error {
	if o.Campaign == "" {
		o.Campaign = settings.DefaultCampaign
	}
	if o.knows(o.Campaign) {
		return nil
	}
	names := slices.Sorted(maps.Keys(o.Settings.Campaigns))
	return usageError{fmt.Errorf("--campaign %q is no campaign: use %s, or add [campaign.NAME] to the settings file", typed(o.Campaign), or(names))}
}

func (o enqueueOptions) knows(campaign string) bool {
	_, known := o.Settings.Campaigns[campaign]
	return known
}

// warnOfLength speaks up when dialling will take too long.
func warnOfLength(w io.Writer, contacts int, rate float64) {
	if rate <= 0 || float64(contacts)/rate <= longList.Seconds() {
		return
	}
	days := float64(contacts) / rate / (24 * time.Hour).Seconds()
	fmt.Fprintf(w, "callagent: %s are %.1f days of dialling at %g a second, and a queue in the cloud keeps a message 14 days: raise rate in [services.twilio] or split the list\n",
		number(contacts, "contact"), days, rate)
}

// passage is a list on its way to the queue.
type passage struct {
	w     World
	list  *list
	rules contactlist.Options
	quiet bool
}

// send goes through the list, twice if it is to be judged as a whole.
func (p passage) send(ctx context.Context, q sender, strict bool) (enqueued, error) {
	if strict {
		n, err := p.read(ctx, "checked", func(call.Contact) error { return nil })
		switch {
		case err != nil:
			return enqueued{Refused: n.Refused}, fmt.Errorf("nothing was enqueued: %w", err)
		case n.Refused > 0:
			return enqueued{Refused: n.Refused}, fmt.Errorf("nothing was enqueued because of %s in %d: correct the list, or leave out --strict to send the good ones",
				number(n.Refused, "bad row"), n.Refused+n.Contacts)
		}
		if err := p.list.rewind(); err != nil {
			return enqueued{}, fmt.Errorf("nothing was enqueued: %w", err)
		}
	}
	b := batch{queue: q}
	n, err := p.read(ctx, "enqueued", func(c call.Contact) error { return b.add(ctx, c) })
	if ctx.Err() == nil {
		err = errors.Join(err, b.flush(ctx)) // the rows before a place that cannot be read are good
	}
	n.Contacts = b.sent
	if err != nil && b.sent > 0 {
		err = fmt.Errorf("%w; %s enqueued before: correct the list and enqueue all of it again, nobody is called twice for that", err, number(b.sent, "contact"))
	}
	return n, err
}

// read goes through the list once. Good rows go to take, bad ones are
// reported.
func (p passage) read(ctx context.Context, done string, take func(call.Contact) error) (n enqueued, err error) {
	m := newMeter(p.w, p.list.size, done, p.quiet)
	defer m.close()
	for row, err := range contactlist.Read(m.watch(p.list), p.rules) {
		if err != nil {
			m.clear()
		}
		if p.list.refuses(err, p.w.Err) {
			n.Refused++
			continue
		}
		if ctx.Err() != nil {
			return n, errInterrupted
		}
		if err != nil {
			return n, fmt.Errorf("%s: %w", p.list.name, err)
		}
		if err := take(row.Contact); err != nil {
			return n, err
		}
		n.Contacts++
		m.count(n.Contacts)
	}
	return n, nil
}

// batch sends contacts together, because each sending is a flush to the disk.
type batch struct {
	queue  sender
	bodies [][]byte
	sent   int
}

func (b *batch) add(ctx context.Context, c call.Contact) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	b.bodies = append(b.bodies, body)
	if len(b.bodies) < sendTogether {
		return nil
	}
	return b.flush(ctx)
}

func (b *batch) flush(ctx context.Context) error {
	if len(b.bodies) == 0 {
		return nil
	}
	bodies := b.bodies
	b.bodies = nil
	if err := b.queue.Send(ctx, 0, bodies...); err != nil {
		return fmt.Errorf("the queue did not take the contacts: %w", err)
	}
	b.sent += len(bodies)
	return nil
}
