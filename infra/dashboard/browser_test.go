//go:build browser

package dashboard_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"callagent/core/breaker"
	"callagent/localstack/chromium"
)

// screenshots is where the pictures go.
const screenshots = "../../build/screenshots"

// tab is an open tab of a browser.
type tab struct {
	*desk
	ctx context.Context
}

// watch opens a browser for a desk with everything on it.
func watch(t *testing.T) tab {
	t.Helper()
	d := newDesk(t, nil)
	d.fill(2400, 11.5)
	d.tell(outage(time.Now())...)
	ctx, closeBrowser := chromium.Open(context.WithoutCancel(t.Context()))
	t.Cleanup(closeBrowser)
	b := tab{d, ctx}
	b.do(chromedp.Navigate(d.server.URL))
	b.within(10*time.Second, `document.querySelector("#pulse").textContent === "Live"`)
	return b
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if b.ctx.Err() == nil && chromedp.FromContext(b.ctx).Target == nil {
		ctx = b.ctx // the first action's context is the browser's
	}
	must(b.t, chromedp.Do(ctx, actions...))
}

// value is what an expression has for a value in the page.
func value[T any](b tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// within waits until an expression is true in the page.
func (b tab) within(limit time.Duration, expression string) {
	b.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		if is {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s is not true after %s (%v) in\n%s", expression, limit, err, value[string](b, "document.body.innerText"))
		}
	}
}

// The page is never loaded again: what the test put into the window stays.
func TestThePageChangesByItself(t *testing.T) {
	b := watch(t)
	value[bool](b, "window.kept = true")
	b.within(time.Second, `document.querySelector("#headline").textContent.startsWith("Everything is working.")`)

	b.circuit(open(time.Now(), 20*time.Second))
	b.within(3*time.Second, `document.querySelector(".card.bad h3")?.textContent === "ElevenLabs"`)
	b.within(time.Second, `document.querySelector("#headline").textContent.startsWith("ElevenLabs is not working.")`)
	const left = `Number(/in (\d+) s/.exec(document.querySelector(".card.bad .next time").textContent)[1])`
	first := value[int](b, left)
	b.within(4*time.Second, fmt.Sprintf("%s <= %d", left, first-2))
	if first < 15 || first > 20 {
		t.Errorf("the countdown begins at %d s, want about 20", first)
	}

	b.circuit(breaker.Record{Service: "elevenlabs", State: breaker.Closed, Epoch: 3, OpenedAt: time.Now().Add(-time.Minute), ClosedAt: time.Now()})
	b.within(3*time.Second, `document.querySelectorAll(".card.ok").length === 4`)
	b.within(time.Second, `window.kept === true`)
}

// What an operator unfolded stays so while the page changes, the keyboard stays
// on its button, and pressing it works.
func TestAnOperatorIsNotDisturbed(t *testing.T) {
	b := watch(t)
	b.do(chromedp.Click(chromedp.CSS("#twilio-override summary")), chromedp.Focus(chromedp.CSS("#twilio-open")))
	b.circuit(open(time.Now(), 20*time.Second))
	b.within(3*time.Second, `document.querySelector(".card.bad") !== null`)
	b.within(time.Second, `document.activeElement.id === "twilio-open" && document.querySelector("#twilio-override").open`)
	b.do(chromedp.KeyEvent("\r"))
	b.within(5*time.Second, `document.querySelector(".notice")?.textContent.startsWith("Twilio is forced open now")`)
	has(t, b.journal(), "Operator tester (dashboard) made it forced open; the circuit was CLOSED.")
}

// Everything that can be pressed is reached with the Tab key and has a name, and
// the page has its landmarks.
func TestTheKeyboardReachesEverything(t *testing.T) {
	b := watch(t)
	value[int](b, `window.todo = new Set([...document.querySelectorAll("a, button, input, summary")]
		.filter((e) => e.checkVisibility() && e.type !== "hidden")); todo.size`)
	for range 200 {
		b.do(chromedp.KeyEvent("\t"))
		if value[int](b, `todo.delete(document.activeElement); todo.size`) == 0 {
			break
		}
	}
	for _, wrong := range []struct{ what, expression string }{
		{"Tab does not reach", `[...todo].map((e) => e.outerHTML)`},
		{"without a name", `[...document.querySelectorAll("a, button, summary")].filter((e) => !(e.ariaLabel || e.textContent.trim())).map((e) => e.outerHTML)`},
		{"there is no", `["header", "main", "footer", "nav", "form[role=search]", "h1", "[aria-live=polite]"].filter((s) => !document.querySelector(s))`},
	} {
		if found := value[[]string](b, wrong.expression); len(found) > 0 {
			t.Errorf("%s: %s", wrong.what, strings.Join(found, "\n"))
		}
	}
}

// TestScreenshots takes the pictures of the page in OPEN and in CLOSED, and
// measures that nothing is wider than the screen.
func TestScreenshots(t *testing.T) {
	b := watch(t)
	must(t, os.MkdirAll(screenshots, 0o755))
	b.circuit(open(time.Now(), 90*time.Second))
	b.pictures("open", "/")
	b.pictures("call", "/call?id=c-00101")
	b.pictures("parked", "/parked/elevenlabs")
	b.circuit(breaker.Record{Service: "elevenlabs", State: breaker.Closed, Epoch: 3, OpenedAt: time.Now().Add(-time.Hour), ClosedAt: time.Now().Add(-50 * time.Minute)})
	b.pictures("closed", "/")
}

// pictures takes a page in both colour schemes at both widths.
func (b tab) pictures(name, path string) {
	b.t.Helper()
	time.Sleep(1100 * time.Millisecond) // what the dashboard knows is at most that old
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280} {
			name := fmt.Sprintf("%s-%d-%s.png", name, width, scheme)
			b.do(colours(scheme), chromedp.EmulateViewport(width, 800), chromedp.Navigate(b.server.URL+path))
			if path == "/" {
				b.within(5*time.Second, `document.querySelector("#pulse").textContent === "Live"`)
			}
			if wide := value[int64](b, `document.documentElement.scrollWidth`); wide > width {
				b.t.Errorf("%s: the page is %d px wide", name, wide)
			}
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			must(b.t, err)
			must(b.t, os.WriteFile(filepath.Join(screenshots, name), picture, 0o644))
		}
	}
}

// colours chooses a colour scheme.
func colours(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}
