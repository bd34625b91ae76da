package memory

import (
	"context"
	"maps"
	"slices"
	"sync"

	"callagent/core/alert"
)

// outbox is the alerts of each channel.
type outbox struct {
	mu       sync.Mutex
	channels map[string]*channel
}

type channel struct {
	undelivered []alert.Alert // in the order they were raised
	raised      map[string]bool
	groups      map[string]alert.Group
}

func newOutbox() outbox { return outbox{channels: map[string]*channel{}} }

// channel finds a channel's state; a new channel is empty.
func (o *outbox) channel(name string) *channel {
	c, found := o.channels[name]
	if !found {
		c = &channel{raised: map[string]bool{}, groups: map[string]alert.Group{}}
		o.channels[name] = c
	}
	return c
}

// Raise keeps an alert on each channel that does not know its id.
func (o *outbox) Raise(ctx context.Context, channels []string, a alert.Alert) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.At = utc(a.At)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range channels {
		if c := o.channel(name); !c.raised[a.ID] {
			c.raised[a.ID] = true
			c.undelivered = append(c.undelivered, a)
		}
	}
	return nil
}

// Undelivered lists a channel's alerts, the first raised first.
func (o *outbox) Undelivered(ctx context.Context, name string, limit int) ([]alert.Alert, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	waiting := o.channel(name).undelivered
	listed := slices.Clone(waiting)
	slices.SortStableFunc(listed, func(a, b alert.Alert) int { return last(a.Key() == "") - last(b.Key() == "") })
	return listed[:min(limit, len(listed))], ctx.Err()
}

// Groups reads what was last sent on a channel.
func (o *outbox) Groups(ctx context.Context, name string) (map[string]alert.Group, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.channel(name).groups), ctx.Err()
}

// Delivered forgets the alerts but not their ids, and stores the group. Key ""
// is no group.
func (o *outbox) Delivered(ctx context.Context, name string, ids []string, key string, g alert.Group) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.LastSent = utc(g.LastSent)
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.channel(name)
	c.undelivered = slices.DeleteFunc(c.undelivered, func(a alert.Alert) bool { return slices.Contains(ids, a.ID) })
	if key != "" {
		c.groups[key] = g
	}
	return nil
}
