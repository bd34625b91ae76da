package ledgertest

import (
	"errors"
	"fmt"
	"sync"

	"callagent/core/agent"
	"callagent/core/call"
)

// crowd is how many race in these checks.
const crowd = 50

// race lets the crowd do the same thing at once and gives the results in the
// order of the runners.
func race(n int, run func(i int) error) []error {
	results := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			results[i] = run(i)
		})
	}
	close(start)
	all.Wait()
	return results
}

// oneWins fails unless one result is nil and lost accepts all the others. It
// returns who won.
func (b *bench) oneWins(results []error, lost func(error) bool) int {
	b.Helper()
	winner := -1
	for i, err := range results {
		switch {
		case err == nil && winner >= 0:
			b.Errorf("%d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !lost(err):
			b.Errorf("%d failed with %v", i, err)
		}
	}
	if winner < 0 {
		b.Fatal("nobody won")
	}
	return winner
}

func conflict(err error) bool { return errors.Is(err, agent.ErrConflict) }

func taken(err error) bool {
	var t *agent.TakenError
	return errors.As(err, &t)
}

var raceCases = []testCase{
	{"one of many writes of the same version wins", func(b *bench) {
		c := b.put(running("ada"))
		winner := b.oneWins(race(crowd, func(i int) error {
			c := c
			c.Retries = i
			return b.Put(b.ctx, call.Write{Call: c})
		}), conflict)
		got := b.read(c.Key)
		b.same("version", got.Version, int64(2))
		b.same("what the winner wrote", got.Retries, winner)
	}},
	{"one of many first writes wins", func(b *bench) {
		winner := b.oneWins(race(crowd, func(i int) error {
			c := running("ada")
			c.Retries = i
			return b.Put(b.ctx, call.Write{Call: c})
		}), conflict)
		b.same("what the winner wrote", b.read(running("ada").Key).Retries, winner)
	}},
	{"one of many calls takes the number", func(b *bench) {
		contact := func(i int) call.Call { return in(fmt.Sprintf("campaign-%d", i), "ada") }
		winner := b.oneWins(race(crowd, func(i int) error { return b.try(contact(i)) }), taken)
		b.taken(b.try(in("winter", "bob")), agent.NumberBusy, contact(winner).Key)
	}},
	{"one of many calls owns the SID", func(b *bench) {
		contact := func(i int) call.Call { return running(fmt.Sprintf("contact-%d", i)) }
		winner := b.oneWins(race(crowd, func(i int) error {
			return b.Put(b.ctx, call.Write{Call: contact(i), Own: "CA1"})
		}), taken)
		b.owner("CA1", contact(winner).Key)
	}},
	{"one of many final answers counts", func(b *bench) {
		results := []call.Result{call.Answered, call.Voicemail, call.Fax, call.Busy, call.NoAnswer, call.NotConnected, call.Canceled}
		c := b.put(dialling("ada"))
		answer := func(i int) call.Answer { return call.Answer{SID: "CA1", Result: results[i], At: noon} }
		winner := b.oneWins(race(len(results), func(i int) error {
			_, err := b.Answer(b.ctx, c.Key, c.Intent.Attempt, answer(i))
			return err
		}), conflict)
		want := answer(winner)
		b.same("answer", b.read(c.Key).Answer, &want)
	}},
	{"no call is left unknown with an answer", func(b *bench) {
		var calls []call.Call
		for i := range crowd {
			calls = append(calls, b.put(dialling(fmt.Sprint(i))))
		}
		results := race(2*crowd, func(i int) error {
			c := calls[i/2]
			if i%2 == 0 {
				_, err := b.Answer(b.ctx, c.Key, c.Intent.Attempt, busy("CA-"+c.Key.Contact))
				return err
			}
			c.State = call.Unknown
			return b.Put(b.ctx, call.Write{Call: c, Unanswered: true})
		})
		for i, c := range calls {
			got := b.read(c.Key)
			if results[2*i] != nil || !got.Answered() || got.State == call.Unknown {
				b.Errorf("call %d is %q with answer %v (%v)", i, got.State, got.Answer, results[2*i])
			}
			if lost := results[2*i+1]; lost != nil && !conflict(lost) {
				b.Errorf("unknown of call %d failed with %v", i, lost)
			}
		}
	}},
	{"a stamp and a claim do not undo each other", func(b *bench) {
		var calls []call.Call
		for i := range crowd {
			calls = append(calls, b.put(parked(fmt.Sprint(i), "llm", i)))
		}
		race(2*crowd, func(i int) error {
			c := calls[i/2]
			if i%2 == 0 {
				return b.Stamp(b.ctx, c, at(9))
			}
			c.State = call.Running
			return b.Put(b.ctx, call.Write{Call: c})
		})
		for i, c := range calls {
			if got := b.read(c.Key); got.State != call.Running || got.Version != 2 {
				b.Errorf("call %d is %q of version %d, want running of version 2", i, got.State, got.Version)
			}
		}
	}},
}
