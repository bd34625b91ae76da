package notifytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"callagent/core/alert"
	"callagent/core/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "planted-key-4711"

// longest is what the sample's receiver takes.
const longest = 5000

var sample = Dialect{
	Read: func(r *http.Request, body []byte) (Arrival, error) {
		var a Arrival
		if len(body) > longest {
			return a, errors.New("too long")
		}
		return a, json.Unmarshal(body, &a)
	},
	Refuse: func(reason string) string { return reason },
}

// channel is the smallest channel that does everything right.
type channel struct {
	url    string
	client *http.Client
}

func (c channel) Notify(ctx context.Context, m alert.Message) error {
	body, err := json.Marshal(Arrival{Title: m.Title, Text: m.Text, ID: m.ID})
	if len(body) > longest {
		body, err = json.Marshal(Arrival{Title: m.Title, Text: m.Text[:longest/2] + "…", ID: m.ID})
	}
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", key)
	f := &fault.Fault{Service: "sample", Kind: fault.Network}
	res, err := c.client.Do(req)
	switch {
	case errors.Is(err, context.Canceled):
		f.Kind, f.Cause = fault.Unknown, context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		f.Kind, f.Cause = fault.Timeout, context.DeadlineExceeded
	case err != nil:
	case res.StatusCode == http.StatusUnauthorized:
		f = &fault.Fault{Service: "sample", Class: fault.Permanent, Scope: fault.Account, Kind: fault.Authentication}
	default:
		f = &fault.Fault{Service: "sample", Kind: fault.BadResponse}
	}
	if res != nil {
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return nil
		}
	}
	return f
}

// weak is a channel that does everything else right.
type weak func(ctx context.Context, m alert.Message, good channel) error

func (w weak) open(t *testing.T, d Dialect) Harness {
	r := ServeHTTP(t, d)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	good := channel{r.URL, &http.Client{Transport: transport}}
	return Harness{Receiver: r, Secrets: []string{key}, Notifier: notifier(func(ctx context.Context, m alert.Message) error {
		return w(ctx, m, good)
	})}
}

type notifier func(context.Context, alert.Message) error

func (n notifier) Notify(ctx context.Context, m alert.Message) error { return n(ctx, m) }

func honest(ctx context.Context, m alert.Message, good channel) error { return good.Notify(ctx, m) }

func TestSuiteAcceptsAGoodChannel(t *testing.T) {
	t.Run("with ids", func(t *testing.T) {
		Run(t, func(t *testing.T) Harness { return weak(honest).open(t, sample) })
	})
	t.Run("without ids", func(t *testing.T) {
		Run(t, func(t *testing.T) Harness {
			h := weak(func(ctx context.Context, m alert.Message, good channel) error {
				m.ID = ""
				return good.Notify(ctx, m)
			}).open(t, sample)
			h.NoIDs = true
			return h
		})
	})
}

// Each weakness stands beside the sentences that it breaks.
func TestSuiteFindsWeaknesses(t *testing.T) {
	var mixed struct {
		sync.Mutex
		message alert.Message
	}
	for _, c := range []struct {
		name   string
		weak   weak
		breaks []string
	}{
		{"escapes markup", func(ctx context.Context, m alert.Message, good channel) error {
			m.Text = strings.ReplaceAll(m.Text, "<", "&lt;")
			return good.Notify(ctx, m)
		}, []string{"a message arrives whole", "a digest of 1,000 alerts arrives whole"}},
		{"drops the title", func(ctx context.Context, m alert.Message, good channel) error {
			m.Title = ""
			return good.Notify(ctx, m)
		}, []string{"a message arrives whole", "messages at the same time arrive whole", "a digest beyond the channel's limits arrives shortened"}},
		{"an id for each attempt", func(ctx context.Context, m alert.Message, good channel) error {
			m.ID += m.Title + m.Text
			return good.Notify(ctx, m)
		}, []string{"the same message carries the same id"}},
		{"one id for all", func(ctx context.Context, m alert.Message, good channel) error {
			m.ID = "1"
			return good.Notify(ctx, m)
		}, []string{"the same message carries the same id"}},
		{"tries again", func(ctx context.Context, m alert.Message, good channel) error {
			if good.Notify(ctx, m) == nil {
				return nil
			}
			return good.Notify(ctx, m)
		}, []string{"one request per message, whatever becomes of it"}},
		{"says nothing of failures", func(ctx context.Context, m alert.Message, good channel) error {
			_ = good.Notify(ctx, m)
			return nil
		}, []string{"one request per message, whatever becomes of it", "an unreachable channel is a transient fault",
			"a refused key is a permanent fault of the account", "a cancelled context sends nothing", "cancelling ends it at once",
			"a deadline is obeyed", "no error repeats a secret or a phone number"}},
		{"no faults", func(ctx context.Context, m alert.Message, good channel) error {
			if f := fault.From("", good.Notify(ctx, m)); f != nil {
				return errors.Join(f.Cause, io.EOF)
			}
			return nil
		}, []string{"an unreachable channel is a transient fault", "a refused key is a permanent fault of the account",
			"a cancelled context sends nothing", "cancelling ends it at once", "a deadline is obeyed"}},
		{"ignores its context", func(_ context.Context, m alert.Message, good channel) error {
			return good.Notify(context.Background(), m)
		}, []string{"a cancelled context sends nothing"}},
		{"talks", func(ctx context.Context, m alert.Message, good channel) error {
			f := fault.From("", good.Notify(ctx, m))
			if f != nil {
				f.Message = m.Title
				return f
			}
			return nil
		}, []string{"no error repeats a secret or a phone number"}},
		{"shares a message", func(ctx context.Context, m alert.Message, good channel) error {
			mixed.Lock()
			defer mixed.Unlock()
			if mixed.message.ID == "" {
				mixed.message = m
			}
			return good.Notify(ctx, mixed.message)
		}, []string{"messages at the same time arrive whole"}},
		{"cuts to a word", func(ctx context.Context, m alert.Message, good channel) error {
			m.Text = m.Text[:min(len(m.Text), 100)] + "…"
			return good.Notify(ctx, m)
		}, []string{"a digest of 1,000 alerts arrives whole", "a digest beyond the channel's limits arrives shortened"}},
	} {
		for _, says := range c.breaks {
			t.Run(c.name+"/"+says, func(t *testing.T) {
				if err := find(t, says).check(t.Context(), c.weak.open(t, sample)); err == nil {
					t.Error("the weakness was not found")
				}
			})
		}
	}
}

func find(t *testing.T, says string) testCase {
	t.Helper()
	for _, c := range cases {
		if c.says == says {
			return c
		}
	}
	t.Fatalf("the suite does not say %q", says)
	return testCase{}
}

func TestSuiteFindsAnIDThatIsDeclaredAway(t *testing.T) {
	h := weak(honest).open(t, sample)
	h.NoIDs = true
	if err := sameID(t.Context(), h); err == nil {
		t.Error("it was not found")
	}
}
