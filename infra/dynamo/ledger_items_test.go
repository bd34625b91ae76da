//go:build integration

package dynamo_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/agent"
	"callagent/core/call"
	"callagent/infra/dynamo"
)

// TestFiftyProcessesGetOneMessage: each is a whole agent, and one of them dials.
func TestFiftyProcessesGetOneMessage(t *testing.T) {
	st := newStage(t)
	agents := make([]*agent.Agent, crowd)
	for i := range agents {
		o := st.options
		o.Holder = fmt.Sprintf("process-%d", i)
		agents[i] = agent.New(o)
	}
	verdicts := make(chan agent.Verdict, crowd)
	atOnce(agents, func(a *agent.Agent) { verdicts <- a.Handle(t.Context(), st.message) })
	close(verdicts)
	waiting := 0
	for v := range verdicts {
		if v.State == call.Waiting {
			waiting++
		}
	}
	if c := st.call(); st.providers.dials != 1 || waiting != 1 || c.Takeovers != 0 {
		t.Errorf("%d dials, %d processes dialled, %d takeovers; want one dial of one process", st.providers.dials, waiting, c.Takeovers)
	}
}

// ended reads when an item's time is over; zero when it has no end.
func ended(t *testing.T, table, key string) time.Time {
	t.Helper()
	out, err := clientAt(endpoint(t), connections).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &table, ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{
			dynamo.PartitionKey: &types.AttributeValueMemberS{Value: key},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Item == nil {
		t.Fatalf("there is no item %s", key)
	}
	ttl, ok := out.Item[dynamo.TTL].(*types.AttributeValueMemberN)
	if !ok {
		return time.Time{}
	}
	var seconds int64
	if _, err := fmt.Sscan(ttl.Value, &seconds); err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}

// TestWhatIsForgotten goes through a call's life and looks at which of its
// items have an end.
func TestWhatIsForgotten(t *testing.T) {
	table, now := callsTable(t), time.Now()
	s := dynamo.NewCalls(clientAt(endpoint(t), connections), table, func() time.Time { return now })
	item, number, sid := "call#spring/ada", "number#hash-ada", "sid#CA-ada"
	w := dialled("ada")
	put := func(change func(w *call.Write)) {
		t.Helper()
		w.Number, w.Own = call.KeepNumber, ""
		w.Call.Version++
		change(&w)
		if err := s.Put(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when string, want map[string]bool) {
		t.Helper()
		for key, ends := range want {
			end := ended(t, table, key)
			if ends && !end.Equal(now.Add(90*24*time.Hour).Truncate(time.Second)) || !ends && !end.IsZero() {
				t.Errorf("%s: %s ends %v, want an end in 90 days: %v", when, key, end, ends)
			}
		}
	}
	if err := s.Put(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	expect("live", map[string]bool{item: false, number: false, sid: true})
	put(func(w *call.Write) {
		w.Call.State, w.Call.Recorded, w.Number = call.Completed, call.Pending, call.FreeNumber
	})
	expect("completed", map[string]bool{item: false, number: true})
	put(func(w *call.Write) {
		w.Call.Due, w.Call.Park = time.Time{}, call.Park{Number: 1, Service: agent.CRMService, Since: now}
	})
	expect("waiting to be recorded", map[string]bool{item: false})
	put(func(w *call.Write) { w.Call.Recorded, w.Call.Park = call.Yes, call.Park{Number: 1} })
	expect("recorded", map[string]bool{item: true})
	done, err := s.Ended(t.Context(), now)
	want := call.Ended{From: now.UTC().Truncate(call.EndedSpan), State: call.Completed, Calls: 1}
	if err != nil || len(done) != 1 || done[0].From != want.From || done[0].State != want.State || done[0].Calls != want.Calls {
		t.Errorf("since now ended %+v, %v; want %+v", done, err, want)
	}
	if done, err = s.Ended(t.Context(), now.Add(call.EndedSpan)); err != nil || len(done) != 0 {
		t.Errorf("later ended %+v, %v", done, err)
	}
	put(func(w *call.Write) { w.Call.State, w.Call.Due, w.Number = call.Waiting, now, call.TakeNumber })
	expect("ordered again", map[string]bool{item: false, number: false})

	for _, step := range []error{s.Block(t.Context(), "hash-ada"), s.Block(t.Context(), "hash-bob")} {
		if step != nil {
			t.Fatal(step)
		}
	}
	put(func(w *call.Write) { w.Number = call.FreeNumber })
	expect("blocked", map[string]bool{number: false, "number#hash-bob": false})
	for _, step := range []error{s.Unblock(t.Context(), "hash-ada"), s.Unblock(t.Context(), "hash-bob")} {
		if step != nil {
			t.Fatal(step)
		}
	}
	expect("unblocked", map[string]bool{number: true, "number#hash-bob": true})
}

// TestALaggingIndexShowsNoWrongRecord: the index answers as it was before the
// call was worked on.
func TestALaggingIndexShowsNoWrongRecord(t *testing.T) {
	old := map[string][]byte{} // the first answer to each query
	w := &wire{trip: func(op string, r *http.Request) (*http.Response, error) {
		if op != "Query" {
			return connections.RoundTrip(r)
		}
		query, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(query))
		res, err := connections.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if old[string(query)] == nil {
			old[string(query)] = body
		}
		body = old[string(query)]
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res.Header.Del("X-Amz-Crc32") // of the answer that is held back
		return res, err
	}}
	s, now := newCalls(t, w), time.Now().Add(time.Minute)
	parked := bare("ada")
	parked.Call.State, parked.Call.Park = call.Parked, call.Park{Number: 1, Service: agent.LLM, Since: time.Now()}
	if err := s.Put(t.Context(), parked); err != nil {
		t.Fatal(err)
	}
	listed := func(what string, want int) {
		t.Helper()
		due, err := s.Due(t.Context(), now, 10)
		if err != nil || len(due) != want {
			t.Errorf("%s: %d calls are due (%v), want %d", what, len(due), err, want)
		}
		waiting, err := s.Parked(t.Context(), agent.LLM, time.Time{}, 10)
		if err != nil || len(waiting) != want {
			t.Errorf("%s: %d calls are parked (%v), want %d", what, len(waiting), err, want)
		}
	}
	listed("parked", 1)
	parked.Call.Version, parked.Call.State, parked.Call.Park, parked.Call.Due = 1, call.Running, call.Park{}, now.Add(time.Hour)
	if err := s.Put(t.Context(), parked); err != nil {
		t.Fatal(err)
	}
	listed("claimed", 0)
}

// TestTheLongestDueOfManyPages: all stand at the same place of the index, the
// longest due in its last page.
func TestTheLongestDueOfManyPages(t *testing.T) {
	const calls, wanted = 220, 7
	s, made := newCalls(t, connections), time.Now().Add(-time.Hour)
	for i := range calls {
		w := bare(fmt.Sprintf("c-%03d", i))
		w.Call.CreatedAt, w.Call.Due = made, made.Add(time.Duration(calls-i)*time.Second)
		if err := s.Put(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	due, err := s.Due(t.Context(), time.Now(), wanted)
	if err != nil || len(due) != wanted {
		t.Fatalf("%d calls are due (%v), want %d", len(due), err, wanted)
	}
	for i, c := range due {
		if want := fmt.Sprintf("c-%03d", calls-1-i); c.Key.Contact != want {
			t.Errorf("number %d is %s, want %s", i, c.Key.Contact, want)
		}
	}
}
