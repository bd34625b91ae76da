package simulator

import (
	"net/url"
	"testing"
)

// The vectors are Twilio's own.
func TestSignature(t *testing.T) {
	for _, tc := range []struct {
		link string
		form url.Values
		want string
	}{
		{"https://mycompany.com/myapp.php?foo=1&bar=2", url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"},
			"Digits": {"1234"}, "From": {"+12349013030"}, "To": {"+18005551212"}}, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="},
		{"https://example.com/twilio/status?attempt=42", url.Values{"CallSid": {"CA1234567890ABCDE"}, "CallStatus": {"completed"},
			"From": {"+14158675310"}, "To": {"+18005551212"}}, "aIJMrIaEW4RIiHG/zNFBPd8KfH0="},
	} {
		if got := signature("12345", tc.link, tc.form); got != tc.want {
			t.Errorf("signature of %s is %s, want %s", tc.link, got, tc.want)
		}
	}
}
