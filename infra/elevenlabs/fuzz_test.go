package elevenlabs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"callagent/core/call"
	"callagent/infra/httpcall/httpcalltest"
)

// FuzzAnswers: what is taken for a recording can be one, and whatever else the
// server says is a fault of the table.
func FuzzAnswers(f *testing.F) {
	mp3 := "\xff\xfb\x90\x00" + strings.Repeat("\x00", 413)
	httpcalltest.Fuzz(f, httpcalltest.Config{Secrets: []string{planted}, Call: func(ctx context.Context, baseURL string) error {
		c := New(Config{APIKey: planted, BaseURL: baseURL, Voice: "Voice1"})
		defer c.Close()
		audio, err := c.Speak(ctx, call.SpeechRequest{Text: "x"})
		if err == nil && (len(audio.Data) < minAudio || !strings.HasPrefix(audio.ContentType, "audio/")) {
			return errors.New("this is no recording")
		}
		return err
	}},
		httpcalltest.Answer{Status: 200, Header: "Content-Type: audio/mpeg", Body: mp3},
		httpcalltest.Answer{Status: 200, Header: "Content-Type: audio/mpeg; x=1", Body: "ID3" + mp3},
		httpcalltest.Answer{Status: 200, Header: "Content-Type: audio/wav", Body: "RIFF\x00\x00\x00\x00WAVE" + mp3},
		httpcalltest.Answer{Status: 200, Header: "Content-Type: audio/mpeg", Body: "{}" + mp3},
		httpcalltest.Answer{Status: 401, Body: `{"detail":{"status":"quota_exceeded","message":"$KEY has 0 credits, $PHONE"}}`},
		httpcalltest.Answer{Status: 402, Body: `{"detail":{"type":"payment_required","code":"insufficient_credits","message":"no"}}`},
		httpcalltest.Answer{Status: 422, Body: `{"detail":[{"loc":["body",0,"$PHONE"],"msg":"cannot say $PHONE"}]}`},
		httpcalltest.Answer{Status: 429, Body: `{"detail":{"code":"system_busy"}}`},
		httpcalltest.Answer{Status: 503, Body: `{"detail":"$PHONE"}`},
	)
}
