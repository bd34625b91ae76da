package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
)

// SilentLedger is how long a message stays away when the ledger cannot be
// reached: long, because an outage must not spend receives.
const SilentLedger = time.Minute

// work is one claimed call in the hands of this process.
type work struct {
	call     call.Call
	campaign call.Campaign
	orphan   bool      // the settings do not have the campaign any more
	step     call.Step // the one that is being done
	// leaseEnd is when our lease is over, on the monotonic clock and counted
	// from before the claim was sent.
	leaseEnd time.Time
}

// errStop ends the work on a call: somebody else has it, or the ledger is
// silent. The message, or a tick, brings it back.
var errStop = errors.New("stopped working on the call")

// Handle works one message: a contact, or a wake-up for its call. It returns
// when the call is finished, set aside, or has to wait.
func (a *Agent) Handle(ctx context.Context, m Message) Verdict {
	contact, err := call.Decode(m.Body)
	if err != nil {
		return a.reject(call.Contact{}, err.Error())
	}
	if contact.TimeZone != "" && a.ValidZone != nil && !a.ValidZone(contact.TimeZone) {
		return a.reject(contact, `field "time_zone" is no IANA time zone: write it like Europe/Berlin, or leave it out`)
	}
	campaign, known := a.Campaign(contact.Campaign)
	if !known {
		campaign = call.Campaign{Name: contact.Campaign, MaxLength: longestCall}
	}
	w, verdict := a.claim(ctx, arrival{contact, m.Sent}, campaign, known)
	if w == nil {
		return verdict
	}
	err = a.walk(ctx, w)
	a.giveUpProbes(ctx, w.call)
	switch {
	case errors.Is(err, ErrConflict):
		return Verdict{Do: Done, Reason: "somebody else took it over", State: w.call.State}
	case err != nil:
		return Verdict{Do: Again, At: w.leaseEnd.Add(a.Skew), Reason: "the ledger did not confirm a write", State: w.call.State}
	}
	return a.verdict(w.call)
}

// orphanFor is how long a call waits for its campaign to come back.
const orphanFor = time.Hour

// longestCall is how long a conversation of a campaign that the settings no
// longer have may last.
const longestCall = 4 * time.Hour

// reject refuses a message that can never be worked.
func (a *Agent) reject(contact call.Contact, why string) Verdict {
	a.write(journal.Error, "", "message_rejected", why, call.Call{Key: contact.Key()})
	return Verdict{Do: Reject, Reason: why}
}

// giveUpProbes gives back a probe lease that the call inherited and will not
// use in time, because it waits for something else.
func (a *Agent) giveUpProbes(ctx context.Context, c call.Call) {
	for _, name := range Services() {
		s := a.services[name]
		if s == nil {
			continue
		}
		r := s.circuit.Seen()
		if r.State != breaker.HalfOpen || r.Probe.Holder != c.Key.String() || c.State == call.Waiting && c.Due.Before(r.Probe.Until) {
			continue
		}
		s.circuit.Released(context.WithoutCancel(ctx), breaker.Permit{Epoch: r.Epoch, Probe: true}, a.Clock.Now())
	}
}

// arrival is a contact and when its message was sent.
type arrival struct {
	contact call.Contact
	sent    time.Time
}

// claim asks the rules whether this process may work on the contact's call,
// and stores the claim. The work is nil when it may not. A new contact of a
// campaign that is not known is refused; a call that was begun when it was
// known goes on as far as it can.
func (a *Agent) claim(ctx context.Context, m arrival, campaign call.Campaign, known bool) (*work, Verdict) {
	began, contact := a.Clock.Now(), m.contact
	c, err := a.Ledger.Get(ctx, contact.Key())
	switch {
	case errors.Is(err, ErrNotFound) && !known:
		return nil, a.reject(contact, fmt.Sprintf("campaign %q is not known: add [campaign.%s] to the settings, or correct the contact", contact.Campaign, contact.Campaign))
	case errors.Is(err, ErrNotFound):
		c = call.Call{Key: contact.Key()}
	case err != nil:
		return nil, a.ledgerSilent(ctx, contact, err)
	}
	if contact.ExpiresAt.IsZero() && campaign.ExpiresAfter > 0 {
		first := c.CreatedAt
		if first.IsZero() {
			first = began
		}
		contact.ExpiresAt = first.Add(campaign.ExpiresAfter)
	}
	stored := c
	c = c.Refresh(contact, a.Number(contact.Phone), m.sent)
	lease := a.leaseFor(c)
	claiming := call.Claims(c, call.Asker{
		Now: began, Holder: a.Holder, Lease: lease, Skew: a.Skew, Admits: a.admits(ctx, c, began),
	})
	if claiming.Do != call.TakeIt {
		a.keepContact(ctx, stored, c)
	}
	switch claiming.Do {
	case call.Acknowledge:
		return nil, Verdict{Do: Done, Reason: claiming.Reason, State: c.State}
	case call.ComeBack:
		return nil, Verdict{Do: Again, At: claiming.At, Reason: claiming.Reason, State: c.State}
	}
	w := &work{call: claiming.Call, campaign: campaign, orphan: !known, leaseEnd: began.Add(lease)}
	if c.Notice != "" && !c.State.Final() && a.tell(ctx, c) { // parked with an alert that a crash may have held back
		w.call = w.call.Told(began)
	}
	err = a.Ledger.Put(ctx, call.Write{Call: w.call})
	switch {
	case errors.Is(err, ErrConflict):
		return nil, Verdict{Do: Done, Reason: "somebody else claimed it", State: c.State}
	case err != nil:
		return nil, a.ledgerSilent(ctx, contact, err)
	}
	w.call.Version++
	return w, Verdict{}
}

// keepContact stores newer data about a contact whose call cannot be claimed
// now, because the message that carries them goes.
func (a *Agent) keepContact(ctx context.Context, stored, c call.Call) {
	if c.State != call.Waiting && c.State != call.Parked || stored.Contact.Equal(c.Contact) {
		return
	}
	if err := a.Ledger.Put(ctx, call.Write{Call: c}); err != nil && !errors.Is(err, ErrConflict) {
		a.write(journal.Warning, "", "ledger_silent", "Newer data about the contact could not be stored: send the contact again.", c)
	}
}

// admits reports whether the circuit that a parked call waits for would let it
// pass. A call that was released is never refused on a record older than its
// release.
func (a *Agent) admits(ctx context.Context, c call.Call, now time.Time) bool {
	s := a.services[c.Park.Service]
	if c.Park.Service == "" || s == nil {
		return c.Park.Service != "" // a service that is switched off holds nobody
	}
	r, known := s.circuit.Look(ctx, released(c, a.Skew))
	if !known {
		return true
	}
	_, refusal := breaker.Admit(r, c.Key.String(), 0, now)
	return refusal == breaker.None || refusal == breaker.Paused
}

// released is from when on a record must be to be believed about a parked
// call, by the clock of whoever reads it; zero: from any time.
func released(c call.Call, skew time.Duration) time.Time {
	if c.Park.SentAt.IsZero() {
		return time.Time{}
	}
	return c.Park.SentAt.Add(skew)
}

func (a *Agent) ledgerSilent(ctx context.Context, contact call.Contact, err error) Verdict {
	now := a.Clock.Now()
	if ctx.Err() == nil {
		a.write(journal.Error, "", "ledger_silent", "The ledger does not answer: nothing is dialled, the message goes back."+remedy(err), call.Call{Key: contact.Key()})
	}
	return Verdict{Do: Again, At: now.Add(SilentLedger), Reason: "the ledger does not answer"}
}

// limit is the time limit of the request that a step sends.
func (a *Agent) limit(s call.Step) time.Duration {
	if s := a.services[a.serviceOf(s)]; s != nil {
		return s.Timeout
	}
	return 0
}

// leaseFor is how long a claim or checkpoint of the call must last: the next
// request's time limit, the margin that it has to keep, and two more of them to
// get to the request.
func (a *Agent) leaseFor(c call.Call) time.Duration {
	return a.limit(c.Next()) + 3*call.LeaseMargin
}

// serviceOf names the service that a step needs.
func (a *Agent) serviceOf(s call.Step) string {
	switch s {
	case call.ScriptStep:
		return LLM
	case call.SpeechStep:
		return ElevenLabs
	case call.DialStep, call.OutcomeStep:
		return Twilio
	case call.RecordStep:
		return CRMService
	}
	return ""
}

// walk takes the call from step to step until it waits, is set aside or ends.
// An error means that this process must not touch the call any more.
func (a *Agent) walk(ctx context.Context, w *work) error {
	for {
		if done, err := a.paperwork(ctx, w); done || err != nil {
			return err
		}
		if a.Stopping() || ctx.Err() != nil || !a.fits(ctx, a.limit(w.call.Next())) {
			return a.yield(ctx, w)
		}
		if w.call.Takeovers >= call.MaxTakeovers && !w.call.Dialled() && !w.call.State.Final() {
			if err := a.fail(ctx, w, "crashed: too many holders went silent while working on it"); err != nil {
				return err
			}
			continue
		}
		if err := a.step(ctx, w); err != nil {
			return err
		}
	}
}

// step does the call's next step.
func (a *Agent) step(ctx context.Context, w *work) error {
	w.step = w.call.Next()
	if w.orphan && !w.call.Dialled() && !w.call.State.Final() {
		now := a.Clock.Now()
		w.call = w.call.For(orphanFor, now, call.CampaignGone)
		a.write(journal.Error, "", "call_parked", fmt.Sprintf("Skipped, next contact: campaign %q is not in the settings any more: add [campaign.%s] again.", w.campaign.Name, w.campaign.Name), w.call)
		return a.save(ctx, w, call.Write{})
	}
	switch w.step {
	case call.ScriptStep:
		if ready, err := a.ready(ctx, w); !ready {
			return err
		}
		return a.script(ctx, w)
	case call.SpeechStep:
		return a.speech(ctx, w)
	case call.DialStep:
		return a.dial(ctx, w)
	case call.OutcomeStep:
		return a.outcome(ctx, w)
	default:
		return a.record(ctx, w)
	}
}

// paperwork tells people what has to be told, and reports whether the call is
// out of our hands.
func (a *Agent) paperwork(ctx context.Context, w *work) (bool, error) {
	c := w.call
	if c.Notice != "" && a.tell(ctx, c) && c.State.Final() {
		w.call = c.Told(a.Clock.Now())
		if err := a.save(ctx, w, call.Write{}); err != nil {
			return true, err
		}
	}
	switch {
	case c.State == call.Running:
		return false, nil
	case !c.State.Final():
		return true, nil
	}
	given := c.Lease.Holder == "" // it waits for something, and anybody may have it by now
	return w.call.Next() == call.NoStep || given, nil
}

// yield gives a call back untouched, because this process ends.
func (a *Agent) yield(ctx context.Context, w *work) error {
	if w.call.State.Final() {
		w.call.Lease = call.Lease{}
	} else {
		now := a.Clock.Now()
		w.call = w.call.Until(now, now, "handed back: the process is stopping")
	}
	return a.save(ctx, w, call.Write{})
}

// save stores the call as w has it, whole or not at all, and renews the lease
// if the call stays in our hands. It outlives a cancelled context, because
// what was done has to be stored.
func (a *Agent) save(ctx context.Context, w *work, extra call.Write) error {
	ctx, cancel := a.Clock.WithTimeout(context.WithoutCancel(ctx), call.LeaseMargin/2)
	defer cancel()
	began := a.Clock.Now()
	if holds := w.call.State == call.Running || w.call.State.Final() && w.call.Lease.Holder != ""; holds {
		lease := a.leaseFor(w.call)
		w.call.Lease = call.Lease{Holder: a.Holder, Until: began.Add(lease)}
		w.leaseEnd = began.Add(lease)
	}
	extra.Call = w.call
	return a.put(ctx, w, extra)
}

// saveEnd stores a final state and journals it.
func (a *Agent) saveEnd(ctx context.Context, w *work, extra call.Write) error {
	err := a.save(ctx, w, extra)
	if err == nil {
		a.journalEnd(w.call)
	}
	return err
}

// put does one write. Refusals that are about the number or the SID are given
// to the caller; anything else ends our work on the call.
func (a *Agent) put(ctx context.Context, w *work, write call.Write) error {
	err := a.Ledger.Put(ctx, write)
	var taken *TakenError
	switch {
	case err == nil:
		w.call.Version++
		return nil
	case errors.As(err, &taken), errors.Is(err, ErrBlocked):
		return err
	case errors.Is(err, ErrConflict):
		return fmt.Errorf("%w: %w", errStop, err)
	}
	a.write(journal.Error, "", "ledger_silent", "The ledger did not confirm a write: the call is left to its lease.", w.call)
	return fmt.Errorf("%w: %w", errStop, err)
}

// verdict is what becomes of the message of a call that left our hands.
func (a *Agent) verdict(c call.Call) Verdict {
	v := Verdict{State: c.State}
	now := a.Clock.Now()
	waiting := c.State == call.Waiting || c.State == call.Reconciling ||
		c.State.Final() && c.Recorded == call.Pending && c.Park.Service == "" && c.Due.Sub(now) <= call.MaxHidden
	if waiting {
		v.Do, v.At, v.Reason = Again, c.Due.Add(a.Skew), "due later"
	}
	return v
}

// tell raises the alert that a call's state asks for, and reports whether it
// is kept.
func (a *Agent) tell(ctx context.Context, c call.Call) bool {
	return a.raise(ctx, callAlert(c, a.Clock.Now()))
}

// faultOf finds the fault in a service's error and weighs it.
func (a *Agent) faultOf(s *service, c call.Call, err error) *fault.Fault {
	return s.circuit.Suspect(fault.From(s.name, err), c.Key.String())
}
