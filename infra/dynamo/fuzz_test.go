package dynamo

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callagent/core/breaker"
	"callagent/core/call"
)

// FuzzUnpack: bytes are a record or an error, and a record that was read is the
// same when it is packed and read again.
func FuzzUnpack(f *testing.F) {
	for _, c := range []call.Call{{}, ordinary(), called(), troubled()} {
		packed, err := pack(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
		f.Add(packed[:len(packed)/2])
	}
	f.Add([]byte{})
	f.Add([]byte{packing + 1, 0})
	f.Fuzz(func(t *testing.T, packed []byte) {
		if c, err := unpack(packed); err == nil {
			comesBack(t, c)
		}
	})
}

// FuzzRecord: every call that JSON can hold comes back from an item as it was.
func FuzzRecord(f *testing.F) {
	for _, c := range []call.Call{{}, ordinary(), called(), troubled()} {
		body, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"created_at":"2300-01-01T00:00:00Z","state":"waiting"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var c call.Call
		if json.Unmarshal(body, &c) == nil {
			comesBack(t, c)
		}
	})
}

// comesBack fails the test unless the call comes back from an item. What JSON cannot
// write again is no call of ours.
func comesBack(t *testing.T, c call.Call) {
	t.Helper()
	if _, err := json.Marshal(c); err != nil {
		return
	}
	c.Key = call.Key{Campaign: "a/b%", Contact: "c"}
	want, err := json.Marshal(whole(c))
	if err != nil {
		t.Fatal(err)
	}
	r, err := read(stored(t, c))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(whole(r.Call))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the call (-want +got):\n%s", diff)
	}
}

// whole is the call with those times in UTC that stand in attributes of their
// own, which hold the years from 1678 to 2262 to the nanosecond.
func whole(c call.Call) call.Call {
	for _, at := range []*time.Time{&c.CreatedAt, &c.Park.SentAt} {
		*at = nanosecond(*at)
	}
	if c.Answer != nil {
		a := *c.Answer
		a.At, c.Answer = nanosecond(a.At), &a
	}
	return c
}

func nanosecond(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.Unix(0, t.UnixNano()).UTC()
}

// FuzzCircuit: an item is a record or an error, and a record that was read is the
// same when it is written and read again, but for a fault that is cut to size.
func FuzzCircuit(f *testing.F) {
	for _, r := range []breaker.Record{{Service: "llm"}, largest()} {
		i, err := encodeCircuit(r)
		if err != nil {
			f.Fatal(err)
		}
		body, err := json.Marshal(fieldsOf(i))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"state":"AJAR"}`))
	f.Add([]byte(`{"state":"CLOSED","forced":"open","streak":-1,"last_fault":{"class":"none"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var fields map[string]any
		if json.Unmarshal(body, &fields) != nil || len(fields) == 0 {
			return
		}
		r, err := decodeCircuit("llm", itemOf(fields))
		if err != nil {
			return
		}
		i, err := encodeCircuit(r)
		if err != nil {
			return // a year that JSON cannot write
		}
		again, err := decodeCircuit("llm", i)
		if err != nil {
			t.Fatal(err)
		}
		again.LastFault, r.LastFault = nil, nil
		if !sameTimes(r, again) {
			t.Errorf("%+v comes back as %+v", r, again)
		}
	})
}

// sameTimes compares two records in UTC.
func sameTimes(a, b breaker.Record) bool {
	x, err := encodeCircuit(a)
	if err != nil {
		return false
	}
	y, err := encodeCircuit(b)
	return err == nil && cmp.Equal(fieldsOf(x), fieldsOf(y))
}
