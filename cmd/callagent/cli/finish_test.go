package cli_test

import (
	"context"
	"fmt"
	"time"

	"callagent/core/alert"
	"callagent/core/call"
	"callagent/infra/sqlite"
)

// finish makes a store with calls that ended in every way: c-101 and c-102
// unknown, c-103 and c-104 without an answer, c-105 too but not in the CRM yet,
// c-106 answered, c-107 failed, c-108 expired; c-109 is under way.
func finish(ctx context.Context, path string) error {
	s, err := sqlite.Open(ctx, path, sqlite.Options{Now: func() time.Time { return noon }})
	if err != nil {
		return err
	}
	for i, c := range ended() {
		c.Key.Contact = fmt.Sprintf("c-%d", 101+i)
		if c.Key.Campaign == "" {
			c.Key.Campaign = "spring"
		}
		c.Contact.Campaign, c.Contact.ID, c.Contact.Phone = c.Key.Campaign, c.Key.Contact, planted
		c.Number, c.CreatedAt = fmt.Sprintf("hash-%d", i), noon.Add(time.Duration(i)*time.Minute)
		if c.State.Final() {
			c.FinishedAt = noon.Add(time.Hour)
		}
		if err := s.Put(ctx, call.Write{Call: c}); err != nil {
			return err
		}
	}
	return s.Close()
}

func ended() []call.Call {
	lost := call.Call{
		State: call.Unknown, Intent: &call.Intent{Attempt: "a", At: noon, Deadline: noon.Add(time.Minute)},
		Notice: alert.CallUnknown, Due: noon, Reason: "nobody can say",
	}
	unheard := func(campaign string, recorded call.Recorded) call.Call {
		return call.Call{Key: call.Key{Campaign: campaign}, State: call.Completed, Result: call.NoAnswer, Recorded: recorded}
	}
	late := unheard("spring", call.Pending)
	late.Due = noon
	return []call.Call{
		lost, lost, unheard("spring", call.Yes), unheard("default", call.Off), late,
		{State: call.Completed, Result: call.Answered, Recorded: call.Yes},
		{State: call.Failed, Reason: "twilio: invalid_request (400) 21211"},
		{State: call.Expired, Contact: call.Contact{ExpiresAt: noon}},
		{State: call.Waiting, Due: noon},
	}
}
