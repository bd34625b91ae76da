package twilio_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/call"
	"callagent/infra/twilio"
)

func TestValidSignature(t *testing.T) {
	gather := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"},
		"From": {"+12349013030"}, "To": {"+18005551212"}}
	status := url.Values{"CallSid": {"CA1234567890ABCDE"}, "CallStatus": {"completed"},
		"From": {"+14158675310"}, "To": {"+18005551212"}}
	const (
		gatherURL  = "https://mycompany.com/myapp.php?foo=1&bar=2"
		gatherSign = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
		statusURL  = "https://example.com/twilio/status?attempt=42"
		statusSign = "aIJMrIaEW4RIiHG/zNFBPd8KfH0="
	)
	with := func(form url.Values, key, value string) url.Values {
		all := url.Values{key: {value}}
		for k, v := range form {
			if k != key {
				all[k] = v
			}
		}
		return all
	}
	for name, tt := range map[string]struct {
		token, target string
		form          url.Values
		signature     string
		want          bool
	}{
		"published":            {"12345", gatherURL, gather, gatherSign, true},
		"of a status callback": {"12345", statusURL, status, statusSign, true},
		"signed without port":  {"12345", "https://mycompany.com:443/myapp.php?foo=1&bar=2", gather, gatherSign, true},
		"another port":         {"12345", "https://mycompany.com:8443/myapp.php?foo=1&bar=2", gather, gatherSign, false},
		"port of http":         {"12345", "https://mycompany.com:80/myapp.php?foo=1&bar=2", gather, gatherSign, false},
		"another query":        {"12345", "https://example.com/twilio/status?attempt=43", status, statusSign, false},
		"another host":         {"12345", "https://example.org/twilio/status?attempt=42", status, statusSign, false},
		"another scheme":       {"12345", "http://example.com/twilio/status?attempt=42", status, statusSign, false},
		"another value":        {"12345", statusURL, with(status, "CallStatus", "busy"), statusSign, false},
		"another field":        {"12345", statusURL, with(status, "Extra", "1"), statusSign, false},
		"another token":        {"12346", statusURL, status, statusSign, false},
		"another signature":    {"12345", statusURL, status, gatherSign, false},
		"no signature":         {"12345", statusURL, status, "", false},
		"no token":             {"", "https://example.com/s", nil, "aTFZSNp8BQCKEAH6wBVFLPuJVao=", false}, // right for an empty key
		"no address":           {"12345", "", status, statusSign, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := twilio.ValidSignature(tt.token, tt.target, tt.form, tt.signature); got != tt.want {
				t.Errorf("valid %v, want %v", got, tt.want)
			}
		})
	}
}

// The signatures of this table were computed with OpenSSL over the text in the
// second column.
func TestValidSignatureWithAndWithoutPort(t *testing.T) {
	form := url.Values{"A": {"2", "1", "2"}, "B": {""}}
	for _, tt := range []struct{ target, signed, signature string }{
		{"https://example.com/s", "https://example.com:443/sA1A2B", "nbQ41gAfUmpx/zTqTmLzYay7eq8="},
		{"http://example.com/s", "http://example.com:80/sA1A2B", "5WgeWkNG7+zvsGBEeMqCxqivFuU="},
		{"http://example.com:80/s", "http://example.com/sA1A2B", "+KlcRV1+nS9Oquwy7bDXXlW2SbE="},
		{"https://example.com", "https://example.com:443A1A2B", "0rmpEuVaV6EkPXgePeRiIQnXCs4="},
		{"https://[::1]/s", "https://[::1]:443/sA1A2B", "gVDu16LU+6M66UzqatLtYzgfceM="},
		{"https://[::1]:8443/s", "https://[::1]:8443/sA1A2B", "ZBakaC62iF3CbmuG9oKReGjvzy0="},
	} {
		t.Run(tt.target, func(t *testing.T) {
			if !twilio.ValidSignature("12345", tt.target, form, tt.signature) {
				t.Errorf("the signature of %s is refused", tt.signed)
			}
		})
	}
}

func TestParseCallback(t *testing.T) {
	for name, tt := range map[string]struct {
		form string
		want call.Look
	}{
		"busy, all fields": {
			"Called=%2B15005550009&ToState=CA&CallerCountry=US&Direction=outbound-api" +
				"&Timestamp=Sun%2C+25+Mar+2018+09%3A53%3A19+%2B0000&CallbackSource=call-progress-events&SipResponseCode=486" +
				"&SequenceNumber=2&CallSid=" + sid + "&To=%2B15005550009&ApiVersion=2010-04-01&CallStatus=busy&Duration=0" +
				"&From=%2B15005550006&CallDuration=0&AccountSid=" + account,
			call.Look{SID: sid, Status: "busy", To: to, From: from, Result: call.Busy, Detail: "486",
				Created: time.Date(2018, 3, 25, 9, 53, 19, 0, time.UTC)}},
		"completed: seconds, not minutes": {"CallSid=" + sid + "&CallStatus=completed&CallDuration=49&Duration=1&AnsweredBy=human",
			call.Look{SID: sid, Status: "completed", Result: call.Answered, Duration: 49 * time.Second}},
		"voicemail": {"CallSid=" + sid + "&CallStatus=completed&CallDuration=9&AnsweredBy=machine_end_beep",
			call.Look{SID: sid, Status: "completed", Result: call.Voicemail, Duration: 9 * time.Second}},
		"fax": {"CallSid=" + sid + "&CallStatus=completed&AnsweredBy=fax",
			call.Look{SID: sid, Status: "completed", Result: call.Fax}},
		"no answer": {"CallSid=" + sid + "&CallStatus=no-answer", call.Look{SID: sid, Status: "no-answer", Result: call.NoAnswer}},
		"failed": {"CallSid=" + sid + "&CallStatus=failed&SipResponseCode=404&ErrorCode=13224",
			call.Look{SID: sid, Status: "failed", Result: call.NotConnected, Detail: "404"}},
		"failed before SIP": {"CallSid=" + sid + "&CallStatus=failed&ErrorCode=13224",
			call.Look{SID: sid, Status: "failed", Result: call.NotConnected, Detail: "13224"}},
		"canceled":    {"CallSid=" + sid + "&CallStatus=canceled", call.Look{SID: sid, Status: "canceled", Result: call.Canceled}},
		"queued":      {"CallSid=" + sid + "&CallStatus=queued", call.Look{SID: sid, Status: "queued", Queued: true}},
		"initiated":   {"CallSid=" + sid + "&CallStatus=initiated", call.Look{SID: sid, Status: "initiated"}},
		"ringing":     {"CallSid=" + sid + "&CallStatus=ringing&AnsweredBy=", call.Look{SID: sid, Status: "ringing"}},
		"in progress": {"CallSid=" + sid + "&CallStatus=in-progress&AnsweredBy=human", call.Look{SID: sid, Status: "in-progress"}},
		"odd numbers": {"CallSid=" + sid + "&CallStatus=ringing&CallDuration=soon&Timestamp=later",
			call.Look{SID: sid, Status: "ringing"}},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			got, err := twilio.ParseCallback(form)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("look (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseCallbackNamesWhatIsWrong(t *testing.T) {
	for form, want := range map[string]string{
		"":                                   "twilio: the callback has no CallSid",
		"CallStatus=busy":                    "twilio: the callback has no CallSid",
		"CallSid=" + sid:                     "twilio: the callback has no CallStatus",
		"CallSid=" + sid + "&CallStatus=odd": `twilio: the callback's CallStatus "odd" is not known`,
		"CallSid=" + sid + "&CallStatus=%2B15005550006": `twilio: the callback's CallStatus "***06" is not known`,
	} {
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		got, err := twilio.ParseCallback(values)
		if err == nil || err.Error() != want || got != (call.Look{}) {
			t.Errorf("%q: %+v, %v; want %s", form, got, err, want)
		}
	}
}
