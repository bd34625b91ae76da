package sqs

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
)

// wire is what SQS does and no emulator does on demand: it answers each request
// with a function. It stands behind the real client.
type wire func(action string, in request) (status int, out any)

// request is the fields of all requests that a test looks at.
type request struct {
	QueueURL          string `json:"QueueUrl"`
	Entries           []entry
	VisibilityTimeout int
}

type entry struct {
	ID           string `json:"Id"`
	MessageBody  string
	DelaySeconds int
}

// Do answers one request.
func (w wire) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var in request
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	status, out := w(action, in)
	body, err := json.Marshal(out)
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Request: r}, err
}

func (w wire) client() *sqs.Client {
	return sqs.New(sqs.Options{
		Region: "us-east-1", HTTPClient: w, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func (w wire) sender() *Sender {
	return NewSender(w.client(), "https://sqs.us-east-1.amazonaws.com/000000000000/contacts")
}

// batch is the answer to a batch: fate says what becomes of a message, "" for
// taken, "lost" for not mentioned, else the code of the error.
func batch(in request, fate func(body string) (code string, ours bool)) any {
	type fields = map[string]any
	taken, failed := []fields{}, []fields{}
	for _, e := range in.Entries {
		switch code, ours := fate(e.MessageBody); code {
		case "":
			sum := md5.Sum([]byte(e.MessageBody))
			taken = append(taken, fields{"Id": e.ID, "MessageId": "m" + e.ID, "MD5OfMessageBody": hex.EncodeToString(sum[:])})
		case "lost":
		default:
			failed = append(failed, fields{"Id": e.ID, "Code": code, "Message": "try " + e.MessageBody, "SenderFault": ours})
		}
	}
	return fields{"Successful": taken, "Failed": failed}
}

// texts are n messages of a few bytes.
func texts(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = fmt.Appendf(nil, "message %d", i)
	}
	return all
}

// faulty answers batches so that some messages fail at first.
type faulty struct {
	mu       sync.Mutex
	fails    map[string]int // how often a message still fails
	code     string
	ours     bool
	sent     map[string]int
	requests int
}

func (f *faulty) answer(_ string, in request) (int, any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	return http.StatusOK, batch(in, func(body string) (string, bool) {
		if f.fails[body] > 0 {
			f.fails[body]--
			return f.code, f.ours
		}
		f.sent[body]++
		return "", false
	})
}

func TestWhatTheServerFailsToTakeIsSentAgain(t *testing.T) {
	for _, code := range []string{"InternalError", "lost"} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			f := &faulty{fails: map[string]int{"message 3": 1, "message 7": 3, "message 15": 2}, code: code, sent: map[string]int{}}
			if err := wire(f.answer).sender().Send(t.Context(), 0, texts(20)...); err != nil {
				t.Errorf("%s: %v", code, err)
			}
			for _, body := range texts(20) {
				if n := f.sent[string(body)]; n != 1 {
					t.Errorf("%s: %s was sent %d times", code, body, n)
				}
			}
			if took := time.Since(began); f.requests != 7 || took == 0 || took > tries*maxBackoff {
				t.Errorf("%s: %d requests in %v, want 7 with pauses", code, f.requests, took)
			}
		})
	}
}

func TestWhatIsNotSentIsNamed(t *testing.T) {
	for _, c := range []struct {
		name     string
		fails    map[string]int
		code     string
		ours     bool
		unsent   []int
		requests int
		says     string
	}{
		{"our own fault", map[string]int{"message 3": 1, "message 15": 1}, "InvalidMessageContents", true, []int{3, 15}, 2,
			"sqs: 18 of 20 messages were sent, not those at 3, 15: InvalidMessageContents: try message "},
		{"the server's", map[string]int{"message 3": 99}, "InternalError", false, []int{3}, 5,
			"sqs: 19 of 20 messages were sent, not those at 3: InternalError: try message 3"},
		{"many", map[string]int{"message 0": 1, "message 1": 1, "message 2": 1, "message 3": 1, "message 4": 1, "message 5": 1, "message 19": 1},
			"InvalidMessageContents", true, []int{0, 1, 2, 3, 4, 5, 19}, 2,
			"sqs: 13 of 20 messages were sent, not those at 0, 1, 2, 3, 4 and 2 more: InvalidMessageContents: try message "},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &faulty{fails: c.fails, code: c.code, ours: c.ours, sent: map[string]int{}}
			err := wire(f.answer).sender().Send(t.Context(), 0, texts(20)...)
			failed, ok := errors.AsType[*SendError](err)
			if !ok || !slices.Equal(failed.Unsent, c.unsent) || failed.Of != 20 || !strings.HasPrefix(err.Error(), c.says) {
				t.Errorf("%s: %v, want %s", c.name, err, c.says)
			}
			if f.requests != c.requests {
				t.Errorf("%s: %d requests, want %d", c.name, f.requests, c.requests)
			}
		})
	}
}

func TestAfterARequestThatFailsNoFurtherOneIsBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests int
		var mu sync.Mutex
		err := wire(func(string, request) (int, any) {
			mu.Lock()
			defer mu.Unlock()
			requests++
			return http.StatusForbidden, map[string]string{"__type": "AccessDenied", "message": "not yours"}
		}).sender().Send(t.Context(), 0, texts(1000)...)
		failed, ok := errors.AsType[*SendError](err)
		if !ok || len(failed.Unsent) != 1000 || !slices.IsSorted(failed.Unsent) {
			t.Fatalf("error is %v", err)
		}
		if requests > 2*atOnce {
			t.Errorf("%d requests", requests)
		}
	})
}

func TestAnEndedContextEndsTheTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		requests := 0
		s := wire(func(_ string, in request) (int, any) {
			requests++
			cancel()
			return http.StatusOK, batch(in, func(string) (string, bool) { return "InternalError", false })
		}).sender()
		if err := s.Send(ctx, 0, []byte("a")); !errors.Is(err, context.Canceled) || requests != 1 {
			t.Errorf("%v after %d requests", err, requests)
		}
	})
}

func TestMessagesThatSQSNeverTakes(t *testing.T) {
	s := wire(func(string, request) (int, any) {
		t.Error("a request was sent")
		return http.StatusInternalServerError, nil
	}).sender()
	for _, c := range []struct{ body, says string }{
		{"", "sqs: nothing was sent: message 1 is empty"},
		{strings.Repeat("x", MaxBytes+1), "sqs: nothing was sent: message 1 has 1048577 bytes, SQS takes at most 1048576"},
		{"\xff", "sqs: nothing was sent: message 1 is not UTF-8"},
	} {
		if err := s.Send(t.Context(), 0, []byte("good"), []byte(c.body)); err == nil || err.Error() != c.says {
			t.Errorf("%.10q: %v, want %s", c.body, err, c.says)
		}
	}
}

func TestBatchesFitAndKeepAll(t *testing.T) {
	sizes := []int{1, MaxBytes, 1, MaxBytes - 1, 1, 1, 700_000, 400_000, 400_000, 300_000}
	for range 25 {
		sizes = append(sizes, 10)
	}
	var messages []message
	for i, size := range sizes {
		messages = append(messages, message{number: i, body: strings.Repeat("x", size)})
	}
	var got []message
	runs := 0
	for run := range batches(messages) {
		size := 0
		for _, m := range run {
			size += m.size()
		}
		if len(run) == 0 || len(run) > maxBatch || size > MaxBytes {
			t.Errorf("a batch of %d messages with %d bytes", len(run), size)
		}
		got, runs = append(got, run...), runs+1
	}
	if !slices.Equal(got, messages) || runs != 8 {
		t.Errorf("%d messages in %d batches, want %d in 8", len(got), runs, len(messages))
	}
}

func TestDelays(t *testing.T) {
	var got []int
	s := wire(func(_ string, in request) (int, any) {
		for _, e := range in.Entries {
			got = append(got, e.DelaySeconds)
		}
		return http.StatusOK, batch(in, func(string) (string, bool) { return "", false })
	}).sender()
	delays := []time.Duration{-time.Second, 0, 1, time.Second, 1001 * time.Millisecond, MaxDelay, MaxDelay + 1, 24 * time.Hour}
	if err := s.SendLater(t.Context(), []byte("tick"), delays...); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{0, 0, 1, 1, 2, 900, 900, 900}, got); d != "" {
		t.Errorf("seconds (-want +got):\n%s", d)
	}
}

func TestAgainIsNeverEarlyAndNeverTooLate(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		held, wait time.Duration
		want       int
	}{
		{0, -time.Hour, 0},
		{0, 1, 1},
		{0, 3 * time.Second, 3},
		{0, 3*time.Second + 1, 4},
		{0, 24 * time.Hour, 42_600},
		{time.Hour, 24 * time.Hour, 39_000},
		{11 * time.Hour, 24 * time.Hour, 3_000},
		{500 * time.Millisecond, 24 * time.Hour, 42_599},
		{13 * time.Hour, time.Hour, 0},
	} {
		got := -1
		q := New(wire(func(action string, in request) (int, any) {
			if action == "ChangeMessageVisibility" {
				got = in.VisibilityTimeout
			}
			return http.StatusOK, struct{}{}
		}).client(), Config{Now: func() time.Time { return now }})
		m := Delivered("handle", "body", nil, now.Add(-c.held))
		if err := q.Again(t.Context(), m.ID, now.Add(c.wait)); err != nil || got != c.want {
			t.Errorf("held for %v, again in %v: %d s, %v; want %d s", c.held, c.wait, got, err, c.want)
		}
	}
}

func TestDelivered(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	for _, body := range []string{`{"a": "b c"}`, "", " ", "two\nlines \x00"} {
		m := Delivered("handle+/=", body, map[string]string{"ApproximateReceiveCount": "3", "SentTimestamp": "1795339445123"}, at)
		if string(m.Body) != body || m.Receives != 3 || !m.Sent.Equal(time.UnixMilli(1795339445123)) {
			t.Errorf("%+v", m)
		}
		if d, err := deliveryOf(m.ID); err != nil || d.body != body || d.handle != "handle+/=" || !d.received.Equal(at) {
			t.Errorf("%q stands for %+v, %v", m.ID, d, err)
		}
	}
	if m := Delivered("handle", "", map[string]string{"SentTimestamp": "soon"}, at); m.Receives != 0 || !m.Sent.IsZero() {
		t.Errorf("unknown attributes give %+v", m)
	}
}

func TestAnIDThatNobodyWasGiven(t *testing.T) {
	q := New(wire(func(string, request) (int, any) {
		t.Error("a request was sent")
		return http.StatusInternalServerError, nil
	}).client(), Config{})
	for _, id := range []string{"", "0", "1.0", "no id", "no id here", "5  body"} {
		for _, err := range []error{q.Done(t.Context(), id), q.Again(t.Context(), id, time.Now()), q.Bury(t.Context(), id, "x")} {
			if err == nil || err.Error() != "sqs: no delivery has this id" {
				t.Errorf("%q: %v", id, err)
			}
		}
	}
	if _, err := q.Receive(t.Context(), 10, []string{"spring/ada"}); err == nil {
		t.Error("it selects")
	}
}

func TestAReasonAlwaysFits(t *testing.T) {
	for _, c := range []struct{ body, reason, wantReason string }{
		{"body", "it is not JSON", "it is not JSON"},
		{"body", "", "no reason given"},
		{"body", "a\x00b\nc\xff", "a b c\uFFFD"},
		{"body", strings.Repeat("é", 2*longestReason), strings.Repeat("é", longestReason/2)},
		{strings.Repeat("é", MaxBytes/2), "long", "long"},
	} {
		m := buried(c.body, c.reason)
		if m.reason != c.wantReason || !strings.HasPrefix(c.body, m.body) || m.size() > MaxBytes || len(m.body) < len(c.body)-50 {
			t.Errorf("%.20q, %.20q: %d bytes with the reason %.20q", c.body, c.reason, m.size(), m.reason)
		}
		if err := check([]message{m}); err != nil {
			t.Error(err)
		}
	}
}

// aDeadLetter answers as a queue of dead letters with one letter does, whose
// copies the other queue does not take. It notes what is done with the letter.
func aDeadLetter(done *[]string) wire {
	return func(action string, _ request) (int, any) {
		switch action {
		case "ReceiveMessage":
			if slices.Contains(*done, action) {
				return http.StatusOK, struct{}{}
			}
			*done = append(*done, action)
			sum := md5.Sum([]byte("a"))
			return http.StatusOK, map[string]any{"Messages": []map[string]any{{"Body": "a", "ReceiptHandle": "h", "MD5OfBody": hex.EncodeToString(sum[:])}}}
		case "SendMessageBatch":
			return http.StatusForbidden, map[string]string{"__type": "AccessDenied", "message": "not yours"}
		default:
			*done = append(*done, action)
			return http.StatusOK, map[string]any{"Successful": []any{}, "Failed": []any{}}
		}
	}
}

func TestALetterThatCannotGoBackStays(t *testing.T) {
	var done []string
	q := New(aDeadLetter(&done).client(), Config{})
	err := q.EachDeadLetter(t.Context(), 10, func(agent.DeadLetter) (Fate, error) { return Return, nil })
	if _, ok := errors.AsType[*SendError](err); !ok {
		t.Errorf("error is %v", err)
	}
	if d := cmp.Diff([]string{"ReceiveMessage", "ChangeMessageVisibilityBatch"}, done); d != "" {
		t.Errorf("done with it (-want +got):\n%s", d)
	}
}

func TestNoBodyInErrors(t *testing.T) {
	const phone = "+15005550006"
	q := New(wire(func(string, request) (int, any) {
		return http.StatusBadRequest, map[string]string{"__type": "com.amazonaws.sqs#ReceiptHandleIsInvalid", "message": "no"}
	}).client(), Config{})
	m := Delivered("handle", phone, nil, time.Now())
	for _, err := range []error{q.Send(t.Context(), 0, m.Body), q.Done(t.Context(), m.ID), q.Again(t.Context(), m.ID, time.Now()), q.Bury(t.Context(), m.ID, "x")} {
		if err == nil || strings.Contains(err.Error(), phone) {
			t.Errorf("error is %v", err)
		}
	}
	if err := q.Done(t.Context(), m.ID); !errors.Is(err, ErrLapsed) {
		t.Errorf("error is %v", err)
	}
}

var _ aws.HTTPClient = wire(nil)
