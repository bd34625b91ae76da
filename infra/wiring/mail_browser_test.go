//go:build browser

package wiring

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"callagent/localstack/chromium"
)

// phone is how wide the narrowest phone is, in pixels.
const phone = 360

// unreadable lists the texts of a page that are smaller than 14 px or whose
// contrast with what is behind them is below 4.5, the limit of WCAG AA.
const unreadable = `(() => {
  const parts = c => c.match(/[\d.]+/g).map(Number);
  const shine = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.body.querySelectorAll("*")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(e), [x, y] = [shine(parts(style.color)), shine(behind(e))];
    const contrast = (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
    if (contrast < 4.5 || parseFloat(style.fontSize) < 14) bad.push(e.textContent.trim().slice(0, 40) + " " + contrast.toFixed(1) + " " + style.fontSize);
  }
  return bad.join("; ");
})()`

// Every mail that people get can be read on a phone, in light and in dark:
// nothing is wider than the screen, small or pale, and nothing is loaded. The
// pictures are in build/screenshots.
func TestMailsAreReadableOnAPhone(t *testing.T) {
	mails, err := filepath.Glob("testdata/alerts/*/email.html")
	if err != nil || len(mails) < 9 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	served := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served++; !strings.HasSuffix(r.URL.Path, "/email.html") && r.URL.Path != "/favicon.ico" {
			t.Errorf("the mail loads %s", r.URL.Path)
		}
		http.ServeFile(w, r, "."+r.URL.Path)
	}))
	defer server.Close()
	ctx := browser(t)
	for _, mail := range mails {
		for _, scheme := range []string{"light", "dark"} {
			name := "mail-" + filepath.Base(filepath.Dir(mail)) + "-" + scheme + ".png"
			show(t, ctx, server.URL+"/"+mail, scheme)
			if wide := value[int64](t, ctx, `document.documentElement.scrollWidth`); wide > phone {
				t.Errorf("%s is %d px wide", name, wide)
			}
			if bad := value[string](t, ctx, unreadable); bad != "" {
				t.Errorf("%s: text, contrast and size: %s", name, bad)
			}
			if dark := value[bool](t, ctx, `getComputedStyle(document.body).backgroundColor !== "rgb(255, 255, 255)"`); dark != (scheme == "dark") {
				t.Errorf("%s is dark: %t", name, dark)
			}
			picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err == nil {
				err = os.WriteFile(filepath.Join(pictures(t), name), picture, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if served < len(mails) {
		t.Errorf("%d pages were served", served)
	}
}

// pictures is where the pictures go.
func pictures(t *testing.T) string {
	t.Helper()
	const dir = "../../build/screenshots"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// browser starts one.
func browser(t *testing.T) context.Context {
	t.Helper()
	ctx, closeBrowser := chromium.Open(context.WithoutCancel(t.Context()))
	t.Cleanup(closeBrowser)
	do(t, ctx, chromedp.Navigate("about:blank")) // the first action's context is the browser's
	return ctx
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if chromedp.FromContext(ctx).Target != nil {
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		ctx = limited
	}
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// value is what an expression has for a value in the page.
func value[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// show loads a page on a phone with a colour scheme.
func show(t *testing.T, ctx context.Context, address, scheme string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	dress := chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
		return err
	})
	do(t, ctx, dress, chromedp.EmulateViewport(phone, 780), chromedp.Navigate(address))
}
