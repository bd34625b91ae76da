package sqlite

import (
	"encoding/json"
	"time"

	"callagent/core/call"
)

// nanos is a time as the columns hold it.
func nanos(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

// instant is the time of a column.
func instant(n *int64) time.Time {
	if n == nil {
		return time.Time{}
	}
	return time.Unix(0, *n).UTC()
}

// record is a call as it is written: encoded, with the columns that repeat the
// body.
type record struct {
	call.Call
	body []byte
}

// encode makes the record of the version after c's. It is done before the
// writer's turn.
func encode(c call.Call) (record, error) {
	c = c.Clone()
	c.Version++
	stored := c
	stored.Park.SentAt = time.Time{} // a column of its own
	body, err := json.Marshal(stored)
	return record{Call: c, body: body}, err
}

// attempt is the intent's id for its column.
func (r record) attempt() any {
	if r.Intent == nil {
		return nil
	}
	return r.Intent.Attempt
}

// created is the call's place in the list of all calls, for its column.
func (r record) created() int64 {
	if r.CreatedAt.IsZero() {
		return 0
	}
	return r.CreatedAt.UnixNano()
}

// service is the circuit that the call waits for, for its column.
func (r record) service() any {
	if r.Park.Service == "" {
		return nil
	}
	return r.Park.Service
}

// row is a call as it is read.
type row struct {
	body   []byte
	sentAt *int64
	answer []byte
}

// columns are what a row is scanned from.
const columns = "body, sent_at, answer"

// scanRow reads the columns.
func scanRow(scan func(to ...any) error) (row, error) {
	var r row
	err := scan(&r.body, &r.sentAt, &r.answer)
	return r, err
}

// decode reads the call.
func (r row) decode() (call.Call, error) {
	var c call.Call
	if err := json.Unmarshal(r.body, &c); err != nil {
		return call.Call{}, failed(err)
	}
	c.Park.SentAt = instant(r.sentAt)
	a, err := decodeAnswer(r.answer)
	c.Answer = a
	return c, err
}

// decodeAll reads all calls.
func decodeAll(rows []row, err error) ([]call.Call, error) {
	if err != nil {
		return nil, err
	}
	calls := make([]call.Call, len(rows))
	for i, r := range rows {
		if calls[i], err = r.decode(); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// decodeAnswer reads an answer; nil when there is none.
func decodeAnswer(data []byte) (*call.Answer, error) {
	if data == nil {
		return nil, nil
	}
	var a call.Answer
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, failed(err)
	}
	return &a, nil
}
