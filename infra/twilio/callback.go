package twilio

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"callagent/core/call"
	"callagent/infra/httpcall"
)

// ValidSignature reports whether a form post to target was signed with the
// account's token. target is the address that Twilio was given, scheme, query
// and all; the scheme's own port may stand in it or not. An empty token or
// signature is never valid. The comparison takes constant time.
func ValidSignature(authToken, target string, form url.Values, signature string) bool {
	if authToken == "" || signature == "" {
		return false
	}
	valid := false
	for _, address := range spellings(target) {
		mac := hmac.New(sha1.New, []byte(authToken))
		mac.Write([]byte(address + flat(form)))
		expected := base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if hmac.Equal([]byte(expected), []byte(signature)) {
			valid = true
		}
	}
	return valid
}

// flat joins a form's keys and values in the order that is signed.
func flat(form url.Values) string {
	keys := make([]string, 0, len(form))
	for k := range form {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, k := range keys {
		values := slices.Clone(form[k])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			b.WriteString(k + v)
		}
	}
	return b.String()
}

// spellings gives an address as it is, and with the scheme's own port added or
// left out. Nothing else in it changes, because every byte is signed.
func spellings(target string) []string {
	scheme, rest, ok := strings.Cut(target, "://")
	port := map[string]string{"https": ":443", "http": ":80"}[scheme]
	if !ok || port == "" {
		return []string{target}
	}
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if bare, had := strings.CutSuffix(host, port); had {
		return []string{target, scheme + "://" + bare + path}
	}
	return []string{target, scheme + "://" + host + port + path}
}

// ParseCallback reads a status callback. CallSid and CallStatus are required;
// the error names what is missing. Created is the time of the event, zero when
// the form tells none. Detail is the SIP response code, or else the error code.
// Callbacks can overtake each other: one that is not final says nothing about a
// call that has ended.
func ParseCallback(form url.Values) (call.Look, error) {
	for _, name := range []string{"CallSid", "CallStatus"} {
		if form.Get(name) == "" {
			return call.Look{}, fmt.Errorf("twilio: the callback has no %s", name)
		}
	}
	if !callID.MatchString(form.Get("CallSid")) {
		return call.Look{}, errors.New("twilio: the callback's CallSid is no id of a call")
	}
	status := form.Get("CallStatus")
	end, known := ends[status]
	if !known {
		return call.Look{}, fmt.Errorf("twilio: the callback's CallStatus %q is not known", httpcall.Clean(status))
	}
	l := call.Look{
		SID: form.Get("CallSid"), Status: status, To: form.Get("To"), From: form.Get("From"),
		Queued: status == "queued", Result: heard(end, form.Get("AnsweredBy")),
		Duration: seconds(form.Get("CallDuration")),
		Detail:   httpcall.Clean(cmp.Or(form.Get("SipResponseCode"), form.Get("ErrorCode"))),
	}
	if at, err := mail.ParseDate(form.Get("Timestamp")); err == nil {
		l.Created = at.UTC()
	}
	return l, nil
}
