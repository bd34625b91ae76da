package machine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/journal"
)

// idleness decides when a run has nothing left to do.
type idleness struct {
	app      *App
	patience Patience
	asked    time.Time
	silent   time.Time // since when the store does not answer
	parked   time.Time // since when only parked calls are left
	stuck    time.Time // since when only a person can help
}

// askEvery is how often the store is asked when only parked calls are left: it
// has to look at each of them.
const askEvery = 2 * time.Second

// over reports whether the run ends, and with what left. It asks the store at
// most a few times a second.
func (i *idleness) over(ctx, work context.Context) (bool, Left, error) {
	now := i.app.Clock.Now()
	stopped := ctx.Err() != nil
	if i.patience.Serve && !stopped {
		return false, Left{}, nil
	}
	since := now.Sub(i.asked)
	if early := i.app.Clock.Scale(since) < storeEvery || !i.parked.IsZero() && since < askEvery; early && !stopped {
		return false, Left{}, nil
	}
	i.asked = now
	if lasted, err := i.app.diskTrouble(); err != nil && lasted >= silentFor {
		return false, Left{}, fmt.Errorf("%w; then run again: no contact is lost", err)
	}
	left, live, err := i.app.left(work)
	if err != nil {
		return i.givesUp(now, err)
	}
	i.silent = time.Time{}
	switch {
	case stopped:
		return true, left, nil
	case live:
		i.parked, i.stuck = time.Time{}, time.Time{}
		return false, Left{}, nil
	case left.Parked == 0:
		return true, left, nil
	}
	if i.parked.IsZero() {
		i.parked = now
	}
	if len(left.Waiting) == 0 {
		i.stuck = time.Time{}
	} else if i.stuck.IsZero() {
		i.stuck = now
	}
	if i.patience.Parked >= 0 {
		return now.Sub(i.parked) >= i.patience.Parked, left, nil
	}
	return !i.stuck.IsZero() && now.Sub(i.stuck) >= stuckFor, left, nil
}

// silentFor is how long a store may fail to answer, or to be written, before a
// run gives up.
const silentFor = time.Minute

// givesUp waits for a store that does not answer, but not for ever.
func (i *idleness) givesUp(now time.Time, err error) (bool, Left, error) {
	if i.silent.IsZero() {
		i.silent = now
		i.app.journalTrouble("ledger_silent", "The store does not answer: "+err.Error())
	}
	if now.Sub(i.silent) < silentFor {
		return false, Left{}, nil
	}
	return false, Left{}, err
}

// left counts what is not done. Waiting is filled only when everything that is
// left waits for a person or for the call window. live reports contacts that
// nobody has begun with and calls in progress.
func (app *App) left(ctx context.Context) (l Left, live bool, err error) {
	counts, err := app.Store.Counts(ctx)
	if err != nil {
		return l, false, err
	}
	for _, n := range counts {
		switch n.State {
		case call.Running, call.Waiting, call.Reconciling:
			live = true
		case call.Parked:
			l.Parked += n.Calls
		}
	}
	waiting, err := app.Store.ParkedFor(ctx)
	if err != nil {
		return l, live, err
	}
	l.Parked = max(l.Parked, total(waiting)) // finished calls that wait to be recorded are left work too
	if !live {
		live, err = app.begins(ctx)
	}
	if l.Parked == 0 || live || err != nil {
		return l, live, err
	}
	l.Waiting, err = app.hopeless(ctx, waiting)
	return l, live, err
}

// begins reports whether there is work that no call in progress stands for: a
// message that is due, a contact without a call, an outcome to be recorded. A
// hidden message alone is none: it may be a wake-up for a call that has ended
// meanwhile, and nobody has to wait for that.
func (app *App) begins(ctx context.Context) (bool, error) {
	visible, _, _, err := app.Store.Pending(ctx)
	if visible > 0 || err != nil {
		return true, err
	}
	for _, count := range []func(context.Context) (int, error){app.Store.Unrecorded, app.Store.Unclaimed} {
		if n, err := count(ctx); n > 0 || err != nil {
			return true, err
		}
	}
	return false, nil
}

// soon is how near a call window has to be for a run to wait for it.
const soon = 15 * time.Minute

// hopeless says in words what everything that is left waits for, if that is
// nothing but account faults, forced circuits and the call window; nil when
// something may go on by itself.
func (app *App) hopeless(ctx context.Context, waiting map[string]int) ([]string, error) {
	var words []string
	for _, name := range agent.Services() {
		if waiting[name] == 0 {
			continue
		}
		r, err := app.Store.Load(ctx, name)
		if err != nil {
			return nil, err
		}
		switch account := r.LastFault != nil && r.LastFault.Treatment().Trips; {
		case r.Forced == breaker.ForcedOpen:
			words = append(words, fmt.Sprintf("%d for %s, which an operator opened. %s", waiting[name], alert.Title(name), app.remedy(r)))
		case r.State != breaker.Closed && account:
			words = append(words, fmt.Sprintf("%d for %s. %s %s", waiting[name], alert.Title(name), alert.Sentence(r.LastFault), app.remedy(r)))
		default:
			return nil, nil
		}
	}
	windows, orphans, opens := 0, 0, time.Time{}
	for c, err := range app.Store.Calls(ctx, call.Filter{State: call.Parked}) {
		switch {
		case err != nil:
			return nil, err
		case c.Park.Service != "":
		case c.Park.Reason == call.CampaignGone:
			orphans++
		case c.Park.Reason == call.OutsideWindow && c.Park.Until.Sub(app.Clock.Now()) > soon:
			windows++
			if opens.IsZero() || c.Park.Until.Before(opens) {
				opens = c.Park.Until
			}
		default:
			return nil, nil
		}
	}
	if windows > 0 {
		words = append(words, fmt.Sprintf("%d for their call window, which opens at %s or later", windows, opens.UTC().Format("2006-01-02 15:04 MST")))
	}
	if orphans > 0 {
		words = append(words, fmt.Sprintf("%d for a campaign that the settings do not have", orphans))
	}
	slices.Sort(words)
	return words, nil
}

// remedy is what people were told to do about an open circuit.
func (app *App) remedy(r breaker.Record) string {
	for _, a := range alert.ForCircuit(r, app.Clock.Now()) {
		if a.Kind == alert.CircuitOpened {
			return a.You
		}
	}
	return ""
}

func total(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

func (app *App) journalTrouble(event, message string) {
	app.journal.Write(journal.Entry{Time: app.Clock.Now(), Level: journal.Error, Event: event, Message: message})
}
