//go:build integration

package dynamo_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/agent/ledgertest"
	"callagent/core/call"
	"callagent/infra/dynamo"
)

// TestLedgerOnABadWire runs the suite where the answer of every fourth request,
// if it is a write, is lost, and no refusal brings the item that stands in its
// way. More would now and then lose all eight tries of one write in a crowd.
func TestLedgerOnABadWire(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		n := 0
		var mu sync.Mutex
		w := &wire{trip: func(op string, r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if n++; isWrite(op) && n%4 == 0 {
				return unanswered(r)
			}
			return withoutItem(op, r)
		}}
		return ledgertest.Harness{Store: newCalls(t, w), Now: time.Now}
	})
}

func isWrite(op string) bool { return op == "UpdateItem" || op == "TransactWriteItems" }

var errLost = errors.New("connection reset")

// unanswered sends the request and loses the answer.
func unanswered(r *http.Request) (*http.Response, error) {
	res, err := connections.RoundTrip(r)
	if err == nil {
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	return nil, errors.Join(errLost, err)
}

// unsent loses the request itself.
func unsent(*http.Request) (*http.Response, error) { return nil, errLost }

// fate is what becomes of one request; nil: nothing special.
type fate func(*http.Request) (*http.Response, error)

// fated meets its writes in turn with the fates; the last one stays.
func fated(fates ...fate) *wire {
	var mu sync.Mutex
	return &wire{trip: func(op string, r *http.Request) (*http.Response, error) {
		if !isWrite(op) {
			return connections.RoundTrip(r)
		}
		mu.Lock()
		f := fates[0]
		if len(fates) > 1 {
			fates = fates[1:]
		}
		mu.Unlock()
		if f == nil {
			return connections.RoundTrip(r)
		}
		return f(r)
	}}
}

// dialled is a record with an intent, and the number and SID that it takes.
func dialled(contact string) call.Write {
	k := call.Key{Campaign: "spring", Contact: contact}
	now := time.Now().UTC()
	return call.Write{Number: call.TakeNumber, Own: "CA-" + contact, Call: call.Call{
		Key: k, Contact: call.Contact{Campaign: k.Campaign, ID: k.Contact, Phone: "+15005550006"}, Number: "hash-" + contact,
		State: call.Running, CreatedAt: now, Due: now, SID: "CA-" + contact,
		Intent: &call.Intent{Attempt: "attempt-" + contact, At: now, Deadline: now.Add(time.Minute)},
	}}
}

// bare is the same record in a write of one item.
func bare(contact string) call.Write {
	return call.Write{Call: dialled(contact).Call}
}

func TestLostAnswers(t *testing.T) {
	for _, tc := range []struct {
		says  string
		fates []fate
		write call.Write
	}{
		{"the answer of a write", []fate{unanswered, nil}, bare("ada")},
		{"the answer of a transaction", []fate{unanswered, nil}, dialled("ada")},
		{"the request of a write", []fate{unsent, nil}, bare("ada")},
		{"the request of a transaction", []fate{unsent, nil}, dialled("ada")},
		{"the answers of three sendings", []fate{unanswered, unanswered, unanswered, nil}, dialled("ada")},
		{"the answer of the second sending", []fate{unsent, unanswered, nil}, bare("ada")},
	} {
		t.Run(tc.says, func(t *testing.T) {
			w := fated(tc.fates...)
			s := newCalls(t, w)
			if err := s.Put(t.Context(), tc.write); err != nil {
				t.Fatalf("put: %v", err)
			}
			if _, writes := w.counted(); writes != len(tc.fates) {
				t.Errorf("it was sent %d times, want %d", writes, len(tc.fates))
			}
			if c, err := s.Get(t.Context(), tc.write.Call.Key); err != nil || c.Version != 1 {
				t.Errorf("the record has version %d (%v), want 1", c.Version, err)
			}
			err := s.Put(t.Context(), tc.write)
			if !errors.Is(err, agent.ErrConflict) {
				t.Errorf("the same record by somebody else: %v, want a conflict", err)
			}
		})
	}
}

// TestAWireThatStaysSilent: whether the write was done cannot be known, so the
// error is none of those that say that nothing was stored.
func TestAWireThatStaysSilent(t *testing.T) {
	for _, tc := range []struct {
		says string
		fate fate
	}{{"done", unanswered}, {"not done", unsent}} {
		t.Run(tc.says, func(t *testing.T) {
			s := newCalls(t, fated(tc.fate))
			err := s.Put(t.Context(), dialled("ada"))
			var taken *agent.TakenError
			if err == nil || errors.Is(err, agent.ErrConflict) || errors.Is(err, agent.ErrBlocked) || errors.As(err, &taken) {
				t.Errorf("put: %v, want an error that leaves it open", err)
			}
		})
	}
}

// TestOthersWroteMeanwhile: a write was done, its answer was lost, and before
// it is sent again others write. The first of them leaves our nonce in the record;
// after the second nobody can tell any more what became of the write.
func TestOthersWroteMeanwhile(t *testing.T) {
	table := callsTable(t)
	other := dynamo.NewCalls(clientAt(endpoint(t), connections), table, time.Now)
	overwritten := func(times int) fate {
		return func(r *http.Request) (*http.Response, error) {
			if _, err := unanswered(r); !errors.Is(err, errLost) {
				return nil, err
			}
			for range times {
				c, err := other.Get(t.Context(), bare("ada").Call.Key)
				if err == nil {
					err = other.Put(t.Context(), call.Write{Call: c})
				}
				if err != nil {
					t.Error(err)
				}
			}
			return nil, errLost
		}
	}
	s := dynamo.NewCalls(clientAt(endpoint(t), fated(overwritten(1), nil, overwritten(2), nil)), table, time.Now)
	if err := s.Put(t.Context(), bare("ada")); err != nil {
		t.Errorf("put, and one other since: %v, want it recognised", err)
	}
	c, err := s.Get(t.Context(), bare("ada").Call.Key)
	if err != nil || c.Version != 2 {
		t.Fatalf("the record has version %d (%v), want 2", c.Version, err)
	}
	if err := s.Put(t.Context(), call.Write{Call: c}); err == nil || errors.Is(err, agent.ErrConflict) {
		t.Errorf("put, and two others since: %v, want an error that leaves it open", err)
	}
}

// TestSomebodyElseWasFirst: the request was lost, and somebody else's write of
// the same version was done. That is a lost race and nothing else.
func TestSomebodyElseWasFirst(t *testing.T) {
	table := callsTable(t)
	other := dynamo.NewCalls(clientAt(endpoint(t), connections), table, time.Now)
	late := func(r *http.Request) (*http.Response, error) {
		if err := other.Put(t.Context(), bare("ada")); err != nil {
			t.Error(err)
		}
		return unsent(r)
	}
	s := dynamo.NewCalls(clientAt(endpoint(t), fated(late, nil)), table, time.Now)
	if err := s.Put(t.Context(), bare("ada")); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("put: %v, want a conflict", err)
	}
}

// TestAnAnswerWhileAnotherCallIsOrdered: it comes after the old round was read
// and before the new one is stored, and goes with the old one.
func TestAnAnswerWhileAnotherCallIsOrdered(t *testing.T) {
	table := callsTable(t)
	other := dynamo.NewCalls(clientAt(endpoint(t), connections), table, time.Now)
	w := bare("ada")
	w.Call.State, w.Call.SID = call.Failed, ""
	if err := other.Put(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	answered := func(r *http.Request) (*http.Response, error) {
		a := call.Answer{SID: "CA-late", Result: call.Busy, At: time.Now()}
		if _, err := other.Answer(t.Context(), w.Call.Key, w.Call.Intent.Attempt, a); err != nil {
			t.Error(err)
		}
		return connections.RoundTrip(r)
	}
	before, err := other.Get(t.Context(), w.Call.Key)
	if err != nil {
		t.Fatal(err)
	}
	next, kept, ok := before.Again(time.Now())
	if !ok {
		t.Fatal("it cannot be ordered again")
	}
	s := dynamo.NewCalls(clientAt(endpoint(t), fated(answered, nil)), table, time.Now)
	if err := s.Put(t.Context(), call.Write{Call: next, Keep: &kept}); err != nil {
		t.Fatalf("put: %v", err)
	}
	if c, err := s.Get(t.Context(), kept.Key); err != nil || c.Answer == nil || c.Answer.SID != "CA-late" {
		t.Errorf("the old round has the answer %v (%v)", c.Answer, err)
	}
	if c, err := s.Get(t.Context(), next.Key); err != nil || c.Answer != nil {
		t.Errorf("the new round has the answer %v (%v), want none", c.Answer, err)
	}
	if k, err := s.Owner(t.Context(), "CA-late"); err != nil || k != kept.Key {
		t.Errorf("the SID belongs to %s (%v), want %s", k, err, kept.Key)
	}
}

// TestAnAnswerThatIsOvertaken: others write between its reading of the call and
// its write.
func TestAnAnswerThatIsOvertaken(t *testing.T) {
	k, attempt := bare("ada").Call.Key, bare("ada").Call.Intent.Attempt
	answer := call.Answer{SID: "CA-ada", Result: call.Busy, At: time.Now()}
	for _, tc := range []struct {
		says      string
		overtaken func(other *dynamo.Calls, c call.Call) error
		check     func(c call.Call, err error) bool
	}{
		{"by a holder who gives up: the answer settles it", func(other *dynamo.Calls, c call.Call) error {
			c.State = call.Unknown
			return other.Put(t.Context(), call.Write{Call: c, Unanswered: true})
		}, func(c call.Call, err error) bool { return err == nil && c.State == call.Completed && c.Version == 3 }},
		{"by another final answer: it is too late", func(other *dynamo.Calls, c call.Call) error {
			first := answer
			first.Result = call.Answered
			_, err := other.Answer(t.Context(), k, attempt, first)
			return err
		}, func(_ call.Call, err error) bool { return errors.Is(err, agent.ErrConflict) }},
		{"by a new intent: it is nobody's", func(other *dynamo.Calls, c call.Call) error {
			c.Intent = &call.Intent{Attempt: "another"}
			return other.Put(t.Context(), call.Write{Call: c})
		}, func(_ call.Call, err error) bool { return errors.Is(err, agent.ErrNotFound) }},
	} {
		t.Run(tc.says, func(t *testing.T) {
			table := callsTable(t)
			other := dynamo.NewCalls(clientAt(endpoint(t), connections), table, time.Now)
			if err := other.Put(t.Context(), bare("ada")); err != nil {
				t.Fatal(err)
			}
			overtaken := func(r *http.Request) (*http.Response, error) {
				c, err := other.Get(t.Context(), k)
				if err == nil {
					err = tc.overtaken(other, c)
				}
				if err != nil {
					t.Error(err)
				}
				return connections.RoundTrip(r)
			}
			s := dynamo.NewCalls(clientAt(endpoint(t), fated(overtaken, nil)), table, time.Now)
			if c, err := s.Answer(t.Context(), k, attempt, answer); !tc.check(c, err) {
				t.Errorf("the call is %s of version %d, error %v", c.State, c.Version, err)
			}
		})
	}
}

// TestRecordsAreReadAsTheyAre: the emulator never lags, so the requests
// themselves have to ask for it.
func TestRecordsAreReadAsTheyAre(t *testing.T) {
	asked := map[string]bool{}
	w := &wire{trip: func(op string, r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		asked[op] = bytes.Contains(body, []byte(`"ConsistentRead":true`))
		r.Body = io.NopCloser(bytes.NewReader(body))
		return connections.RoundTrip(r)
	}}
	s, parked := newCalls(t, w), bare("ada")
	parked.Call.Park.Service = agent.LLM
	if err := s.Put(t.Context(), parked); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), parked.Call.Key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Parked(t.Context(), agent.LLM, time.Time{}, 1); err != nil {
		t.Fatal(err)
	}
	if !asked["GetItem"] || !asked["BatchGetItem"] {
		t.Errorf("consistent reads asked for: %v", asked)
	}
}

// TestSecretIsMadeOnce: many processes start at once and some answers are lost.
func TestSecretIsMadeOnce(t *testing.T) {
	table := callsTable(t)
	var stores []*dynamo.Calls
	for i := range 20 {
		w := fated([]fate{unanswered, unsent, nil}[i%3], nil)
		stores = append(stores, dynamo.NewCalls(clientAt(endpoint(t), w), table, time.Now))
	}
	secrets := make([][]byte, len(stores))
	var all sync.WaitGroup
	for i, s := range stores {
		all.Go(func() {
			var err error
			if secrets[i], err = s.Secret(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	same := func(secret []byte) bool { return len(secret) == 32 && bytes.Equal(secret, secrets[0]) }
	if i := slices.IndexFunc(secrets, func(s []byte) bool { return !same(s) }); i >= 0 {
		t.Errorf("secret %d is %x, the first %x", i, secrets[i], secrets[0])
	}
}
