package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/agent"
	"callagent/core/call"
)

// The attributes of a number's item. What was dialled is marked by campaign:
// mark#CAMPAIGN is the contact. A number that nobody holds is forgotten after
// 90 days, with the calls that made its marks; a blocked one never is.
const (
	attrHolder  = "holder"  // the live call; absent: none
	attrBlocked = "blocked" // true; absent: the number may be called
	markPrefix  = "mark#"
)

var yes = &types.AttributeValueMemberBOOL{Value: true}

// phone is what is known of a number, as one campaign sees it.
type phone struct {
	known   bool // false: nobody looked
	holder  string
	mark    string // the contact that the campaign dialled
	blocked bool
}

// phone reads a number as it is now.
func (s *Calls) phone(ctx context.Context, hash, campaign string) (phone, error) {
	found, err := s.item(ctx, item{PartitionKey: text(numberPrefix + hash)})
	return readPhone(found, campaign), err
}

// readPhone reads a number's item, nil when there is none.
func readPhone(i item, campaign string) phone {
	return phone{
		known: true, holder: textOf(i[attrHolder]), mark: textOf(i[markPrefix+campaign]), blocked: i[attrBlocked] != nil,
	}
}

// refuses says why the call k may not take the number.
func (p phone) refuses(k call.Key) error {
	switch {
	case p.blocked:
		return agent.ErrBlocked
	case p.holder != "" && p.holder != keyText(k):
		return &agent.TakenError{What: agent.NumberBusy, By: keyFrom(p.holder)}
	case p.mark != "" && p.mark != k.Contact:
		return &agent.TakenError{What: agent.NumberMarked, By: call.Key{Campaign: k.Campaign, Contact: p.mark}}
	}
	return nil
}

// changeNumber is what a write does to the number of the call; nil for
// nothing. A number that nobody looked at is taken for the call's own: if it
// is not, the change is refused and made again.
func (s *Calls) changeNumber(op call.NumberOp, c call.Call, p phone) *change {
	to := changing(numberPrefix + c.Number)
	me, mark, contact := text(keyText(c.Key)), markPrefix+c.Key.Campaign, text(c.Key.Contact)
	switch op {
	case call.KeepNumber:
		return nil
	case call.TakeNumber:
		to.absentOr(attrHolder, me)
		to.absentOr(mark, contact)
		to.equals(attrBlocked, nil)
		to.set(attrHolder, me)
		to.set(mark, contact)
		to.set(TTL, nil)
		return to
	}
	holds := !p.known || p.holder == keyText(c.Key)
	marked := op == call.WithdrawNumber && (!p.known || p.mark == c.Key.Contact)
	if marked {
		to.equals(mark, contact)
		to.set(mark, nil)
	}
	if holds {
		to.equals(attrHolder, me)
		to.set(attrHolder, nil)
		s.forget(to, p.blocked)
	}
	if !holds && !marked {
		return nil
	}
	return to
}

// forget ends the time of a number that nobody holds any more, unless it is
// blocked.
func (s *Calls) forget(to *change, blocked bool) {
	if blocked {
		to.equals(attrBlocked, yes)
		return
	}
	to.equals(attrBlocked, nil)
	to.set(TTL, number(s.now().Add(kept).Unix()))
}

// Block puts a number on the do-not-call list.
func (s *Calls) Block(ctx context.Context, hash string) error {
	to := changing(numberPrefix + hash)
	to.set(attrBlocked, yes)
	to.set(TTL, nil)
	_, err := s.commit(ctx, to)
	return err
}

// Unblock takes a number off the list; one that is not on it is no error.
func (s *Calls) Unblock(ctx context.Context, hash string) error {
	for range sendings {
		p, err := s.phone(ctx, hash, "")
		if err != nil || !p.blocked {
			return err
		}
		to := changing(numberPrefix + hash)
		to.equals(attrBlocked, yes)
		to.equals(attrHolder, textOrNone(p.holder))
		to.set(attrBlocked, nil)
		if p.holder == "" {
			to.set(TTL, number(s.now().Add(kept).Unix()))
		}
		v, err := s.commit(ctx, to)
		if err != nil || len(v.refused) == 0 {
			return err
		}
	}
	return errRestless
}

// Blocked reports whether a number is on the list.
func (s *Calls) Blocked(ctx context.Context, hash string) (bool, error) {
	p, err := s.phone(ctx, hash, "")
	return p.blocked, err
}
