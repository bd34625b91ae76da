package elevenlabs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// families joins the codes that mean the same. One event has up to two: the
// newer detail.code and the older detail.status.
var families = []struct {
	fault fault.Fault
	codes []string
}{
	{account(fault.Authentication), []string{
		"invalid_api_key", "missing_api_key", "invalid_authorization_header", "unauthorized", "sign_in_required"}},
	{account(fault.QuotaExceeded), []string{
		"quota_exceeded", "insufficient_credits", "payment_required", "paid_plan_required"}},
	{account(fault.Permission), []string{
		"missing_permissions", "insufficient_permissions", "forbidden", "workspace_access_denied",
		"detected_unusual_activity",
		"feature_not_available", "subscription_required", "voice_access_denied", "model_access_denied", "only_for_creator+"}},
	{account(fault.NotFound), []string{
		"voice_not_found", "model_not_found", "agent_not_found", "phone_number_not_found"}},
	{account(fault.InvalidRequest), []string{
		"invalid_parameters", "missing_required_field", "invalid_voice_settings", "invalid_voice_id",
		"unsupported_model", "invalid_output_format", "bad_request", "malformed_json", "request_too_large",
		"invalid_provider_config"}},
	{fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact}, []string{
		"text_too_long", "max_character_limit_exceeded", "empty_text", "text_too_short", "invalid_text"}},
	{fault.Fault{Kind: fault.Conflict}, []string{"conflict", "already_running", "concurrent_modification"}},
	{fault.Fault{Kind: fault.Throttled}, []string{
		"concurrent_limit_exceeded", "too_many_concurrent_requests", "rate_limit_exceeded"}},
	{fault.Fault{Kind: fault.Throttled, Overload: true}, []string{"system_busy"}},
	{fault.Fault{Kind: fault.ServiceUnavailable}, []string{
		"internal_error", "something_went_wrong", "internal_server_error", "service_unavailable", "maintenance"}},
}

// byCode is families, ready to look up.
var byCode = func() map[string]fault.Fault {
	rows := map[string]fault.Fault{}
	for _, family := range families {
		for _, code := range family.codes {
			rows[code] = family.fault
		}
	}
	return rows
}()

func account(kind fault.Kind) fault.Fault {
	return fault.Fault{Class: fault.Permanent, Kind: kind, Scope: fault.Account}
}

// classify turns any answer but a good one into a fault: by detail.code, then
// by detail.status, then by the HTTP status. The vendor's codes outrank the
// status because an exhausted quota comes as 401 in one live format and as 402
// in another. In a success they mean nothing: what should have been audio is
// then unusable.
func (c *Client) classify(status int, header http.Header, body []byte) *fault.Fault {
	said := readDetail(body)
	f := httpcall.FromStatus(status)
	for _, code := range []string{said.Status, said.Code} { // the last one wins
		if row, known := byCode[code]; known && status >= 400 {
			f = row
		}
	}
	f.Service, f.Status = service, status
	f.Code = httpcall.Clean(said.Code, c.key)
	if f.Code == "" {
		f.Code = httpcall.Clean(said.Status, c.key)
	}
	if text := httpcall.Clean(said.Message, c.key); text != "" {
		f.Message = text
	}
	f.RetryAfter = httpcall.RetryAfter(header, c.now())
	return &f
}

// detail is what ElevenLabs says is wrong.
type detail struct {
	Code    string `json:"code"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// readDetail accepts every shape of detail: the object, a list of invalid
// fields, a string, or none with the object's fields beside it.
func readDetail(body []byte) (said detail) {
	var envelope struct {
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &envelope) != nil {
		return said
	}
	if len(envelope.Detail) == 0 {
		envelope.Detail = body
	}
	var fields []struct {
		Where   []any  `json:"loc"`
		Message string `json:"msg"`
	}
	switch {
	case json.Unmarshal(envelope.Detail, &said.Message) == nil:
	case json.Unmarshal(envelope.Detail, &fields) == nil:
		var texts []string
		for _, field := range fields {
			where := strings.ReplaceAll(strings.Trim(fmt.Sprint(field.Where), "[]"), " ", ".")
			texts = append(texts, where+": "+field.Message)
		}
		said.Message = strings.Join(texts, "; ")
	default:
		_ = json.Unmarshal(envelope.Detail, &said) // fields of another type stay empty
	}
	return said
}
