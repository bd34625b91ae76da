package simulator

import (
	"context"
	"slices"
	"time"
)

// Call is one call that Twilio accepted.
type Call struct {
	SID        string    `json:"sid"`
	To         string    `json:"to"`
	From       string    `json:"from"`
	Status     string    `json:"status"` // Twilio's word
	AnsweredBy string    `json:"answered_by,omitempty"`
	Created    time.Time `json:"created"`
	Started    time.Time `json:"started,omitzero"`  // left the queue
	Answered   time.Time `json:"answered,omitzero"` // somebody or something picked up
	Ended      time.Time `json:"ended,omitzero"`
	Rang       bool      `json:"rang"`
	AudioBytes int       `json:"audio_bytes,omitempty"` // of what was played
	// Warning is the code under which Twilio complains about the application:
	// 11200 when what is to be played cannot be fetched, 12100 for TwiML that
	// cannot be read. 0 is none.
	Warning   int `json:"warning,omitempty"`
	Callbacks int `json:"callbacks,omitempty"` // reports that were taken with a 2xx
}

// seconds is the length of the conversation.
func (c Call) seconds() int {
	if c.Answered.IsZero() {
		return 0
	}
	return int(c.Ended.Sub(c.Answered).Round(time.Second) / time.Second)
}

// Twilio's words for where a call is.
const (
	statusQueued     = "queued"
	statusRinging    = "ringing"
	statusInProgress = "in-progress"
	statusCompleted  = "completed"
	statusBusy       = "busy"
	statusNoAnswer   = "no-answer"
	statusFailed     = "failed"
	statusCanceled   = "canceled"
)

func final(status string) bool {
	return !slices.Contains([]string{statusQueued, statusRinging, statusInProgress}, status)
}

// call is a Call on its way. phoneAPI.mu guards what changes.
type call struct {
	Call
	plan
	behaviour string
	updated   time.Time
	queued    time.Duration // how long it waits, as known when it was accepted
	sequence  int           // of the next report
	over      context.CancelFunc
}

// accept puts a call into the queue and shows it as it stands there.
func (p *phoneAPI) accept(to, from, behaviour string, pl plan) map[string]any {
	now := p.sim.clock.Now()
	ctx, over := context.WithCancel(p.sim.ctx)
	c := &call{plan: pl, behaviour: behaviour, updated: now, over: over,
		Call: Call{SID: "CA" + p.sim.ids.hex(), To: to, From: from, Status: statusQueued, Created: now}}
	p.mu.Lock()
	leaves := now
	if rate := p.sim.cfg.CallsPerSecond; rate > 0 {
		if p.next.After(leaves) {
			leaves = p.next
		}
		p.next = leaves.Add(time.Duration(float64(time.Second) / rate))
	}
	c.queued = leaves.Sub(now)
	p.calls = append(p.calls, c)
	p.bySID[c.SID] = c
	shown := p.resource(c)
	p.mu.Unlock()
	p.sim.spawn(func() {
		defer over()
		p.live(ctx, c)
	})
	return shown
}

// live is the life of a call. ctx ends when somebody ends the call.
func (p *phoneAPI) live(ctx context.Context, c *call) {
	clock := p.sim.clock
	if c.behaviour == outcomeStuck {
		<-ctx.Done()
		return
	}
	if clock.Sleep(ctx, c.queued) != nil || !p.leave(c) {
		return
	}
	if c.behaviour == outcomeFailed {
		p.end(c, statusFailed, 404)
		return
	}
	if !p.ringUp(c) {
		return
	}
	rings, unheard := p.sim.cfg.Ring, c.behaviour == outcomeNoAnswer
	if unheard || rings > c.ring {
		rings, unheard = c.ring, true
	}
	if clock.Sleep(ctx, rings) != nil {
		return
	}
	switch {
	case c.behaviour == outcomeBusy:
		p.end(c, statusBusy, 486)
		return
	case unheard:
		p.end(c, statusNoAnswer, 487)
		return
	case !p.pickUp(c):
		return
	}
	p.perform(ctx, c)
	talks := p.sim.cfg.Talk
	if c.talk > 0 {
		talks = min(talks, c.talk)
	}
	if clock.Sleep(ctx, talks) == nil {
		p.end(c, statusCompleted, 200)
	}
}

// change moves a call on unless it is over, and reports the event.
func (p *phoneAPI) change(c *call, event, status string, also func(now time.Time)) bool {
	now := p.sim.clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if final(c.Status) {
		return false
	}
	c.Status, c.updated = status, now
	also(now)
	p.tell(c, event, 0)
	return true
}

// leave takes a call out of the queue.
func (p *phoneAPI) leave(c *call) bool {
	return p.change(c, "initiated", statusQueued, func(now time.Time) { c.Started = now })
}

// ringUp makes the phone ring.
func (p *phoneAPI) ringUp(c *call) bool {
	return p.change(c, "ringing", statusRinging, func(time.Time) {
		c.Rang = true
		p.rings[c.To]++
	})
}

func (p *phoneAPI) pickUp(c *call) bool {
	return p.change(c, "answered", statusInProgress, func(now time.Time) {
		c.Answered = now
		if c.detect != "" {
			c.AnsweredBy = detected(c.behaviour, c.detect)
		}
	})
}

// detected is what Twilio's machine detection takes the callee for.
func detected(behaviour, mode string) string {
	switch {
	case behaviour == outcomeFax:
		return "fax"
	case behaviour != outcomeVoicemail:
		return "human"
	case mode == "DetectMessageEnd":
		return "machine_end_beep"
	default:
		return "machine_start"
	}
}

// end finishes a call. It is false when the call is over already, or is to be
// canceled although it was answered. Hanging up before the answer cancels.
func (p *phoneAPI) end(c *call, status string, sip int) bool {
	now := p.sim.clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	answered := c.Status == statusInProgress
	switch {
	case final(c.Status), status == statusCanceled && answered:
		return false
	case status == statusCompleted && !answered:
		status = statusCanceled
	}
	c.Status, c.updated, c.Ended = status, now, now
	p.tell(c, "completed", sip)
	c.over()
	return true
}

func (p *phoneAPI) report() (calls []Call, fetched int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls = make([]Call, 0, len(p.calls))
	for _, c := range p.calls {
		calls = append(calls, c.Call)
	}
	return calls, p.fetched
}
