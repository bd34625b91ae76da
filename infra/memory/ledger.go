package memory

import (
	"context"
	"strings"
	"sync"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
)

// ledger is the calls, who owns which SID, and the numbers.
type ledger struct {
	now func() time.Time

	mu      sync.Mutex
	calls   map[call.Key]call.Call // answers included
	sids    map[string]call.Key
	numbers map[string]number
}

// number is what is known of one phone number. The zero number is free.
type number struct {
	holder  call.Key            // the live call; zero: none
	dialled map[string]call.Key // by campaign
	blocked bool
}

func newLedger(now func() time.Time) ledger {
	return ledger{
		now:     now,
		calls:   map[call.Key]call.Call{},
		sids:    map[string]call.Key{},
		numbers: map[string]number{},
	}
}

// Get reads one call.
func (l *ledger) Get(ctx context.Context, k call.Key) (call.Call, error) {
	if err := ctx.Err(); err != nil {
		return call.Call{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c, found := l.calls[k]
	if !found {
		return call.Call{}, agent.ErrNotFound
	}
	return c.Clone(), nil
}

// has reports whether there is a call of the key "campaign/contact_id".
func (l *ledger) has(key string) bool {
	campaign, contact, _ := strings.Cut(key, "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.calls[call.Key{Campaign: campaign, Contact: contact}]
	return ok
}

// Put checks all conditions first; then it writes.
func (l *ledger) Put(ctx context.Context, w call.Write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := w.Call.Clone()
	l.mu.Lock()
	defer l.mu.Unlock()

	old := l.calls[c.Key]
	if old.Version != c.Version || w.Barred(old.Answer) {
		return agent.ErrConflict
	}
	if w.Number == call.TakeNumber {
		if err := l.numbers[c.Number].refuses(c.Key); err != nil {
			return err
		}
	}
	if err := l.owned(w.Own, c.Key); err != nil {
		return err
	}
	if w.Keep != nil {
		if _, exists := l.calls[w.Keep.Key]; exists || old.Version == 0 {
			return agent.ErrConflict
		}
		l.keep(w.Keep.Clone(), old)
		old.Answer = nil
	}

	c.Version++
	c.Answer = old.Answer
	l.calls[c.Key] = c
	l.own(w.Own, c.Key)
	l.change(w.Number, c.Number, c.Key)
	return nil
}

// keep stores an earlier record under its new key, with what belongs to it.
func (l *ledger) keep(c, old call.Call) {
	c.Version, c.Answer = old.Version+1, old.Answer
	l.calls[c.Key] = c
	for sid, owner := range l.sids {
		if owner == old.Key {
			l.sids[sid] = c.Key
		}
	}
}

// Answer stores what is new in a, and settles the call if it ended unknown.
func (l *ledger) Answer(ctx context.Context, k call.Key, attempt string, a call.Answer) (call.Call, error) {
	if err := ctx.Err(); err != nil {
		return call.Call{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()

	c, hearing := call.Hear(l.calls[k], attempt, a, l.now())
	switch hearing {
	case call.Unasked:
		return call.Call{}, agent.ErrNotFound
	case call.TooLate:
		return call.Call{}, agent.ErrConflict
	case call.Heard:
		if err := l.owned(a.SID, k); err != nil {
			return call.Call{}, err
		}
		l.calls[k] = c
		l.own(a.SID, k)
	}
	return c.Clone(), nil
}

// Owner finds the call that owns a SID.
func (l *ledger) Owner(ctx context.Context, sid string) (call.Key, error) {
	if err := ctx.Err(); err != nil {
		return call.Key{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k, found := l.sids[sid]
	if !found {
		return call.Key{}, agent.ErrNotFound
	}
	return k, nil
}

// refuses says why the call k may not take the number.
func (n number) refuses(k call.Key) error {
	if n.blocked {
		return agent.ErrBlocked
	}
	if n.holder != (call.Key{}) && n.holder != k {
		return &agent.TakenError{What: agent.NumberBusy, By: n.holder}
	}
	if by, dialled := n.dialled[k.Campaign]; dialled && by != k {
		return &agent.TakenError{What: agent.NumberMarked, By: by}
	}
	return nil
}

// change does what a write says to the number of the call k.
func (l *ledger) change(op call.NumberOp, hash string, k call.Key) {
	n := l.numbers[hash]
	if n.dialled == nil {
		n.dialled = map[string]call.Key{}
	}
	switch op {
	case call.KeepNumber:
		return
	case call.TakeNumber:
		n.holder, n.dialled[k.Campaign] = k, k
	case call.FreeNumber, call.WithdrawNumber:
		if n.holder == k {
			n.holder = call.Key{}
		}
		if op == call.WithdrawNumber && n.dialled[k.Campaign] == k {
			delete(n.dialled, k.Campaign)
		}
	}
	l.numbers[hash] = n
}

// owned refuses a SID that belongs to another call than k.
func (l *ledger) owned(sid string, k call.Key) error {
	if by, found := l.sids[sid]; found && by != k {
		return &agent.TakenError{What: agent.SIDOwned, By: by}
	}
	return nil
}

func (l *ledger) own(sid string, k call.Key) {
	if sid != "" {
		l.sids[sid] = k
	}
}

// Block puts a number on the do-not-call list.
func (l *ledger) Block(ctx context.Context, hash string) error { return l.block(ctx, hash, true) }

// Unblock takes a number off the list; one that is not on it is no error.
func (l *ledger) Unblock(ctx context.Context, hash string) error { return l.block(ctx, hash, false) }

func (l *ledger) block(ctx context.Context, hash string, blocked bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.numbers[hash]
	n.blocked = blocked
	l.numbers[hash] = n
	return nil
}

// Blocked reports whether a number is on the list.
func (l *ledger) Blocked(ctx context.Context, hash string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.numbers[hash].blocked, nil
}
