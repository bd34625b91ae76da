package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// speechAPI is ElevenLabs.
type speechAPI struct {
	sim *Simulator

	mu      sync.Mutex
	running int // requests for speech
	spent   int // characters
}

func newSpeechAPI(s *Simulator) *speechAPI { return &speechAPI{sim: s} }

func (*speechAPI) name() string { return elevenLabs }

func (e *speechAPI) routes() []route {
	speech := route{name: "speech", paid: true, media: "audio/mpeg", serve: e.authorized(e.speak)}
	whole, stream := speech, speech
	whole.pattern = "POST /v1/text-to-speech/{voice}"
	stream.pattern = "POST /v1/text-to-speech/{voice}/stream"
	return []route{whole, stream,
		{name: "models", pattern: "GET /v1/models", serve: e.authorized(e.models)},
		{name: "subscription", pattern: "GET /v1/user/subscription", serve: e.authorized(e.subscription)},
		{name: "voice", pattern: "GET /v1/voices/{voice}", serve: e.authorized(e.voice)},
	}
}

func (e *speechAPI) stamp(h http.Header) {
	setAbsent(h, "X-Trace-Id", e.sim.ids.hex())
	setAbsent(h, "X-Region", "us-central1")
	setAbsent(h, "Server", "uvicorn")
}

// speechError is how ElevenLabs words an error. An empty kind marks the codes
// that still come in the older format, which has only status and message.
type speechError struct{ kind, status, message string }

var speechErrors = map[string]speechError{
	"invalid_api_key":           {"authentication_error", "invalid_api_key", "Invalid API key"},
	"missing_api_key":           {"authentication_error", "needs_authorization", "No API key was given in the xi-api-key header."},
	"quota_exceeded":            {"", "quota_exceeded", "This request exceeds your quota of 10000. You have 0 credits remaining, while 91 credits are required for this request."},
	"missing_permissions":       {"", "missing_permissions", "The API key you used is missing the permission text_to_speech to execute this operation."},
	"detected_unusual_activity": {"", "detected_unusual_activity", "Unusual activity detected. Free Tier usage disabled."},
	"something_went_wrong":      {"", "something_went_wrong", "We are sorry, something went wrong. You are not charged for this request."},
	"insufficient_credits":      {"payment_required", "insufficient_credits", "You do not have enough credits for this request."},
	"paid_plan_required":        {"payment_required", "paid_plan_required", "Free users cannot use library voices via the API."},
	"insufficient_permissions":  {"authorization_error", "insufficient_permissions", "You are not allowed to do this."},
	"voice_not_found":           {"not_found", "voice_not_found", "A voice with this id was not found."},
	"model_not_found":           {"not_found", "model_not_found", "A model with this id was not found."},
	"text_too_long":             {"validation_error", "max_character_limit_exceeded", "The text is longer than this model takes in one request."},
	"empty_text":                {"validation_error", "empty_text", "The text is empty."},
	"invalid_output_format":     {"validation_error", "invalid_output_format", "The output format is not supported."},
	"bad_request":               {"invalid_request", "bad_request", "The request is not valid."},
	"conflict":                  {"conflict", "conflict", "The resource is being changed by another request."},
	"concurrent_limit_exceeded": {"rate_limit_error", "too_many_concurrent_requests", "Too many concurrent requests. Your current subscription is associated with a maximum number of requests that run in parallel."},
	"rate_limit_exceeded":       {"rate_limit_error", "rate_limit_exceeded", "Too many requests."},
	"system_busy":               {"rate_limit_error", "system_busy", "The system is under heavy load, please try again."},
	"internal_error":            {"internal_error", "internal_error", "An internal error occurred."},
	"service_unavailable":       {"service_unavailable", "service_unavailable", "The service is temporarily unavailable."},
}

var usualSpeechErrors = map[int]string{
	400: "bad_request", 401: "invalid_api_key", 402: "insufficient_credits", 403: "insufficient_permissions",
	404: "voice_not_found", 409: "conflict", 429: "rate_limit_exceeded", 500: "internal_error", 503: "service_unavailable",
}

func (e *speechAPI) fail(f Fault) answer { return e.refuse(f.status(), f.Code) }

func (e *speechAPI) refuse(status int, code string) answer {
	if status == http.StatusUnprocessableEntity && code == "" {
		return jsonAnswer(status, map[string]any{"detail": []any{
			map[string]any{"loc": []string{"body", "text"}, "msg": "Field required", "type": "missing"}}})
	}
	if code == "" {
		if code = usualSpeechErrors[status]; code == "" {
			return jsonAnswer(status, map[string]any{"detail": http.StatusText(status)})
		}
	}
	w, known := speechErrors[code]
	if !known {
		w = speechError{"invalid_request", code, "The request was refused."}
	}
	if w.kind == "" {
		return jsonAnswer(status, map[string]any{"detail": map[string]any{"status": w.status, "message": w.message}})
	}
	id := e.sim.ids.hex()
	a := jsonAnswer(status, map[string]any{"detail": map[string]any{
		"type": w.kind, "code": code, "message": w.message, "status": w.status, "request_id": id, "param": nil,
		"docs_url": "https://elevenlabs.io/docs/eleven-api/resources/errors#" + strings.ReplaceAll(code, "_", "-")}})
	a.header.Set("X-Trace-Id", id)
	return a
}

func (e *speechAPI) authorized(serve func(inbound) answer) func(inbound) answer {
	return func(in inbound) answer {
		switch key := in.Header.Get("Xi-Api-Key"); {
		case key == "":
			return e.refuse(http.StatusUnauthorized, "missing_api_key")
		case !same(key, e.sim.cfg.Keys.ElevenLabs):
			return e.refuse(http.StatusUnauthorized, "")
		}
		return serve(in)
	}
}

// longestText is what each model takes in one request, in characters.
var longestText = map[string]int{
	"eleven_multilingual_v2": 10_000, "eleven_flash_v2": 30_000, "eleven_turbo_v2": 30_000,
	"eleven_flash_v2_5": 40_000, "eleven_turbo_v2_5": 40_000, "eleven_v3": 3_000,
}

func (e *speechAPI) speak(in inbound) answer {
	var r struct {
		Text  *string `json:"text"`
		Model string  `json:"model_id"`
	}
	if err := json.Unmarshal(in.body, &r); err != nil || r.Text == nil {
		return e.refuse(http.StatusUnprocessableEntity, "")
	}
	if r.Model == "" {
		r.Model = "eleven_multilingual_v2"
	}
	name := in.URL.Query().Get("output_format")
	if name == "" {
		name = "mp3_44100_128"
	}
	format, playable := mp3Formats[name]
	longest, known := longestText[r.Model]
	characters := utf8.RuneCountInString(*r.Text)
	switch {
	case in.PathValue("voice") != e.sim.cfg.Keys.Voice:
		return e.refuse(http.StatusNotFound, "voice_not_found")
	case !known:
		return e.refuse(http.StatusNotFound, "model_not_found")
	case strings.TrimSpace(*r.Text) == "":
		return e.refuse(http.StatusBadRequest, "empty_text")
	case characters > longest:
		return e.refuse(http.StatusBadRequest, "text_too_long")
	case !playable:
		return e.refuse(http.StatusBadRequest, "invalid_output_format")
	}
	return e.synthesize(in, format, characters)
}

func (e *speechAPI) synthesize(in inbound, format mp3Format, characters int) answer {
	bound := e.sim.cfg.SpeechAtOnce
	e.mu.Lock()
	if bound > 0 && e.running >= bound {
		e.mu.Unlock()
		return e.refuse(http.StatusTooManyRequests, "concurrent_limit_exceeded")
	}
	e.running++
	now := e.running
	e.spent += characters
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.running--
		e.mu.Unlock()
	}()
	if took := e.sim.cfg.SpeechTime; took > 0 {
		_ = e.sim.clock.Sleep(in.Context(), took) // who leaves early gets no answer anyway
	}
	return answer{http.StatusOK, http.Header{
		"Content-Type":                {"audio/mpeg"},
		"Request-Id":                  {e.sim.ids.hex()},
		"History-Item-Id":             {e.sim.ids.hex()[:20]},
		"Character-Cost":              {strconv.Itoa(characters)},
		"Tts-Latency-Ms":              {"240"},
		"Current-Concurrent-Requests": {strconv.Itoa(now)},
		"Maximum-Concurrent-Requests": {strconv.Itoa(max(bound, now))},
	}, format.silence(characters)}
}

func (e *speechAPI) models(inbound) answer {
	list := []any{}
	for _, id := range []string{"eleven_multilingual_v2", "eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_v3"} {
		group := "standard"
		if strings.Contains(id, "flash") || strings.Contains(id, "turbo") {
			group = "turbo"
		}
		list = append(list, map[string]any{"model_id": id, "name": id, "can_do_text_to_speech": true,
			"maximum_text_length_per_request": longestText[id], "concurrency_group": group, "token_cost_factor": 1,
			"languages": []any{map[string]any{"language_id": "en", "name": "English"}}})
	}
	return jsonAnswer(http.StatusOK, list)
}

// subscription tells how much is left: nothing while a fault says that the
// quota is exhausted.
func (e *speechAPI) subscription(inbound) answer {
	const limit = 1_000_000
	e.mu.Lock()
	count := min(e.spent, limit)
	e.mu.Unlock()
	if e.sim.faults.spent(elevenLabs) {
		count = limit
	}
	return jsonAnswer(http.StatusOK, map[string]any{
		"tier": "pro", "status": "active", "character_count": count, "character_limit": limit,
		"max_character_limit_extension": 0, "can_extend_character_limit": false, "currency": "usd", "billing_period": "monthly_period",
		"next_character_count_reset_unix": e.sim.clock.Now().Add(14 * 24 * time.Hour).Unix()})
}

func (e *speechAPI) voice(in inbound) answer {
	id := in.PathValue("voice")
	if id != e.sim.cfg.Keys.Voice {
		return e.refuse(http.StatusNotFound, "voice_not_found")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"voice_id": id, "name": fmt.Sprintf("Voice %.4s", id), "category": "premade",
		"settings": map[string]any{"stability": 0.5, "similarity_boost": 0.75}})
}
