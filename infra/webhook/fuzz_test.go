package webhook

import (
	"net/http"
	"testing"
	"time"

	"callagent/infra/httpcall/httpcalltest"
)

// FuzzAnswers: whatever a receiver says is a success or a fault of the table.
func FuzzAnswers(f *testing.F) {
	httpcalltest.Fuzz(f, channel(), httpcalltest.Answer{Status: 410, Body: "<html>"}, httpcalltest.Answer{Status: 502, Header: "Retry-After: 1"}, httpcalltest.Answer{Status: 302, Header: "Location: /$KEY"})
}

// FuzzVerify: only what was signed is valid, at the time when it was.
func FuzzVerify(f *testing.F) {
	f.Add("msg_1", "1614265330", "v1,AAAA", "{}")
	f.Add("", "-1", "v1,", "")
	f.Add("a", "99999999999999999999", " ", "\x00")
	f.Fuzz(func(t *testing.T, id, stamp, signature, body string) {
		now := time.Unix(1614265330, 0)
		h := http.Header{idHeader: {id}, timestampHeader: {stamp}, signatureHeader: {signature}}
		if Verify(secret, h, []byte(body), now) == nil {
			t.Error("guessed")
		}
		signed, err := Sign(secret, id, now, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		h[signatureHeader], h[timestampHeader] = []string{signature + " " + signed}, []string{"1614265330"}
		if err := Verify(secret, h, []byte(body), now); (err == nil) != (id != "") {
			t.Errorf("what was signed: %v", err)
		}
	})
}
