package main

import (
	"context"
	"time"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/core/fault"
)

// errand is the first request of a new call, whose end was drawn when the call
// came.
type errand struct {
	works bool
	sent  bool
}

type errandKey struct{}

// unavailable is how the service under test fails.
var unavailable = &fault.Fault{Class: fault.Transient, Kind: fault.ServiceUnavailable, Service: agent.ElevenLabs, Status: 503}

// speaker is the service under test as a process calls it. While a request is
// under way the process does other things.
type speaker struct {
	*member
	service *service
}

// Speak takes its time, and fails or not.
func (s speaker) Speak(ctx context.Context, _ call.SpeechRequest) (call.Audio, error) {
	works := s.service.works()
	if e, first := ctx.Value(errandKey{}).(*errand); first && !e.sent {
		works, e.sent = e.works, true
	}
	s.leave()
	s.service.request(works)
	s.enter()
	if !works {
		return call.Audio{}, unavailable
	}
	return call.Audio{Data: []byte{0}, ContentType: "audio/mpeg"}, nil
}

// Probe takes as long as a request and fails as likely.
func (s speaker) Probe(context.Context, *fault.Fault) error {
	works := s.service.works()
	s.leave()
	s.pass(s.service.rig.Takes)
	s.enter()
	if !works {
		return unavailable
	}
	return nil
}

// writer and dialer are services that always work, at once.
type writer struct{}

func (writer) Script(context.Context, call.ScriptRequest) (string, error) { return "Hello.", nil }
func (writer) Probe(context.Context, *fault.Fault) error                  { return nil }

type dialer struct{}

// Dial accepts the call. Its id is that of the attempt.
func (dialer) Dial(_ context.Context, r call.DialRequest) (string, error) { return r.Attempt, nil }

// Look finds that the call was answered.
func (dialer) Look(_ context.Context, sid string) (call.Look, error) {
	return call.Look{SID: sid, Status: "completed", Result: call.Answered, Duration: 20 * time.Second}, nil
}

func (dialer) List(context.Context, string, string, time.Time) ([]call.Look, error) { return nil, nil }
func (dialer) Cancel(context.Context, string) error                                 { return nil }
func (dialer) Probe(context.Context, *fault.Fault) error                            { return nil }
