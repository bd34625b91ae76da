package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"callagent/core/call"
	"callagent/infra/settings"
)

// sink is a queue that remembers how it was filled.
type sink struct {
	sizes []int    // of the sendings
	last  []byte   // the newest body
	after func()   // called by each sending; nil for nothing
	err   error    // what sending returns
	seen  []string // contact ids
}

func (s *sink) Send(_ context.Context, _ time.Duration, bodies ...[]byte) error {
	if s.after != nil {
		s.after()
	}
	if s.err != nil {
		return s.err
	}
	s.sizes = append(s.sizes, len(bodies))
	for _, b := range bodies {
		c, err := call.Decode(b)
		if err != nil {
			return err
		}
		s.seen = append(s.seen, c.ID)
	}
	s.last = bodies[len(bodies)-1]
	return nil
}

// rows is a list of n contacts that is made while it is read.
type rows struct {
	n    int
	made atomic.Int64
	left []byte
}

func (r *rows) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		made := int(r.made.Load())
		switch made {
		case r.n:
			return 0, io.EOF
		case 0:
			r.left = []byte("contact_id,phone\n")
		}
		r.left = fmt.Appendf(r.left, "c-%d,+12025550101\n", made)
		r.made.Add(1)
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func defaults(t *testing.T) settings.Settings {
	t.Helper()
	s, err := settings.Load(settings.Source{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// world is a world without a terminal, and what is written to it.
func world(in io.Reader) (w World, out, errs *bytes.Buffer) {
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	return World{In: in, Out: out, Err: errs, Env: func(string) (string, bool) { return "", false }}, out, errs
}

func TestEnqueueSendsWhatItReadsInBatches(t *testing.T) {
	defer goleak.VerifyNone(t)
	list := &rows{n: 10_250}
	w, out, errs := world(list)
	q := &sink{}
	ahead := 0
	q.after = func() { ahead = max(ahead, int(list.made.Load())-len(q.seen)) }
	n, err := enqueue(t.Context(), w, q, enqueueOptions{File: "-", Settings: defaults(t)})
	if err != nil || n != (enqueued{Contacts: 10_250}) {
		t.Fatalf("enqueued %+v, %v", n, err)
	}
	if len(q.sizes) != 21 || q.sizes[0] != 500 || q.sizes[20] != 250 {
		t.Errorf("sendings of %v contacts", q.sizes)
	}
	if want := `{"campaign":"default","contact_id":"c-10249","phone":"+12025550101"}`; string(q.last) != want {
		t.Errorf("the last message is %s, not %s", q.last, want)
	}
	// A batch, and what fits into the buffers between the list and the queue.
	if ahead > 500+64<<10/len("c-0,+12025550101\n") {
		t.Errorf("%d rows were read before they were sent", ahead)
	}
	if want := "10000 contacts enqueued\n"; out.String() != "" || errs.String() != want {
		t.Errorf("said %q and %q, not %q", out, errs, want)
	}
}

func TestMeterShowsABarOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, out, errs := world(nil)
		w.Terminal = true
		m := newMeter(w, 100, "enqueued", false)
		list := m.watch(strings.NewReader(strings.Repeat("x", 120))) // a file that grew
		if _, err := io.ReadFull(list, make([]byte, 50)); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second) // the bar moves ten times a second at most
		m.count(500)
		if want := "500 contacts enqueued  50%"; !strings.Contains(out.String(), want) {
			t.Errorf("shown is %q without %q", out, want)
		}
		if rest, err := io.ReadAll(list); err != nil || len(rest) != 70 {
			t.Errorf("the bar let %d bytes pass: %v", len(rest), err)
		}
		m.close()
		if !strings.HasSuffix(out.String(), "\x1b[2K\r") || errs.Len() > 0 {
			t.Errorf("it left %q and %q", out, errs)
		}
	})
}

func TestEnqueueReportsBadRowsOnATerminalToo(t *testing.T) {
	defer goleak.VerifyNone(t)
	file := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(file, []byte("contact_id,phone\nc-1,12\nc-2,+12025550101\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, _, errs := world(nil)
	w.Terminal = true
	n, err := enqueue(t.Context(), w, &sink{}, enqueueOptions{File: file, Settings: defaults(t)})
	if err != nil || n != (enqueued{Contacts: 1, Refused: 1}) {
		t.Fatalf("enqueued %+v, %v", n, err)
	}
	if want := "callagent: " + file + ", line 2, column phone: \"**\" has no country code: write it like +44 20 7946 0123, with a plus sign in front\n"; errs.String() != want {
		t.Errorf("said %q, not %q", errs, want)
	}
}

func TestEnqueueQuietly(t *testing.T) {
	s := defaults(t)
	twilio := s.Services["twilio"]
	twilio.Rate = 1e-9 // a list of one is too long
	s.Services["twilio"] = twilio
	for _, terminal := range []bool{false, true} {
		w, out, errs := world(&rows{n: 1})
		w.Terminal = terminal
		if _, err := enqueue(t.Context(), w, &sink{}, enqueueOptions{File: "-", Settings: s, Quiet: true}); err != nil {
			t.Fatal(err)
		}
		m := newMeter(w, 100, "enqueued", true)
		m.count(linesEvery)
		m.close()
		if out.Len()+errs.Len() > 0 {
			t.Errorf("said %q and %q", out, errs)
		}
	}
}

func TestEnqueueStops(t *testing.T) {
	full := errors.New("disk full")
	for name, test := range map[string]struct {
		list io.Reader
		err  error // of the queue
		want string
		n    enqueued
	}{
		"at a quote that is never closed": {
			list: io.MultiReader(&rows{n: 3}, strings.NewReader("c-3,\""+strings.Repeat("x\n", 1<<20))),
			want: "standard input: after line 4: a row is longer than 1 MiB: look for a quote that is opened and never closed; 3 contacts enqueued before: correct the list and enqueue all of it again, nobody is called twice for that",
			n:    enqueued{Contacts: 3},
		},
		"when the queue fails": {
			list: &rows{n: 501}, err: full,
			want: "the queue did not take the contacts: disk full",
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			w, _, _ := world(test.list)
			n, err := enqueue(t.Context(), w, &sink{err: test.err}, enqueueOptions{File: "-", Settings: defaults(t)})
			if n != test.n || err == nil || err.Error() != test.want {
				t.Errorf("enqueued %+v, %v", n, err)
			}
		})
	}
}

func TestEnqueueObeysAnInterruptWhileNothingComes(t *testing.T) {
	for name, flags := range map[string][]string{"": nil, "strict": {"--strict"}} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			in, typing := io.Pipe()
			defer typing.Close()
			signals := make(chan os.Signal, 1)
			w, out, errs := world(in)
			w.Signals = signals
			ended := make(chan int)
			store := "--store=sqlite:" + filepath.Join(t.TempDir(), "callagent.db")
			go func() { ended <- Run(append([]string{store, "--settings=", "enqueue", "-"}, flags...), w) }()
			if _, err := io.WriteString(typing, "contact_id,phone\n"); err != nil { // returns when it was read
				t.Fatal(err)
			}
			signals <- os.Interrupt
			if status := <-ended; status != failed || out.Len() > 0 || !strings.Contains(errs.String(), "interrupted") {
				t.Errorf("ended with %d and said %q and %q", status, out, errs)
			}
		})
	}
}

func TestOpenListLeavesNoCopyBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	l, err := openList(t.Context(), strings.NewReader("contact_id,phone\n"), "-", true)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := l.file.Stat(); err != nil || info.Mode().Perm() != 0o600 || l.size != 17 {
		t.Errorf("the copy has %d bytes: %v, %v", l.size, info, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestHarmless(t *testing.T) {
	for cell, want := range map[string]string{
		"Ada": "Ada", "": "", "a=b": "a=b", "'": "'",
		"=1+1": "'=1+1", "+44": "'+44", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "＝1": "'＝1",
	} {
		if have := harmless(cell); have != want {
			t.Errorf("harmless(%q) is %q, not %q", cell, have, want)
		}
	}
}
