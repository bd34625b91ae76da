package cloudlog

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRead: a message that is read has an id, its entries come back when they
// are sent again, and what is refused is not repeated.
func FuzzRead(f *testing.F) {
	f.Add(Refresh())
	for _, m := range Messages(outage()) {
		f.Add(m)
	}
	for _, body := range []string{"", "null", "{}", `{"id":1}`, `{"id":"a","entries":[{"timestamp":"+15005550006"}]}`, `{"id":"a","entries":[{"level":"LOUD","retry_count":null}]}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Read(body)
		if err != nil {
			if !regexp.MustCompile(`^cloudlog: a message of \d+ bytes holds no entries of the journal$`).MatchString(err.Error()) {
				t.Errorf("error %v", err)
			}
			return
		}
		if b.ID == "" {
			t.Error("a message without an id")
		}
		if _, err := json.Marshal(b); err != nil {
			return // a time that JSON cannot write
		}
		if diff := cmp.Diff(b.Entries, read(t, Messages(b.Entries))); diff != "" && len(b.Entries) > 0 {
			t.Errorf("the entries sent again (-want +got):\n%s", diff)
		}
	})
}
