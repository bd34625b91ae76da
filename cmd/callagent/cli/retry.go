package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/infra/clock"
	"callagent/infra/operator"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// retryCommand calls again whose calls ended in a certain way.
type retryCommand struct {
	State    string `help:"Calls that ended so: completed, failed or expired." placeholder:"STATE"`
	Result   string `help:"Completed calls with this result: no-answer, busy, voicemail …" placeholder:"RESULT"`
	Campaign string `help:"Only calls of this campaign." placeholder:"NAME"`
	Yes      bool   `help:"Do not ask first."`
}

// Run is the command.
func (c *retryCommand) Run(g *grammar, w World) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, _ settings.Settings) error {
		found, err := selectFinished(ctx, store, f)
		if err != nil {
			return err
		}
		if err := found.print(w.Out); err != nil || len(found.keys) == 0 {
			return err
		}
		if err := c.confirm(ctx, w); err != nil {
			return err
		}
		return again(ctx, w, store, found)
	})
}

// filter checks the flags: what is to be called again has to be said.
func (c *retryCommand) filter() (call.Filter, error) {
	f := call.Filter{State: call.State(c.State), Result: call.Result(c.Result), Campaign: c.Campaign}
	if f.State == call.Unknown {
		return f, usageError{errors.New("--state unknown needs a person for each call: callagent resolve CALL rang|redial|drop")}
	}
	if f.State != "" {
		if err := oneOf("--state", f.State, []call.State{call.Completed, call.Failed, call.Expired}); err != nil {
			return f, err
		}
	}
	if f.Result != "" {
		if err := oneOf("--result", f.Result, call.Results()); err != nil {
			return f, err
		}
		f.State = cmp.Or(f.State, call.Completed)
	}
	switch {
	case f.State == "":
		return f, usageError{errors.New("say whom to call again: --result no-answer (or busy, voicemail …), --state failed or --state expired")}
	case f.State == call.Completed && f.Result == "":
		return f, usageError{errors.New("--state completed holds those who answered too: add --result no-answer, or whichever you mean")}
	case f.State != call.Completed && f.Result != "":
		return f, usageError{fmt.Errorf("--state %s has no result: leave out --result", f.State)}
	}
	return f, nil
}

// finished are the calls that a retry is about.
type finished struct {
	filter  call.Filter
	keys    []call.Key
	counts  map[string]int // by campaign
	pending int            // not yet in the CRM, and left out
}

// selectFinished finds the calls of the filter that can be ordered again.
func selectFinished(ctx context.Context, r agent.Register, f call.Filter) (finished, error) {
	found := finished{filter: f, counts: map[string]int{}}
	for c, err := range r.Calls(ctx, f) {
		if err != nil {
			return found, err
		}
		switch _, _, may := c.Again(c.FinishedAt); {
		case c.Key.Kept():
		case !may:
			found.pending++
		default:
			found.keys = append(found.keys, c.Key)
			found.counts[c.Key.Campaign]++
		}
	}
	return found, nil
}

// print says what a retry would do.
func (f finished) print(w io.Writer) error {
	how := string(f.filter.State)
	if f.filter.Result != "" {
		how = string(f.filter.Result)
	}
	if len(f.keys) > 0 {
		t := newTable(w, "CAMPAIGN", "ENDED", "TO CALL AGAIN")
		for _, name := range slices.Sorted(maps.Keys(f.counts)) {
			t.row(name, how, f.counts[name])
		}
		if err := t.Close(); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintln(w, "There is nobody to call again."); err != nil {
		return err
	}
	if f.pending == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s left out because the CRM does not have the outcome yet: callagent run tells it.\n", number(f.pending, "call"))
	return err
}

// confirm asks on a terminal. Elsewhere nobody can answer.
func (c *retryCommand) confirm(ctx context.Context, w World) error {
	switch {
	case c.Yes:
		return nil
	case !w.Terminal:
		return usageError{errors.New("nobody was called again: add --yes to do it")}
	}
	if _, err := fmt.Fprint(w.Out, "Each of them is called once more. Go on? [y/N] "); err != nil {
		return err
	}
	in := until(ctx, w.In)
	defer in.Close()
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if reply := strings.ToLower(strings.TrimSpace(line)); reply != "y" && reply != "yes" {
		return errors.New("nobody was called again")
	}
	return nil
}

// ordersAtOnce is how many calls are written together, because the store
// flushes them to the disk together.
const ordersAtOnce = 32

// again orders the calls again and says what became of it.
func again(ctx context.Context, w World, store wiring.Store, f finished) error {
	o := orders{store: store, filter: f.filter, queue: batch{queue: store}}
	err := o.place(ctx, f.keys)
	if o.placed > 0 {
		err = errors.Join(err, note(context.WithoutCancel(ctx), store, "calls_ordered_again", "ordered "+number(o.placed, "call")+" again"))
	}
	sentence := fmt.Sprintf("%s on the queue again: callagent run calls them, in AWS the functions do.", number(o.placed, "contact"))
	if o.changed > 0 {
		sentence += fmt.Sprintf(" %s changed meanwhile and left as they are.", number(o.changed, "call"))
	}
	_, printing := fmt.Fprintln(w.Out, sentence)
	return errors.Join(err, printing)
}

// orders puts the next rounds into the ledger and then on the queue. What is
// lost between the two, the ticks find by its due time.
type orders struct {
	store  wiring.Store
	filter call.Filter

	mu      sync.Mutex
	queue   batch
	placed  int
	changed int // by somebody else since they were selected
}

var errOtherEnd = errors.New("it ended in another way meanwhile")

func (o *orders) place(ctx context.Context, keys []call.Key) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(ordersAtOnce)
	for _, k := range keys {
		if working.Err() != nil {
			break
		}
		group.Go(func() error { return o.one(working, k) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		err = errInterrupted
	}
	return errors.Join(err, o.queue.flush(context.WithoutCancel(ctx)))
}

// one orders one call again, if it still is as it was selected.
func (o *orders) one(ctx context.Context, k call.Key) error {
	now := (&clock.Clock{}).Now()
	done, err := operator.Change(ctx, o.store, k, func(c call.Call) (call.Write, error) {
		w, may := operator.OrderAgain(c, now)
		if !may || c.State != o.filter.State || c.Result != o.filter.Result {
			return w, errOtherEnd
		}
		return w, nil
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case errors.Is(err, errOtherEnd), errors.Is(err, agent.ErrNotFound):
		o.changed++
		return nil
	case err != nil:
		return err
	}
	o.placed++
	return o.queue.add(context.WithoutCancel(ctx), done.Call.Contact)
}
