package ledgertest

import (
	"time"

	"callagent/core/alert"
	"callagent/core/call"
)

// noon is when most things in the suite happen.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// at is a moment some minutes after noon.
func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// running is a new record of a contact of the spring campaign.
func running(contact string) call.Call { return in("spring", contact) }

// in is a new record of a contact of a campaign. All contacts share a number.
func in(campaign, contact string) call.Call {
	k := call.Key{Campaign: campaign, Contact: contact}
	return call.Call{
		Key:       k,
		Contact:   call.Contact{Campaign: campaign, ID: contact, Phone: "+15005550006"},
		Number:    "hash-of-a-number",
		State:     call.Running,
		CreatedAt: noon,
	}
}

// dialling is a new record with the intent "attempt-" + contact.
func dialling(contact string) call.Call {
	c := running(contact)
	c.Intent = &call.Intent{Attempt: "attempt-" + contact, At: noon, Deadline: at(1), From: "+15005550001"}
	return c
}

// unknown is a new record of a call that ended without anybody knowing how.
func unknown(contact string) call.Call {
	c := dialling(contact)
	c.State, c.Reason, c.Notice = call.Unknown, "nobody can say", alert.CallUnknown
	c.FinishedAt = at(3)
	c.History = []call.Event{{At: at(3), What: "unknown"}}
	return c
}

// parked is a new record that waits for a service's circuit since the minute.
func parked(contact, service string, since int) call.Call {
	c := running(contact)
	c.State = call.Parked
	c.Park = call.Park{Number: 1, Service: service, Reason: "circuit open", Since: at(since)}
	return c
}

// due is a new record that must be looked at in the minute.
func due(contact string, minute int) call.Call {
	c := running(contact)
	c.State, c.Due = call.Waiting, at(minute)
	return c
}

// busy is the provider's final answer in these checks.
func busy(sid string) call.Answer {
	return call.Answer{SID: sid, Result: call.Busy, Duration: 3 * time.Second, Detail: "486", At: at(2)}
}

// ringing is an answer that brings only the SID.
func ringing(sid string) call.Answer { return call.Answer{SID: sid, At: at(1)} }

// full is a record in which every field is set.
func full() call.Call {
	c := dialling("full")
	c.Contact.Name = "Ada Łoś"
	c.Contact.Variables = map[string]string{"plan": "gold", "note": `"quoted", <b> & 'ticks'`}
	c.Contact.TimeZone, c.Contact.ExpiresAt = "Europe/Berlin", at(600)
	c.State, c.Lease = call.Completed, call.Lease{Holder: "worker-1", Until: at(5)}
	c.Due, c.Round, c.ContactAt = at(7), 2, at(2)
	c.Park = call.Park{Number: 4, Service: "crm", Reason: "circuit open", Since: at(8), Until: at(9), SentAt: at(10)}
	c.Script, c.Speech, c.Slot, c.SID = "script:1", "speech:1", at(11), "CA-full"
	c.Recorded, c.CRMID = call.Pending, "crm-1"
	c.Retries, c.SpentParks, c.Takeovers, c.Listings = 1, 2, 3, 4
	c.Account = &call.AccountFault{Service: "llm", At: at(12)}
	c.Result, c.Talk = call.Voicemail, 42*time.Second
	c.Reason, c.Notice = "a reason", alert.CallFailed
	c.History = []call.Event{{At: at(1), What: "script stored"}, {At: at(2), What: "speech stored"}}
	c.FinishedAt = at(13)
	return c
}

// keys names the calls in their order.
func keys(calls []call.Call) []string {
	names := []string{}
	for _, c := range calls {
		names = append(names, c.Key.Contact)
	}
	return names
}
