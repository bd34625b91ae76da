package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of the specification, in the spelling that net/http gives them.
const (
	idHeader        = "Webhook-Id"
	timestampHeader = "Webhook-Timestamp"
	signatureHeader = "Webhook-Signature"
)

const (
	prefix    = "whsec_"
	version   = "v1,"
	tolerance = 5 * time.Minute
)

// Sign gives the webhook-signature of one attempt: version 1, an HMAC-SHA256
// over id, time in whole seconds and body. The secret is "whsec_" and base64,
// or any other text, which is then the key itself.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	k, err := key(secret)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return version + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Verify checks a received webhook: one of its signatures must be ours, and its
// timestamp within five minutes of now. It compares in constant time.
func Verify(secret string, h http.Header, body []byte, now time.Time) error {
	id, stamp := h.Get(idHeader), h.Get(timestampHeader)
	if id == "" || stamp == "" || h.Get(signatureHeader) == "" {
		return errors.New("webhook: webhook-id, webhook-timestamp or webhook-signature is missing")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("webhook: webhook-timestamp is not a number of seconds")
	}
	at := time.Unix(seconds, 0)
	if at.Before(now.Add(-tolerance)) || at.After(now.Add(tolerance)) {
		return errors.New("webhook: webhook-timestamp is more than five minutes from now")
	}
	want, err := Sign(secret, id, at, body)
	if err != nil {
		return err
	}
	for got := range strings.FieldsSeq(h.Get(signatureHeader)) {
		if hmac.Equal([]byte(got), []byte(want)) {
			return nil
		}
	}
	return errors.New("webhook: no signature matches")
}

// key reads a secret.
func key(secret string) ([]byte, error) {
	if secret == "" {
		return nil, errors.New("webhook: the secret is empty: set ALERT_WEBHOOK_SECRET")
	}
	encoded, ok := strings.CutPrefix(secret, prefix)
	if !ok {
		return []byte(secret), nil
	}
	k, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(k) == 0 {
		return nil, errors.New("webhook: what follows whsec_ in ALERT_WEBHOOK_SECRET is not base64: copy the secret again")
	}
	return k, nil
}
