package dynamo

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/call"
)

// The attributes of a call's item, besides those of the tables and indexes.
// What conditions, indexes and counts need stands in attributes of its own and
// nowhere else; the rest of the record is packed into attrCall.
const (
	attrVersion = "version"
	attrState   = "state"
	attrResult  = "result"  // absent: none
	attrCreated = "created" // Unix nanoseconds
	attrPark    = "park"    // Park.Number
	attrSentAt  = "sent_at" // Unix nanoseconds; absent: never
	attrAnswer  = "answer"  // a map; never part of a record's write
	attrSIDs    = "sids"    // the SIDs that the call owns
	attrNonce   = "nonce"   // of the write that made this version
	attrBefore  = "before"  // the nonce of the version before it
	attrCall    = "call"    // see pack
)

// kept is how long a call is remembered when nothing is left to do for it.
const kept = 90 * 24 * time.Hour

// The prefixes of the keys of the calls table.
const (
	callPrefix   = "call#"
	numberPrefix = "number#"
	sidPrefix    = "sid#"
	secretPrefix = "secret#"
)

var (
	escape   = strings.NewReplacer("%", "%25", "/", "%2F")
	unescape = strings.NewReplacer("%25", "%", "%2F", "/")
)

// keyText is the key with a slash between campaign and contact. A slash of the
// campaign's own is escaped, so that no two calls have the same text.
func keyText(k call.Key) string { return escape.Replace(k.Campaign) + "/" + k.Contact }

// keyFrom reads what keyText wrote.
func keyFrom(s string) call.Key {
	campaign, contact, _ := strings.Cut(s, "/")
	return call.Key{Campaign: unescape.Replace(campaign), Contact: contact}
}

func callKey(k call.Key) string { return callPrefix + keyText(k) }

// newNonce is never the same twice for one call.
func newNonce() string { return rand.Text()[:13] }

// record is a call's item as it is read.
type record struct {
	call.Call
	sids []string
}

// write adds the record to a change: every attribute but the answer and the
// SIDs. The version is stored as c has it.
func (s *Calls) write(to *change, c call.Call, nonce string) error {
	packed, err := pack(c)
	if err != nil {
		return err
	}
	to.set(attrCall, &types.AttributeValueMemberB{Value: packed})
	to.set(attrVersion, number(c.Version))
	to.set(attrState, text(string(c.State)))
	to.set(attrResult, textOrNone(string(c.Result)))
	to.set(attrCreated, nanos(c.CreatedAt))
	to.set(attrPark, number(int64(c.Park.Number)))
	to.set(attrSentAt, nanos(c.Park.SentAt))
	to.set(attrNonce, text(nonce))
	to.move(attrBefore, attrNonce, text(nonce))
	s.writeIndexes(to, c)
	return nil
}

// writeIndexes adds the call's places in the indexes and the end of its time.
func (s *Calls) writeIndexes(to *change, c call.Call) {
	var due, dueAt, parked, parkedAt, ttl types.AttributeValue
	if !c.Due.IsZero() {
		due, dueAt = text(allCalls), number(dueKey(c))
	}
	if c.Park.Service != "" {
		parked, parkedAt = text(c.Park.Service), number(c.Park.Since.UnixMilli())
	}
	if c.State.Final() && due == nil && parked == nil {
		ttl = number(s.now().Add(kept).Unix())
	}
	to.set(dueHash, due)
	to.set(dueRange, dueAt)
	to.set(parkedHash, parked)
	to.set(parkedRange, parkedAt)
	to.set(TTL, ttl)
}

// allCalls is the one partition of the due index.
const allCalls = "calls"

// dueStep is how much earlier than its due time a call may stand in the index.
const dueStep = time.Hour

// dueKey is the call's place in the due index: at or before its due time, which
// the record has exactly. While the call is worked on the place moves only when
// a whole number of steps has passed since the call was made, so that its looks
// and retries cost no index write. A call that was set aside has its exact
// place, or every tick would read those that wait for tomorrow.
func dueKey(c call.Call) int64 {
	due, made := c.Due.UnixMilli(), c.CreatedAt.UnixMilli()
	if !c.Park.Since.IsZero() || due < made {
		return due
	}
	return due - (due-made)%dueStep.Milliseconds()
}

// read reads a call's item.
func read(i item) (record, error) {
	packed, _ := i[attrCall].(*types.AttributeValueMemberB)
	if packed == nil {
		return record{}, errors.New("dynamodb: the item of a call has no record in it")
	}
	c, err := unpack(packed.Value)
	if err != nil {
		return record{}, err
	}
	c.Key = keyOf(i)
	c.Version, c.State, c.Result = numberOf(i[attrVersion]), call.State(textOf(i[attrState])), call.Result(textOf(i[attrResult]))
	c.CreatedAt, c.Park.SentAt = instant(i[attrCreated]), instant(i[attrSentAt])
	c.Answer = readAnswer(i[attrAnswer])
	r := record{Call: c}
	if sids, ok := i[attrSIDs].(*types.AttributeValueMemberSS); ok {
		r.sids = sids.Value
	}
	return r, nil
}

// keyOf is the call that an item belongs to.
func keyOf(i item) call.Key {
	return keyFrom(strings.TrimPrefix(textOf(i[PartitionKey]), callPrefix))
}

// The members of an answer's map.
const (
	answerSID      = "sid"
	answerResult   = "result"
	answerDuration = "duration" // nanoseconds
	answerDetail   = "detail"
	answerAt       = "at" // Unix nanoseconds
)

// answerValue is an answer as an attribute; nil for none.
func answerValue(a *call.Answer) types.AttributeValue {
	if a == nil {
		return nil
	}
	m := item{}
	for name, v := range map[string]types.AttributeValue{
		answerSID: textOrNone(a.SID), answerResult: textOrNone(string(a.Result)), answerDetail: textOrNone(a.Detail), answerAt: nanos(a.At),
	} {
		if v != nil {
			m[name] = v
		}
	}
	if a.Duration != 0 {
		m[answerDuration] = number(int64(a.Duration))
	}
	return &types.AttributeValueMemberM{Value: m}
}

func readAnswer(v types.AttributeValue) *call.Answer {
	m, ok := v.(*types.AttributeValueMemberM)
	if !ok {
		return nil
	}
	return &call.Answer{
		SID: textOf(m.Value[answerSID]), Result: call.Result(textOf(m.Value[answerResult])),
		Duration: time.Duration(numberOf(m.Value[answerDuration])), Detail: textOf(m.Value[answerDetail]), At: instant(m.Value[answerAt]),
	}
}

// textOrNone is a string as an attribute; nil for the empty one.
func textOrNone(s string) types.AttributeValue {
	if s == "" {
		return nil
	}
	return text(s)
}

// textsOrNone is a set of strings as an attribute; nil for the empty one.
func textsOrNone(members ...string) types.AttributeValue {
	if len(members) == 0 || members[0] == "" {
		return nil
	}
	return &types.AttributeValueMemberSS{Value: members}
}

// versionValue is a record's version as a condition: 0 is no record.
func versionValue(version int64) types.AttributeValue {
	if version == 0 {
		return nil
	}
	return number(version)
}

// nanos is a time as an attribute; nil for the zero time.
func nanos(t time.Time) types.AttributeValue {
	if t.IsZero() {
		return nil
	}
	return number(t.UnixNano())
}

func instant(v types.AttributeValue) time.Time {
	if v == nil {
		return time.Time{}
	}
	return time.Unix(0, numberOf(v)).UTC()
}

// words is what records are mostly made of. Text near its end is the cheapest
// to refer to. It is part of the format: a change needs another number.
//
//go:embed words.txt
var words []byte

// packing is the first byte of a packed record.
const packing = 1

var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriterDict(nil, flate.BestCompression, words)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// pack is the record without what has attributes of its own: the number of the
// packing, and JSON deflated with the words. An ordinary call with its whole
// history stays below the 1,024 bytes that one write unit pays for.
func pack(c call.Call) ([]byte, error) {
	c.Key, c.Version, c.State, c.Result, c.CreatedAt, c.Park.SentAt = call.Key{}, 0, "", "", time.Time{}, time.Time{}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteByte(packing)
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// unpack reads what pack wrote.
func unpack(packed []byte) (call.Call, error) {
	var c call.Call
	if len(packed) == 0 || packed[0] != packing {
		return c, errors.New("dynamodb: a record was written by a newer callagent: use that one")
	}
	data, err := io.ReadAll(flate.NewReaderDict(bytes.NewReader(packed[1:]), words))
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return c, fmt.Errorf("dynamodb: a record cannot be read: %w", err)
	}
	return c, nil
}
