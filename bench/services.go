package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"callagent/core/call"
	"callagent/core/fault"
)

// recording is what the speech of a call weighs in the comparison: a second of
// the format that ElevenLabs is asked for. A real one is longer, and then the
// disk's throughput is what is measured.
var recording = bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0xc0}, 4<<10)

const script = "Hello Ada Lovelace, this is a short call about your gold plan in London. Is it a good moment to talk?"

// obliging is all four services. They answer at once and never fail.
type obliging struct {
	count, entries atomic.Int64
	rings          sync.Map // by number
}

// ring is a call that is on its way.
type ring struct{ sid, attempt string }

// rang gives the call to a number, once.
func (o *obliging) rang(number string) (ring, bool) {
	r, ok := o.rings.LoadAndDelete(number)
	if !ok {
		return ring{}, false
	}
	return r.(ring), true
}

func (*obliging) Script(context.Context, call.ScriptRequest) (string, error) { return script, nil }

func (*obliging) Speak(context.Context, call.SpeechRequest) (call.Audio, error) {
	return call.Audio{Data: recording, ContentType: "audio/mpeg"}, nil
}

func (o *obliging) Dial(_ context.Context, r call.DialRequest) (string, error) {
	sid := fmt.Sprintf("CA%032x", o.count.Add(1))
	o.rings.Store(r.To, ring{sid: sid, attempt: r.Attempt})
	return sid, nil
}

func (*obliging) Look(_ context.Context, sid string) (call.Look, error) {
	return call.Look{SID: sid, Status: "in-progress"}, nil
}

func (*obliging) List(context.Context, string, string, time.Time) ([]call.Look, error) {
	return nil, nil
}

func (*obliging) Cancel(context.Context, string) error { return nil }

func (o *obliging) Record(context.Context, call.Entry) (string, error) {
	return fmt.Sprint(o.entries.Add(1)), nil
}

func (*obliging) Probe(context.Context, *fault.Fault) error { return nil }
