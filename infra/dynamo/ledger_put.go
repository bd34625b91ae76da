package dynamo

import (
	"context"
	"errors"
	"strings"

	"callagent/core/agent"
	"callagent/core/call"
)

// Put does one write.
func (s *Calls) Put(ctx context.Context, w call.Write) error {
	p := putting{store: s, Write: w, nonce: newNonce()}
	if err := p.look(ctx); err != nil {
		return err
	}
	for range sendings {
		changes, err := p.changes()
		if err != nil {
			return err
		}
		v, err := s.commit(ctx, changes...)
		if err != nil || len(v.refused) == 0 {
			return err
		}
		p.doubtful = p.doubtful || v.doubtful
		if done, err := p.judge(v.refused); done || err != nil {
			return err
		}
	}
	return errRestless
}

// putting is a write on its way, with what is known of the items that it meets.
type putting struct {
	call.Write
	store *Calls
	nonce string

	before   record // the one that Keep replaces
	phone    phone
	doubtful bool // it may have been done by an earlier sending
}

// look reads what the changes depend on and cannot be guessed: the record that
// is to be kept, and a number of which a call that was never dialled may have
// nothing.
func (p *putting) look(ctx context.Context) (err error) {
	if p.Keep != nil {
		p.before, err = p.store.get(ctx, p.Call.Key)
		if errors.Is(err, agent.ErrNotFound) || err == nil && p.before.Version != p.Call.Version {
			return agent.ErrConflict
		}
		if err != nil {
			return err
		}
	}
	if gives := p.Number == call.FreeNumber || p.Number == call.WithdrawNumber; gives && !p.Call.Dialled() {
		p.phone, err = p.store.phone(ctx, p.Call.Number, p.Call.Key.Campaign)
	}
	return err
}

// changes lists what the write does. The call comes first, then the number, the
// SID, and what is kept: of several that stand in the way the first is named.
func (p *putting) changes() ([]*change, error) {
	main, err := p.main()
	if err != nil {
		return nil, err
	}
	all := []*change{main}
	if c := p.store.changeNumber(p.Number, p.Call, p.phone); c != nil {
		all = append(all, c)
	}
	if p.Own != "" {
		all = append(all, p.store.owning(p.Own, p.Call.Key, p.Call.Key))
	}
	if p.Keep == nil {
		return all, nil
	}
	copied, err := p.copy()
	if err != nil {
		return nil, err
	}
	all = append(all, copied)
	for _, sid := range p.before.sids {
		if sid != p.Own {
			all = append(all, p.store.owning(sid, p.Call.Key, p.Keep.Key))
		}
	}
	return all, nil
}

// main is the change of the call itself.
func (p *putting) main() (*change, error) {
	c := p.Call.Clone()
	to := changing(callKey(c.Key))
	to.equals(attrVersion, versionValue(c.Version))
	if p.Unanswered {
		to.equals(attrAnswer+"."+answerResult, nil)
		to.absentOr(attrAnswer+"."+answerSID, text(c.SID))
	}
	switch {
	case p.Keep != nil:
		to.equals(attrAnswer, answerValue(p.before.Answer))
		to.set(attrAnswer, nil)
		to.set(attrSIDs, textsOrNone(p.Own))
	case p.Own != "":
		to.add(attrSIDs, textsOrNone(p.Own))
	}
	c.Version++
	return to, p.store.write(to, c, p.nonce)
}

// copy is the record that is kept, under its own key, with what belongs to it.
func (p *putting) copy() (*change, error) {
	c := p.Keep.Clone()
	c.Version = p.before.Version + 1
	to := changing(callKey(c.Key))
	to.equals(attrVersion, nil)
	to.set(attrAnswer, answerValue(p.before.Answer))
	to.set(attrSIDs, textsOrNone(p.before.sids...))
	return to, p.store.write(to, c, p.nonce)
}

// judge says what the refusals mean. done: the write was done by an earlier
// sending. Without an error it is to be tried again with what is known now.
func (p *putting) judge(refused []refusal) (done bool, err error) {
	for _, r := range refused {
		switch kind, rest, _ := strings.Cut(textOf(r.of.key[PartitionKey]), "#"); {
		case kind+"#" == sidPrefix:
			if by := keyFrom(textOf(r.old[attrOwner])); r.old != nil && by != p.Call.Key {
				return false, &agent.TakenError{What: agent.SIDOwned, By: by}
			}
		case kind+"#" == numberPrefix:
			p.phone = readPhone(r.old, p.Call.Key.Campaign)
			if p.Number == call.TakeNumber {
				err = p.phone.refuses(p.Call.Key)
			}
		case rest != keyText(p.Call.Key): // what is to be kept is there already
			err = agent.ErrConflict
		default:
			done, err = p.judgeCall(r.old)
		}
		if done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// judgeCall is judge for the call's own record.
func (p *putting) judgeCall(old item) (done bool, err error) {
	version := numberOf(old[attrVersion])
	switch {
	case textOf(old[attrNonce]) == p.nonce, textOf(old[attrBefore]) == p.nonce:
		return true, nil
	case p.Keep != nil && version == p.Call.Version: // an answer came meanwhile
		p.before, err = read(old)
		return false, err
	case p.doubtful && version > p.Call.Version+2:
		return false, errDoubtful
	}
	return false, agent.ErrConflict
}

var (
	errDoubtful = errors.New("dynamodb: write a call: its answer was lost, and others have written twice since")
	errRestless = errors.New("dynamodb: write a call: others changed its number or answer again and again")
)
