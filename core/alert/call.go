package alert

import (
	"fmt"
	"time"
)

// Subject is the call that an alert is about.
type Subject struct {
	CallID, Campaign string
	Reason           string
	At               time.Time
	Park             int // number of the park, for RetriesExhausted
	Round            int // of a call that a person ordered again; 0 for the first
}

// ForCall is the alert of one call. Only the kinds CallFailed, CallUnknown and
// RetriesExhausted are about a call.
func ForCall(k Kind, s Subject) Alert {
	a := Alert{
		ID: fmt.Sprintf("call/%s/%s", s.CallID, k), Kind: k, Severity: Warning,
		Campaign: s.Campaign, CallID: s.CallID, At: s.At,
	}
	if s.Round > 0 {
		a.ID = fmt.Sprintf("call/%s#%d/%s", s.CallID, s.Round, k)
	}
	switch k {
	case CallUnknown:
		a.Severity = Critical
		a.What = fmt.Sprintf("Nobody can say whether call %s rang: %s.", s.CallID, s.Reason)
		a.Effect = "The contact may have been called once. It is not called again by itself."
		a.You = fmt.Sprintf("Look the number up in the provider's call log, then: callagent resolve %s rang|redial|drop", s.CallID)
	case RetriesExhausted:
		a.ID = fmt.Sprintf("%s/%d", a.ID, s.Park)
		a.What = fmt.Sprintf("Call %s was set aside: %s.", s.CallID, s.Reason)
		a.Agent = "It is tried again by itself, after a longer wait each time."
	default:
		a.What = fmt.Sprintf("Call %s failed: %s.", s.CallID, s.Reason)
		a.Effect = "The contact was not called."
		a.Agent = "It went on with the next contact."
		a.You = "Correct the contact's data if it should be called after all."
	}
	return a
}

// Tally is how many calls of a campaign ended in which way.
type Tally struct {
	Completed, Failed, Unknown, Expired int
	Kept                                int // earlier calls of contacts that are called again
}

// ForCampaign says that a campaign has nothing left to do. Its id holds the
// number of calls, so a campaign that gets more contacts, or calls some again,
// is told again when those are done.
func ForCampaign(campaign string, t Tally, at time.Time) Alert {
	total := t.Completed + t.Failed + t.Unknown + t.Expired
	a := Alert{
		ID: fmt.Sprintf("campaign/%s/%s/%d", campaign, CampaignFinished, total+t.Kept), Kind: CampaignFinished,
		Campaign: campaign, At: at,
		What: fmt.Sprintf("Campaign %s is finished: %d calls, %d completed, %d failed, %d unknown, %d expired.",
			campaign, total, t.Completed, t.Failed, t.Unknown, t.Expired),
	}
	if t.Unknown > 0 {
		a.You = "Settle the unknown calls: callagent calls --state unknown"
	}
	return a
}
