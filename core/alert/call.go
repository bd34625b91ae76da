package alert

import (
	"fmt"
	"strings"
	"time"
)

// Subject is the call that an alert is about.
type Subject struct {
	CallID, Campaign string
	Reason           string // a clause without a full stop
	At               time.Time
	Park             int // number of the park, for RetriesExhausted
	Round            int // of a call that a person ordered again; 0 for the first
}

// ForCall is the alert of one call. Only the kinds CallFailed, CallUnknown and
// RetriesExhausted are about a call.
func ForCall(k Kind, s Subject) Alert {
	a := Alert{
		ID: fmt.Sprintf("call/%s/%s", s.CallID, k), Kind: k, Severity: Warning,
		Campaign: s.Campaign, CallID: s.CallID, At: s.At, Reason: s.Reason,
	}
	if s.Round > 0 {
		a.ID = fmt.Sprintf("call/%s#%d/%s", s.CallID, s.Round, k)
	}
	who := a.contact()
	switch k {
	case CallUnknown:
		a.Severity = Critical
		a.Title = fmt.Sprintf("Did the phone of %s ring? (campaign %s)", who, s.Campaign)
		a.What = fmt.Sprintf("Nobody can say whether the phone of contact %s rang: %s.", who, s.Reason)
	case RetriesExhausted:
		a.ID = fmt.Sprintf("%s/%d", a.ID, s.Park)
		a.Title = fmt.Sprintf("The call to %s is late (campaign %s)", who, s.Campaign)
		a.What = fmt.Sprintf("The call to contact %s was set aside: %s.", who, s.Reason)
	default:
		a.Title = fmt.Sprintf("Call to %s failed (campaign %s)", who, s.Campaign)
		a.What = fmt.Sprintf("The call to contact %s failed: %s.", who, s.Reason)
	}
	return a.advised(s.CallID, 1)
}

// advised is an alert about a call with what it means for n calls like it and
// what is to be done. id is what the reader names a call by.
func (a Alert) advised(id string, n int) Alert {
	only, was, is := "only this contact", "was", "is"
	if n > 1 {
		only, was, is = fmt.Sprintf("only these %d contacts", n), "were", "are"
	}
	switch a.Kind {
	case CallUnknown:
		a.Effect = only + ", called once or not at all."
		a.Agent = "does not call again by itself, because the phone could ring a second time. It goes on with the others."
		a.You = fmt.Sprintf("Look for the contact's number in Twilio's list of calls. Then say what you found, with the buttons on the dashboard or: "+
			"callagent resolve %s rang (or redial, to call again, or drop, to leave it).", id)
	case RetriesExhausted:
		a.Effect = only + ", who " + is + " called later."
		a.Agent = "tries again by itself, after 1, 2, 4, 8 and 16 minutes. If that does not help the call fails, and you are told."
	default:
		a.Effect = only + ", who " + was + " not called."
		a.Agent = "goes on with the next contact. It does not try again."
		a.You = "Nothing, unless the contact should be called after all: then correct its data and put it on the list again under a new id."
	}
	return a
}

// contact is the id of the contact that an alert about a call is about.
func (a Alert) contact() string { return strings.TrimPrefix(a.CallID, a.Campaign+"/") }

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
		Title: fmt.Sprintf("Campaign %s is finished: %d of %d completed", campaign, t.Completed, total),
		What: fmt.Sprintf("Campaign %s is finished: %s, %d completed (answered, busy, nobody at home or voicemail), %d failed, %d unknown, %d expired.",
			campaign, count(total, "call"), t.Completed, t.Failed, t.Unknown, t.Expired),
		Effect: "everybody who works with this campaign: every contact has an outcome.",
		Agent:  "has nothing left to do, until contacts are added.",
	}
	if t.Unknown > 0 {
		a.Effect = fmt.Sprintf("everybody who works with this campaign: every contact has an outcome, but of %d nobody can say whether it rang.", t.Unknown)
		a.You = "Settle those: callagent calls --state unknown lists them, as does the dashboard."
	}
	return a
}
