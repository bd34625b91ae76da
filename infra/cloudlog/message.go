package cloudlog

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"callagent/core/journal"
)

// MaxMessage is how large a message gets that holds more than one entry, in
// bytes.
const MaxMessage = 256 << 10

// Batch is a message of the journal queue: the entries of one invocation, or
// some of them when they are too large for one message. ID is never the same
// twice, so that copies of a message are known by it.
type Batch struct {
	ID      string          `json:"id"`
	Entries []journal.Entry `json:"entries"`
}

// Refresh is a message without entries: it has the Status written.
func Refresh() []byte { return fmt.Appendf(nil, `{"id":%q,"entries":[]}`, rand.Text()) }

// Messages writes entries as messages of the journal queue; none for none.
func Messages(entries []journal.Entry) [][]byte {
	var (
		messages [][]byte
		body     bytes.Buffer
	)
	end := func() {
		if body.Len() > 0 {
			messages = append(messages, append(bytes.Clone(body.Bytes()), "]}"...))
			body.Reset()
		}
	}
	for _, e := range entries {
		entry := bytes.TrimSuffix(journal.JSON(e), []byte("\n"))
		if body.Len()+len(entry)+len(",]}") > MaxMessage {
			end()
		}
		if body.Len() == 0 {
			fmt.Fprintf(&body, `{"id":%q,"entries":[`, rand.Text())
		} else {
			body.WriteByte(',')
		}
		body.Write(entry)
	}
	end()
	return messages
}

// Read reads a message of the journal queue.
func Read(body []byte) (Batch, error) {
	var b Batch
	if err := json.Unmarshal(body, &b); err != nil || b.ID == "" {
		return Batch{}, fmt.Errorf("cloudlog: a message of %d bytes holds no entries of the journal", len(body))
	}
	return b, nil
}
