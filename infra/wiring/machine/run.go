package machine

import (
	"context"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/health"
)

// Patience says how long a run goes on.
type Patience struct {
	// Serve keeps going when nothing is left to do.
	Serve bool
	// Parked is how long a run stays when only parked calls are left, whatever
	// they wait for; 0 is not at all. Negative means as long as they may go on
	// by themselves: until only a person or a call window that opens later can
	// help.
	Parked time.Duration
}

// Left says why a run ended with work left.
type Left struct {
	Parked  int      // calls that are set aside
	Waiting []string // what they wait for, in words
}

// stuckFor is how long nothing but what a person has to mend may be left
// before a run ends: time enough for one more health check of an account
// fault.
const stuckFor = breaker.AccountInterval + 30*time.Second

// Run works the queue until nothing is left to do, patience ends, or ctx is
// done; then the steps in flight end, are stored, and Run returns. When abort
// is done too, requests in flight are cut off; nothing is lost by that.
func (app *App) Run(ctx, abort context.Context, p Patience) (Left, error) {
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(abort, cut)()
	background, endBackground := context.WithCancel(work)
	var wg sync.WaitGroup
	for _, name := range agent.Services() {
		app.repeat(background, &wg, health.TickEvery, func() { app.Agent.Check(background, name) })
	}
	app.repeat(background, &wg, health.TickEvery, func() { app.Agent.Sweep(background) })
	for _, name := range app.channels {
		// A message in flight is not cut off when the work is done: nobody would
		// know whether it arrived, and it would be sent again.
		app.repeat(background, &wg, time.Second, func() { _, _ = app.dispatcher.Flush(work, name, false) })
	}
	if app.sheet != nil {
		wg.Go(func() { app.sheet.Run(background) })
	}
	left, err := app.work(ctx, work, p)
	endBackground()
	wg.Wait()
	if work.Err() == nil {
		app.finish(work, err == nil && left.Parked == 0 && ctx.Err() == nil)
	}
	return left, err
}

// repeat does f at once and then again every so often, in a goroutine of its
// own, until ctx is done.
func (app *App) repeat(ctx context.Context, wg *sync.WaitGroup, every time.Duration, f func()) {
	wg.Go(func() {
		for {
			f()
			if app.Clock.Sleep(ctx, every) != nil {
				return
			}
		}
	})
}

// finish tells people what has not been told yet.
func (app *App) finish(ctx context.Context, finished bool) {
	app.Agent.Conclude(ctx)
	if finished {
		app.campaignsFinished(ctx)
	}
	var wg sync.WaitGroup
	for _, name := range app.channels {
		wg.Go(func() { app.tellRest(ctx, name) })
	}
	wg.Wait()
	if app.sheet != nil {
		app.journal.flush()
		limited, cancel := context.WithTimeout(ctx, lastRows)
		defer cancel()
		_ = app.sheet.Flush(limited) // its trouble is in the journal
	}
}

// lastNotice is how long the end of a run waits for a channel that asked to be
// left alone. What stays in the outbox goes with the next run.
const lastNotice = time.Minute

// tellRest sends what one channel has not been given yet.
func (app *App) tellRest(ctx context.Context, channel string) {
	for end := app.Clock.Now().Add(lastNotice); ; {
		left, _ := app.dispatcher.Flush(ctx, channel, true)
		wait := app.dispatcher.Asked(channel)
		if !left || wait == 0 || app.Clock.Now().Add(wait).After(end) || app.Clock.Sleep(ctx, wait) != nil {
			return
		}
	}
}

// campaignsFinished tells of the campaigns, because all their calls ended.
func (app *App) campaignsFinished(ctx context.Context) {
	if counts, err := app.Store.Counts(ctx); err == nil {
		app.Agent.Finished(ctx, counts)
	}
}

// work is the worker pool: it feeds due messages to the agent, as many at once
// as there are workers.
func (app *App) work(ctx, work context.Context, p Patience) (Left, error) {
	pool := &pool{app: app, inProgress: map[string]bool{}, results: make(chan result)}
	if err := pool.recall(work); err != nil {
		return Left{}, err
	}
	watch := idleness{app: app, patience: p}
	var left Left
	for {
		if ctx.Err() == nil {
			pool.feed(work)
		} else {
			app.stopping.raise()
		}
		if pool.running == 0 {
			done, why, err := watch.over(ctx, work)
			if err != nil || done {
				return why, err
			}
		}
		pool.wait(ctx, app.Clock.Scale(pollEvery))
		if work.Err() != nil {
			pool.drain()
			return left, nil
		}
	}
}

// pollEvery is how long a due message may go unnoticed.
const pollEvery = 200 * time.Millisecond

// pool hands messages to the agent.
type pool struct {
	app        *App
	running    int
	inProgress map[string]bool // calls that are started and neither ended nor parked
	results    chan result
	fed        time.Time // when messages were last taken
}

// result is a message that the agent is done with for now.
type result struct {
	key  string
	live bool
}

// recall finds the calls that an earlier process left in progress.
func (p *pool) recall(ctx context.Context) error {
	for _, state := range []call.State{call.Running, call.Waiting, call.Reconciling} {
		for c, err := range p.app.Store.Calls(ctx, call.Filter{State: state}) {
			if err != nil {
				return err
			}
			p.inProgress[c.Key.String()] = true
		}
	}
	return nil
}

// fill takes messages until so many are worked. Calls in progress come first;
// further ones only while the bound on calls in progress allows it.
func (p *pool) fill(ctx context.Context, workers int) error {
	free := workers - p.running
	bound := p.app.settings.MaxInProgress
	if free <= 0 {
		return nil
	}
	if bound == 0 {
		return p.take(ctx, free, nil)
	}
	keys := make([]string, 0, len(p.inProgress))
	for k := range p.inProgress {
		keys = append(keys, k)
	}
	if len(keys) > 0 {
		if err := p.take(ctx, free, keys); err != nil {
			return err
		}
	}
	free = workers - p.running
	if room := min(free, bound-len(p.inProgress)); room > 0 {
		return p.take(ctx, room, nil)
	}
	return nil
}

func (p *pool) take(ctx context.Context, limit int, only []string) error {
	messages, err := p.app.Store.Receive(ctx, limit, only)
	if err != nil {
		return err
	}
	for _, m := range messages {
		key := ""
		if c, err := call.Decode(m.Body); err == nil {
			key = c.Key().String()
			p.inProgress[key] = true
		}
		p.running++
		go func() { p.results <- p.app.handle(ctx, m, key) }()
	}
	return nil
}

// wait lets time pass until a worker is free or the poll is due.
func (p *pool) wait(ctx context.Context, poll time.Duration) {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	var stop <-chan struct{}
	if p.running == 0 {
		stop = ctx.Done()
	}
	select {
	case r := <-p.results:
		p.settle(r)
	case <-timer.C:
	case <-stop:
	}
	for more := true; more; { // so that all who are free get work by one look at the queue
		select {
		case r := <-p.results:
			p.settle(r)
		default:
			more = false
		}
	}
}

// drain waits for every worker.
func (p *pool) drain() {
	for p.running > 0 {
		p.settle(<-p.results)
	}
}

func (p *pool) settle(r result) {
	p.running--
	if !r.live {
		delete(p.inProgress, r.key)
	}
}

// handle works one message and settles it with the queue. When the queue does
// not take the verdict the message comes back by itself and is recognised.
func (app *App) handle(ctx context.Context, m agent.Message, key string) result {
	v := app.Agent.Handle(ctx, m)
	settle := context.WithoutCancel(ctx)
	var err error
	switch v.Do {
	case agent.Again:
		err = app.Store.Again(settle, m.ID, v.At)
	case agent.Reject:
		err = app.Store.Bury(settle, m.ID, v.Reason)
	default:
		err = app.Store.Done(settle, m.ID)
	}
	if err != nil {
		app.journalTrouble("queue_silent", "A message could not be settled and will come again: "+err.Error())
	}
	live := v.State == call.Running || v.State == call.Waiting || v.State == call.Reconciling
	return result{key: key, live: live}
}
