package dynamo

import (
	"context"
	"slices"

	"callagent/core/agent"
	"callagent/core/call"
)

// Answer stores what is new in a, and settles the call if it ended unknown. A
// write whose answer was lost needs no nonce: sent again, it brings nothing new.
func (s *Calls) Answer(ctx context.Context, k call.Key, attempt string, a call.Answer) (call.Call, error) {
	before, err := s.get(ctx, k)
	for range sendings {
		if err != nil {
			return call.Call{}, err
		}
		after, hearing := call.Hear(before.Call, attempt, a, s.now())
		switch hearing {
		case call.Unasked:
			return call.Call{}, agent.ErrNotFound
		case call.TooLate:
			return call.Call{}, agent.ErrConflict
		case call.OldNews:
			return after, nil
		}
		changes, err := s.hearing(before, after)
		if err != nil {
			return call.Call{}, err
		}
		v, err := s.commit(ctx, changes...)
		switch {
		case err != nil:
			return call.Call{}, err
		case len(v.refused) == 0:
			return after.Clone(), nil
		}
		before, err = s.overtaken(ctx, k, v.refused)
		if err != nil {
			return call.Call{}, err
		}
	}
	return call.Call{}, errRestless
}

// hearing is the write that makes the call before into the one after: the
// answer, the ownership of its SID unless the call has it already, and the
// record if the answer settled it.
func (s *Calls) hearing(before record, after call.Call) ([]*change, error) {
	to := changing(callKey(after.Key))
	to.equals(attrVersion, number(before.Version))
	to.equals(attrAnswer, answerValue(before.Answer))
	to.set(attrAnswer, answerValue(after.Answer))
	all := []*change{to}
	if sid := after.Answer.SID; sid != "" && !slices.Contains(before.sids, sid) {
		to.add(attrSIDs, textsOrNone(sid))
		all = append(all, s.owning(sid, after.Key, after.Key))
	}
	if after.Version == before.Version {
		return all, nil
	}
	return all, s.write(to, after, newNonce())
}

// overtaken is the call as somebody else has written it meanwhile. Nobody else
// may have its SID.
func (s *Calls) overtaken(ctx context.Context, k call.Key, refused []refusal) (record, error) {
	for _, r := range refused {
		switch owner := keyFrom(textOf(r.old[attrOwner])); {
		case textOf(r.of.key[PartitionKey]) == callKey(k):
			if r.old == nil {
				return record{}, agent.ErrNotFound
			}
			return read(r.old)
		case r.old != nil && owner != k:
			return record{}, &agent.TakenError{What: agent.SIDOwned, By: owner}
		}
	}
	return s.get(ctx, k)
}
