package elevenlabs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall/httpcalltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const planted = "sk_planted0key0value"

// mp3 is a frame header of layer III and enough silence.
var mp3 = append([]byte{0xff, 0xfb, 0x90, 0x00}, make([]byte, 413)...)

// sent is one request as the server saw it.
type sent struct {
	method, path, key, contentType string
	body                           map[string]any
}

// answer is what the server sends for a path.
type answer struct {
	status      int
	contentType string
	body        []byte
}

var spoken = answer{http.StatusOK, "audio/mpeg", mp3}

const speechPath = "/v1/text-to-speech/Voice1?output_format=mp3_44100_128"

// answering starts a server that knows some paths and returns a client for it.
func answering(t *testing.T, model string, answers map[string]answer) (*Client, *[]sent) {
	var log []sent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := sent{method: r.Method, path: r.RequestURI, key: r.Header.Get("xi-api-key"),
			contentType: r.Header.Get("Content-Type")}
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&seen.body); err != nil {
				t.Errorf("the request is not JSON: %v", err)
			}
		}
		log = append(log, seen)
		a, known := answers[r.RequestURI]
		if !known {
			t.Errorf("an unexpected request: %s", r.RequestURI)
		}
		w.Header().Set("Content-Type", a.contentType)
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body)
	}))
	c := New(Config{APIKey: planted + "\n", BaseURL: s.URL + "/", Voice: "Voice1", Model: model})
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, &log
}

func speechSent(fields map[string]any) sent {
	return sent{"POST", speechPath, planted, "application/json", fields}
}

func TestSpeakSendsThePublishedRequest(t *testing.T) {
	for _, tt := range []struct {
		name, model string
		ask         call.SpeechRequest
		path        string
		want        map[string]any
	}{
		{"defaults", "", call.SpeechRequest{Text: "Hello."}, speechPath,
			map[string]any{"text": "Hello.", "model_id": "eleven_multilingual_v2"}},
		{"own voice", "", call.SpeechRequest{Text: "Hello.", Voice: "a/b"},
			"/v1/text-to-speech/a%2Fb?output_format=mp3_44100_128",
			map[string]any{"text": "Hello.", "model_id": "eleven_multilingual_v2"}},
		{"language for a model without one", "", call.SpeechRequest{Text: "Hallo.", Language: "de"}, speechPath,
			map[string]any{"text": "Hallo.", "model_id": "eleven_multilingual_v2"}},
		{"language for flash", "eleven_flash_v2_5", call.SpeechRequest{Text: "Hallo.", Language: "de"}, speechPath,
			map[string]any{"text": "Hallo.", "model_id": "eleven_flash_v2_5", "language_code": "de"}},
		{"language for version 3", "eleven_v3", call.SpeechRequest{Text: "Hallo.", Language: "de"}, speechPath,
			map[string]any{"text": "Hallo.", "model_id": "eleven_v3", "language_code": "de"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, log := answering(t, tt.model, map[string]answer{tt.path: spoken})
			audio, err := c.Speak(t.Context(), tt.ask)
			if err != nil || audio.ContentType != "audio/mpeg" || !bytes.Equal(audio.Data, mp3) {
				t.Fatalf("%d bytes of %s, error %v", len(audio.Data), audio.ContentType, err)
			}
			want := []sent{{"POST", tt.path, planted, "application/json", tt.want}}
			if diff := cmp.Diff(want, *log, cmp.AllowUnexported(sent{})); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpeakWithoutVoice(t *testing.T) {
	c := New(Config{BaseURL: "http://127.0.0.1:1"})
	defer c.Close()
	_, err := c.Speak(t.Context(), call.SpeechRequest{Text: "x"})
	want := fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account,
		Service: "elevenlabs", Message: "no voice is configured"}
	var f *fault.Fault
	if !errors.As(err, &f) || *f != want {
		t.Errorf("%#v, want %#v", err, want)
	}
}

func TestNewDefaults(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	if c.base != "https://api.elevenlabs.io" || c.model != "eleven_multilingual_v2" || c.now == nil {
		t.Errorf("base %q, model %q", c.base, c.model)
	}
}

func TestSpeakAcceptsAudioOnly(t *testing.T) {
	sound := func(start string) []byte { return append([]byte(start), make([]byte, 200)...) }
	const broken, empty, other = "its audio is not playable", "its audio is empty", "it sent something else than audio"
	for _, tt := range []struct {
		name, contentType string
		body              []byte
		problem           string // "" accepts
	}{
		{"MP3 frame", "audio/mpeg", mp3, ""},
		{"MPEG 2 frame", "audio/mpeg", sound("\xff\xf3\x40\xc0"), ""},
		{"tagged MP3", "audio/mpeg", sound("ID3\x04\x00"), ""},
		{"WAV", "audio/wav", sound("RIFF\x24\x00\x00\x00WAVEfmt "), ""},
		{"with parameters", "audio/mpeg; charset=binary", mp3, ""},
		{"shortest", "audio/mpeg", mp3[:minAudio], ""},
		{"too short", "audio/mpeg", mp3[:minAudio-1], empty},
		{"nothing", "audio/mpeg", nil, empty},
		{"zeros", "audio/mpeg", make([]byte, 500), broken},
		{"JSON in disguise", "audio/mpeg", sound(`{"detail":{"status":"quota_exceeded"}}`), broken},
		{"another RIFF", "audio/wav", sound("RIFF\x24\x00\x00\x00AVI LIST"), broken},
		{"AAC", "audio/mpeg", sound("\xff\xf1\x50\x80"), broken},
		{"reserved version", "audio/mpeg", sound("\xff\xeb\x90\x00"), broken},
		{"reserved bit rate", "audio/mpeg", sound("\xff\xfb\xf0\x00"), broken},
		{"reserved sampling rate", "audio/mpeg", sound("\xff\xfb\x9c\x00"), broken},
		{"half a sync", "audio/mpeg", sound("\xff\x1b\x90\x00"), broken},
		{"JSON", "application/json", []byte(`{"detail":{"status":"quota_exceeded","message":"You have 0 credits"}}`), other},
		{"HTML", "text/html", []byte("<html>hello</html>"), other},
		{"audio called text", "text/plain", mp3, other},
		{"no type", "", mp3, other},
		{"unreadable type", "audio/;;", mp3, other},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := answering(t, "", map[string]answer{speechPath: {http.StatusOK, tt.contentType, tt.body}})
			audio, err := c.Speak(t.Context(), call.SpeechRequest{Text: "x"})
			if tt.problem == "" {
				if err != nil || !bytes.Equal(audio.Data, tt.body) {
					t.Errorf("%d bytes, error %v", len(audio.Data), err)
				}
				return
			}
			var f *fault.Fault
			if !errors.As(err, &f) || f.Class != fault.Transient || f.Kind != fault.BadResponse ||
				f.Scope != fault.Service || f.Status != http.StatusOK || f.Message != tt.problem || audio.Data != nil {
				t.Errorf("%d bytes, %#v; want a transient bad response: %s", len(audio.Data), err, tt.problem)
			}
		})
	}
}

func TestSpeakRefusesAudioWithoutEnd(t *testing.T) {
	for extra, want := range map[int]string{0: "", 1: "elevenlabs: bad_response (200): its audio exceeds 20 MB"} {
		c, _ := answering(t, "", map[string]answer{
			speechPath: {http.StatusOK, "audio/mpeg", append(bytes.Clone(mp3), make([]byte, maxAudio-len(mp3)+extra)...)}})
		got := ""
		if _, err := c.Speak(t.Context(), call.SpeechRequest{Text: "x"}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d bytes over the limit: %q, want %q", extra, got, want)
		}
	}
}

func TestSurvivesBrokenServers(t *testing.T) {
	for name, send := range map[string]func(context.Context, *Client) error{
		"speak": func(ctx context.Context, c *Client) error {
			_, err := c.Speak(ctx, call.SpeechRequest{Text: "x"})
			return err
		},
		"probe":       func(ctx context.Context, c *Client) error { return c.Probe(ctx, nil) },
		"quota probe": func(ctx context.Context, c *Client) error { return c.Probe(ctx, spentBefore) },
	} {
		t.Run(name, func(t *testing.T) {
			httpcalltest.Suite(t, httpcalltest.Config{Secrets: []string{planted},
				Call: func(ctx context.Context, baseURL string) error {
					c := New(Config{APIKey: planted, BaseURL: baseURL, Voice: "Voice1"})
					defer c.Close()
					return send(ctx, c)
				}})
		})
	}
}

func TestErrorsTellNoPhoneNumber(t *testing.T) {
	c, _ := answering(t, "", map[string]answer{speechPath: {http.StatusUnprocessableEntity, "application/json",
		[]byte(`{"detail":[{"loc":["body","text"],"msg":"cannot say +15005550006"}]}`)}})
	_, err := c.Speak(t.Context(), call.SpeechRequest{Text: "x"})
	if err == nil || strings.Contains(err.Error(), "5550006") || !strings.Contains(err.Error(), "body.text: cannot say ***06") {
		t.Errorf("error %v", err)
	}
}
