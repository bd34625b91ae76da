package notifytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"callagent/core/alert"
	"callagent/core/fault"
)

// phone stands in messages and refusals, and in no error.
const phone = "+15005550006"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var cases = []testCase{
	{"a message arrives whole", whole},
	{"the same message carries the same id", sameID},
	{"one request per message, whatever becomes of it", oneRequest},
	{"an unreachable channel is a transient fault", unreachable},
	{"a refused key is a permanent fault of the account", refusedKey},
	{"a cancelled context sends nothing", cancelledBefore},
	{"cancelling ends it at once", cancelledMeanwhile},
	{"a deadline is obeyed", deadline},
	{"no error repeats a secret or a phone number", secrets},
	{"messages at the same time arrive whole", concurrent},
	{"a digest of 1,000 alerts arrives whole", digest},
	{"a digest beyond the channel's limits arrives shortened", hugeDigest},
}

func message(id, title, text string) alert.Message {
	return alert.Message{ID: id, Kind: alert.CircuitOpened, Severity: alert.Critical, At: noon, Title: title, Text: text,
		Alerts: []alert.Alert{{ID: id, Kind: alert.CircuitOpened, Severity: alert.Critical, At: noon, What: text}}}
}

func whole(ctx context.Context, h Harness) error {
	sent := []alert.Message{
		message("plain", "Twilio: circuit OPEN", "No calls are placed.\n\nThe agent: tests it.\nYou: nothing."),
		message("markup", "<b>A & B</b> *_~`[x](tg://user?id=1)` &amp; %s {{.x}} \\n =3D",
			"<script>alert(1)</script>\n\n1 < 2 & 3 > 2, \"quoted\" 'too' \\ \n| *x* _y_ ~z~ `q` [l](http://x) #!-= {} =C3=BC"),
		message("other alphabets", "Zähler 電話 🔥 שלום", "Für alle: 日本語 👩\u200d🚒 e\u0301 …\n\n— «Ω»"),
		message("dots and senders", "A list", "First.\n.\n..\n.end\nFrom here on.\n--\nlast"),
		message("long", strings.TrimSpace(strings.Repeat("title ", 30)), strings.Repeat("word ", 600)+"end"),
	}
	got, err := h.arrives(ctx, sent...)
	if err != nil {
		return err
	}
	for i, m := range sent {
		if got[i].Title != m.Title || got[i].Text != m.Text {
			return fmt.Errorf("%s: it arrived as %q, %q", m.ID, got[i].Title, got[i].Text)
		}
	}
	return nil
}

func sameID(ctx context.Context, h Harness) error {
	ids := []string{"twilio-3-circuit_opened-0", "digest/call_failed/spring/call/spring/jürgen 1\n/call_failed", strings.Repeat("x", 300)}
	var sent []alert.Message
	for _, id := range ids {
		again := message(id, "2 × Call failed", "Another has joined.")
		again.Severity = alert.Info
		sent = append(sent, message(id, "Call failed", "One."), again)
	}
	got, err := h.arrives(ctx, sent...)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := 0; i < len(got); i += 2 {
		switch first, second := got[i].ID, got[i+1].ID; {
		case h.NoIDs && first+second != "":
			return errors.New("it has ids, but declares that it has none")
		case h.NoIDs:
		case first == "" || first != second:
			return fmt.Errorf("message %.30q has the ids %q and %q", sent[i].ID, first, second)
		case seen[first]:
			return fmt.Errorf("two messages have the id %q", first)
		}
		seen[got[i].ID] = true
	}
	return nil
}

func oneRequest(ctx context.Context, h Harness) error {
	m := message("a", "Title", "Text.")
	if _, err := h.arrives(ctx, m); err != nil {
		return err
	}
	h.Receiver.Refuse("no")
	refused := h.notify(ctx, m)
	h.Receiver.Hang()
	late := h.soon(ctx, m)
	if refused == nil || late == nil {
		return fmt.Errorf("refused: %v; without an answer: %v", refused, late)
	}
	if n := h.Receiver.Requests(); n != 3 {
		return fmt.Errorf("3 messages, one of them taken, made %d requests", n)
	}
	return nil
}

func unreachable(ctx context.Context, h Harness) error {
	m := message("a", "Title", "Text.")
	if _, err := h.arrives(ctx, m); err != nil {
		return err
	}
	h.Receiver.Leave()
	for range 2 { // the first may hold a connection that has died
		if err := expect(h.notify(ctx, m), fault.Fault{Kind: fault.Network}); err != nil {
			return err
		}
	}
	return nil
}

func refusedKey(ctx context.Context, h Harness) error {
	h.Receiver.Refuse("who are you?")
	return expect(h.notify(ctx, message("a", "Title", "Text.")),
		fault.Fault{Class: fault.Permanent, Scope: fault.Account, Kind: fault.Authentication})
}

func cancelledBefore(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	err := cancelled(h.notify(ctx, message("a", "Title", "Text.")))
	if n := h.Receiver.Requests(); err == nil && n != 0 {
		return fmt.Errorf("%d requests arrived", n)
	}
	return err
}

func cancelledMeanwhile(ctx context.Context, h Harness) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := h.Receiver.Hang()
	go func() {
		select {
		case <-asked:
		case <-ctx.Done():
		}
		cancel()
	}()
	return cancelled(h.notify(ctx, message("a", "Title", "Text.")))
}

// cancelled wants a fault that shows its cause.
func cancelled(err error) error {
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the error does not show context.Canceled: %v", err)
	}
	return expect(err, fault.Fault{})
}

func deadline(ctx context.Context, h Harness) error {
	h.Receiver.Hang()
	return expect(h.soon(ctx, message("a", "Title", "Text.")), fault.Fault{Kind: fault.Timeout})
}

// soon sends a message with little time.
func (h Harness) soon(ctx context.Context, m alert.Message) error {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	return h.notify(ctx, m)
}

func secrets(ctx context.Context, h Harness) error {
	planted := append([]string{phone}, h.Secrets...)
	m := message("call/"+phone, "Call of "+phone, "Of "+phone+".")
	h.Receiver.Refuse("no access for " + strings.Join(planted, " and "))
	errs := []error{h.notify(ctx, m)}
	h.Receiver.Hang()
	errs = append(errs, h.soon(ctx, m))
	h.Receiver.Leave()
	errs = append(errs, h.notify(ctx, m))
	for i, err := range errs {
		if err == nil {
			return fmt.Errorf("failure %d gave no error", i+1)
		}
		if err := silent(err, planted); err != nil {
			return err
		}
	}
	return nil
}

func concurrent(ctx context.Context, h Harness) error {
	const senders = 16
	want := map[Arrival]bool{}
	errs := make([]error, senders)
	var all sync.WaitGroup
	for i := range senders {
		m := message(fmt.Sprint("m", i), fmt.Sprint("Title ", i), strings.Repeat(fmt.Sprint("text ", i, ". "), 50)+"End.")
		want[Arrival{Title: m.Title, Text: m.Text}] = true
		all.Go(func() { errs[i] = h.notify(ctx, m) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, a := range h.Receiver.Arrived() {
		a.ID = ""
		if !want[a] {
			return fmt.Errorf("nobody sent %q, %q, or it arrived twice", a.Title, a.Text)
		}
		delete(want, a)
	}
	if len(want) != 0 {
		return fmt.Errorf("%d messages did not arrive", len(want))
	}
	return nil
}

// failures is the digest of 1,000 calls that failed for ten reasons that begin
// with reason.
func failures(reason string) alert.Message {
	var as []alert.Alert
	for i := range 1000 {
		as = append(as, alert.ForCall(alert.CallFailed, alert.Subject{
			CallID: fmt.Sprintf("spring/c-%03d", i), Campaign: "spring", Reason: fmt.Sprint(reason, i%10), At: noon}))
	}
	return alert.Digest(as[0].Key(), as)
}

func digest(ctx context.Context, h Harness) error {
	m := failures("the number <is> no number & never was: 空号")
	got, err := h.arrives(ctx, m)
	if err != nil {
		return err
	}
	if got[0].Title != m.Title || got[0].Text != m.Text {
		return fmt.Errorf("it arrived as %q, %q", got[0].Title, got[0].Text)
	}
	return nil
}

func hugeDigest(ctx context.Context, h Harness) error {
	m := failures(strings.Repeat("überlange Begründung 🔥 ", 50))
	got, err := h.arrives(ctx, m)
	if err != nil {
		return err
	}
	begun, cut := strings.CutSuffix(got[0].Text, "…")
	if got[0].Title != m.Title || got[0].Text != m.Text && !(cut && strings.HasPrefix(m.Text, begun) && len(begun) > 1000) {
		return fmt.Errorf("it arrived as %q, %q", got[0].Title, got[0].Text)
	}
	return nil
}
