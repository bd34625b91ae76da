package simulator_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"callagent/localstack/simulator"
)

func TestOpenAI(t *testing.T) {
	w := start(t, simulator.Config{})
	r := w.script(t.Context())
	said, _ := r.at("choices", 0, "message", "content").(string)
	if r.status != 200 || !strings.HasPrefix(said, "Hello Ada, ") || r.at("choices", 0, "finish_reason") != "stop" ||
		r.at("object") != "chat.completion" || r.at("model") != "gpt-4o-mini" {
		t.Errorf("status %d, body %s", r.status, r.body)
	}
	if usage, _ := r.at("usage", "total_tokens").(float64); usage <= 0 {
		t.Errorf("%v tokens used, want some", usage)
	}
	if got := r.header.Get("X-Request-Id"); !strings.HasPrefix(got, "req_") {
		t.Errorf("x-request-id %q", got)
	}
	if r := w.do("GET", w.env["OPENAI_BASE_URL"]+"/models", bearer(w.env["OPENAI_API_KEY"]), ""); r.at("data", 0, "object") != "model" {
		t.Errorf("models: %s", r.body)
	}
}

func TestOpenAIRequests(t *testing.T) {
	w := start(t, simulator.Config{})
	const message = `"messages":[{"role":"user","content":"hello"}]`
	for _, tc := range []struct {
		name, key, body string
		status          int
		path            []any
		want            any
	}{
		{"wrong key", "wrong", `{}`, 401, []any{"error", "code"}, "invalid_api_key"},
		{"no key", "", `{}`, 401, []any{"error", "code"}, nil},
		{"not JSON", w.env["OPENAI_API_KEY"], `{`, 400, []any{"error", "type"}, "invalid_request_error"},
		{"no model", w.env["OPENAI_API_KEY"], `{` + message + `}`, 400, []any{"error", "message"}, "you must provide a model parameter"},
		{"no messages", w.env["OPENAI_API_KEY"], `{"model":"m","messages":[]}`, 400, []any{"error", "code"}, "empty_array"},
		{"role", w.env["OPENAI_API_KEY"], `{"model":"m","messages":[{"role":"boss","content":"x"}]}`, 400, []any{"error", "param"}, "messages[0].role"},
		{"content", w.env["OPENAI_API_KEY"], `{"model":"m","messages":[{"role":"user","content":7}]}`, 400, []any{"error", "param"}, "messages[0].content"},
		{"temperature", w.env["OPENAI_API_KEY"], `{"model":"m","temperature":3,` + message + `}`, 400, []any{"error", "param"}, "temperature"},
		{"limit", w.env["OPENAI_API_KEY"], `{"model":"m","max_tokens":0,` + message + `}`, 400, []any{"error", "param"}, "max_tokens"},
		{"cut", w.env["OPENAI_API_KEY"], `{"model":"m","max_completion_tokens":2,` + message + `}`, 200, []any{"choices", 0, "finish_reason"}, "length"},
		{"parts", w.env["OPENAI_API_KEY"], `{"model":"m","max_tokens":3,"messages":[{"role":"user","content":[{"type":"text","text":"her name is Bo"}]}]}`,
			200, []any{"choices", 0, "message", "content"}, "Hello Bo, t"},
	} {
		header := bearer(tc.key)
		if tc.key == "" {
			delete(header, "Authorization")
		}
		r := w.do("POST", w.env["OPENAI_BASE_URL"]+"/chat/completions", header, tc.body)
		if got := r.at(tc.path...); r.status != tc.status || got != tc.want {
			t.Errorf("%s: status %d, %v is %v; want %d and %v", tc.name, r.status, tc.path, got, tc.status, tc.want)
		}
	}
	if r := w.do("GET", w.env["OPENAI_BASE_URL"]+"/nothing", nil, ""); r.status != 404 || r.at("error", "type") != "invalid_request_error" {
		t.Errorf("unknown path: status %d, body %s", r.status, r.body)
	}
}

func TestSpeechIsMP3(t *testing.T) {
	w := start(t, simulator.Config{})
	text := strings.Repeat("All is well. ", 40)
	for _, tc := range []struct {
		format string
		rates  map[byte]int // kilobits a second by bit rate index
		hertz  int
		factor int // of the frame size
		sample int // samples in a frame
	}{
		{"", map[byte]int{9: 128}, 44100, 144, 1152},
		{"mp3_44100_32", map[byte]int{1: 32}, 44100, 144, 1152},
		{"mp3_44100_64", map[byte]int{5: 64}, 44100, 144, 1152},
		{"mp3_44100_96", map[byte]int{7: 96}, 44100, 144, 1152},
		{"mp3_44100_192", map[byte]int{11: 192}, 44100, 144, 1152},
		{"mp3_22050_32", map[byte]int{4: 32}, 22050, 72, 576},
		{"mp3_24000_48", map[byte]int{6: 48}, 24000, 72, 576},
	} {
		r := w.speak(w.env["ELEVENLABS_VOICE_ID"]+"?output_format="+tc.format, `{"text":"`+text+`"}`)
		if r.status != 200 || r.header.Get("Content-Type") != "audio/mpeg" || r.header.Get("Character-Cost") != "520" {
			t.Errorf("%s: status %d, header %v", tc.format, r.status, r.header)
			continue
		}
		frames := 0
		for data := r.body; len(data) > 0; frames++ {
			if len(data) < 4 || data[0] != 0xFF || data[1]&0xE6 != 0xE2 { // sync word and layer III
				t.Fatalf("%s: no frame header at frame %d", tc.format, frames)
			}
			size := tc.factor * 1000 * tc.rates[data[2]>>4] / tc.hertz
			if size == 0 || size > len(data) || strings.Trim(data[4:size], "\x00") != "" {
				t.Fatalf("%s: frame %d is not %d silent bytes", tc.format, frames, size)
			}
			data = data[size:]
		}
		if seconds := float64(frames*tc.sample) / float64(tc.hertz); seconds < 34 || seconds > 35 {
			t.Errorf("%s: %.1f s of sound, want 520 characters at 15 a second", tc.format, seconds)
		}
	}
}

// speak sends a body to the path of a voice.
func (w *world) speak(path, body string) result {
	return w.do("POST", w.env["ELEVENLABS_BASE_URL"]+"/v1/text-to-speech/"+path,
		map[string]string{"xi-api-key": w.env["ELEVENLABS_API_KEY"]}, body)
}

func TestElevenLabsRequests(t *testing.T) {
	w := start(t, simulator.Config{})
	voice := w.env["ELEVENLABS_VOICE_ID"]
	for _, tc := range []struct {
		name, path, body string
		status           int
		at               []any
		want             any
	}{
		{"no text", voice, `{}`, 422, []any{"detail", 0, "loc", 1}, "text"},
		{"not JSON", voice, `{`, 422, []any{"detail", 0, "type"}, "missing"},
		{"empty", voice, `{"text":" "}`, 400, []any{"detail", "code"}, "empty_text"},
		{"long", voice, `{"text":"` + strings.Repeat("a", 10_001) + `"}`, 400, []any{"detail", "status"}, "max_character_limit_exceeded"},
		{"voice", "nobody", `{"text":"x"}`, 404, []any{"detail", "code"}, "voice_not_found"},
		{"model", voice, `{"text":"x","model_id":"eleven_v9"}`, 404, []any{"detail", "code"}, "model_not_found"},
		{"format", voice + "?output_format=flac", `{"text":"x"}`, 400, []any{"detail", "code"}, "invalid_output_format"},
		{"stream", voice + "/stream", `{"text":"x"}`, 200, []any{"detail"}, nil},
	} {
		r := w.speak(tc.path, tc.body)
		if got := r.at(tc.at...); r.status != tc.status || got != tc.want {
			t.Errorf("%s: status %d, %v is %v; want %d and %v", tc.name, r.status, tc.at, got, tc.status, tc.want)
		}
	}
}

func TestElevenLabsAccount(t *testing.T) {
	w := start(t, simulator.Config{})
	get := func(path, key string) result {
		return w.do("GET", w.env["ELEVENLABS_BASE_URL"]+path, map[string]string{"xi-api-key": key}, "")
	}
	key := w.env["ELEVENLABS_API_KEY"]
	if r := get("/v1/models", key); r.at(0, "model_id") != "eleven_multilingual_v2" || r.at(0, "maximum_text_length_per_request") != 10000.0 {
		t.Errorf("models: %s", r.body)
	}
	w.speech(t.Context())
	if r := get("/v1/user/subscription", key); r.at("character_count") != 23.0 || r.at("status") != "active" {
		t.Errorf("subscription after 23 characters: %s", r.body)
	}
	if r := get("/v1/voices/"+w.env["ELEVENLABS_VOICE_ID"], key); r.at("voice_id") != w.env["ELEVENLABS_VOICE_ID"] {
		t.Errorf("voice: %s", r.body)
	}
	if r := get("/v1/models", "wrong"); r.status != 401 || r.at("detail", "code") != "invalid_api_key" || r.at("detail", "request_id") != r.header.Get("X-Trace-Id") {
		t.Errorf("wrong key: status %d, %s", r.status, r.body)
	}
	if r := get("/v1/models", ""); r.status != 401 || r.at("detail", "code") != "missing_api_key" {
		t.Errorf("no key: status %d, %s", r.status, r.body)
	}
}

func TestElevenLabsRefusesWhatExceedsItsConcurrency(t *testing.T) {
	w := start(t, simulator.Config{Clock: &manual{now: noon}, SpeechAtOnce: 1, SpeechTime: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	results := make(chan result, 2)
	for range 2 {
		go func() { results <- w.speech(ctx) }()
	}
	// The clock stands still: the one that got in does not end by itself.
	if r := <-results; r.status != 429 || r.at("detail", "code") != "concurrent_limit_exceeded" {
		t.Errorf("status %d, error %v; want 429", r.status, r.err)
	}
	cancel()
	if r := <-results; r.err == nil {
		t.Errorf("the other has status %d, want none", r.status)
	}
}
