package agent

import (
	"context"
	"encoding/hex"
	"hash/fnv"

	"callagent/core/alert"
	"callagent/core/call"
	"callagent/core/fault"
	"callagent/core/journal"
)

// script has the LLM write what is to be said.
func (a *Agent) script(ctx context.Context, w *work) error {
	ask, err := w.campaign.Request(w.call.Contact)
	if err != nil {
		return a.fail(ctx, w, err.Error())
	}
	s := a.services[LLM]
	var text string
	ok, err := a.request(ctx, w, s, func(ctx context.Context) (err error) {
		text, err = a.Writer.Script(ctx, ask)
		return err
	})
	if !ok {
		return err
	}
	ref, err := a.keep(ctx, "scripts/"+mediaName(w.call.Numbered())+".txt", "text/plain; charset=utf-8", []byte(text))
	if err != nil {
		return a.mediaGone(ctx, w, err)
	}
	w.call = w.call.Made(call.ScriptStep, ref, a.Clock.Now())
	return a.save(ctx, w, call.Write{})
}

// speech turns the stored script into a recording.
func (a *Agent) speech(ctx context.Context, w *work) error {
	text, err := a.Media.Get(ctx, w.call.Script)
	if err != nil {
		return a.mediaGone(ctx, w, err)
	}
	s := a.services[ElevenLabs]
	var audio call.Audio
	ok, err := a.request(ctx, w, s, func(ctx context.Context) (err error) {
		audio, err = a.Speaker.Speak(ctx, call.SpeechRequest{
			Text: string(text), Voice: w.campaign.Voice, Language: w.campaign.Language,
		})
		return err
	})
	if !ok {
		return err
	}
	ref, err := a.keep(ctx, "audio/"+mediaName(w.call.Numbered())+".mp3", audio.ContentType, audio.Data)
	if err != nil {
		return a.mediaGone(ctx, w, err)
	}
	w.call = w.call.Made(call.SpeechStep, ref, a.Clock.Now())
	return a.save(ctx, w, call.Write{})
}

// record tells the CRM how the call ended.
func (a *Agent) record(ctx context.Context, w *work) error {
	s := a.services[CRMService]
	if s == nil {
		w.call = w.call.WasRecorded(call.Off, "", a.Clock.Now())
		return a.save(ctx, w, call.Write{})
	}
	script, err := a.Media.Get(ctx, w.call.Script)
	if err != nil {
		script = nil // the outcome matters more than the words
	}
	c := w.call
	entry := call.Entry{
		Key: c.Numbered(), Contact: c.Contact, SID: c.Ring(), From: a.caller(w.campaign),
		Result: c.Result, Started: c.CreatedAt, Duration: c.Talk, Script: string(script),
	}
	if c.Intent != nil {
		entry.Started, entry.From = c.Intent.At, c.Intent.From
	}
	var id string
	ok, err := a.request(ctx, w, s, func(ctx context.Context) (err error) {
		id, err = a.CRM.Record(ctx, entry)
		return err
	})
	if !ok {
		return err
	}
	w.call = w.call.WasRecorded(call.Yes, id, a.Clock.Now())
	return a.save(ctx, w, call.Write{})
}

// keep stores what was paid for, even while the process is stopping.
func (a *Agent) keep(ctx context.Context, name, contentType string, data []byte) (string, error) {
	ctx, cancel := a.Clock.WithTimeout(context.WithoutCancel(ctx), call.LeaseMargin/2)
	defer cancel()
	return a.Media.Put(ctx, name, contentType, data)
}

// mediaGone sets a call aside whose script or recording cannot be kept, read
// or linked. No circuit watches our own disk, so it waits as if its retries were
// spent; but only what is missing for this call alone ends it at last.
func (a *Agent) mediaGone(ctx context.Context, w *work, err error) error {
	if cancelled(ctx, err) {
		return a.yield(ctx, w)
	}
	f := fault.From("media", err)
	why := "its script or recording cannot be used: " + alert.Words(f)
	if f.Treatment().FailsCall {
		w.call = w.call.Spent(a.Clock.Now(), why)
	} else {
		w.call = w.call.Unkept(a.Clock.Now(), why)
	}
	a.write(journal.Error, "", "media_failed", "Skipped, next contact: "+why, w.call)
	return a.save(ctx, w, freeing(w.call))
}

// mediaName is a file name for a call that tells nothing about the contact.
func mediaName(k call.Key) string {
	h := fnv.New128a()
	_, _ = h.Write([]byte(k.String()))
	return hex.EncodeToString(h.Sum(nil))
}

// caller is the number that a campaign calls from.
func (a *Agent) caller(p call.Campaign) string {
	if p.From != "" {
		return p.From
	}
	return a.From
}
