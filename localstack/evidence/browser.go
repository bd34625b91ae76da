package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/chromedp/chromedp"

	"callagent/localstack/chromium"
)

// watchDashboard takes a picture of the dashboard while the circuit is open, and
// one after the run, when ctx is over. Without a browser it does nothing.
func (r *rehearsal) watchDashboard(ctx, longer context.Context) error {
	if !r.Browser {
		return nil
	}
	serving, end := context.WithCancel(longer)
	c, address, err := r.serve(serving)
	if err != nil {
		end()
		return err
	}
	tab, closeBrowser := chromium.Open(serving)
	b := browser{tab}
	err = b.see(address)
	if err == nil {
		err = b.until(ctx, `document.querySelector(".card.bad .word")?.textContent === "OPEN"`)
	}
	if err == nil {
		time.Sleep(4 * time.Second) // so that the contacts after the one that failed are seen to be set aside
		err = r.picture(b, pictures[0])
	}
	<-ctx.Done()
	if err == nil {
		err = errors.Join(b.until(longer, allEnded), r.picture(b, pictures[1]))
	}
	closeBrowser()
	end()
	_ = c.Wait() // it was interrupted
	return err
}

// allEnded says that the page shows the end: four services that work, calls
// that have all ended, the last event, and a chart, drawn anew every ten
// seconds, with all of them.
const allEnded = `(() => {
	const [, ended, all] = /(\d+) of (\d+) ended/.exec(document.querySelector(".ended").textContent);
	return document.querySelectorAll(".card.ok").length === 4 && ended === all &&
		document.querySelector(".legend b").textContent === all && /Campaign \S+ is finished/.test(document.querySelector("#events").textContent);
})()`

var addressOfPage = regexp.MustCompile(`http://\S+/`)

// serve starts a dashboard over the store of the run, once that is there.
func (r *rehearsal) serve(ctx context.Context) (c interface{ Wait() error }, address string, err error) {
	for {
		_, err := os.Stat(filepath.Join(r.dir, "callagent.db"))
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil {
			return nil, "", err
		}
		time.Sleep(20 * time.Millisecond)
	}
	process := r.command(ctx, "dashboard", "--listen", "127.0.0.1:0")
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := process.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if address = addressOfPage.FindString(line); address == "" {
		return nil, "", errors.Join(fmt.Errorf("the dashboard says %q", line), err)
	}
	return process, address, nil
}

// picture keeps what the page looks like, and its text.
func (r *rehearsal) picture(b browser, name string) error {
	image, text, err := b.picture()
	r.keep(name+".png", image)
	r.keep(name+".txt", []byte(text+"\n"))
	r.say("a picture: " + name)
	return err
}

// browser is a tab of a real one.
type browser struct{ ctx context.Context }

// The size of the pictures.
const wide, high = 1100, 900

// see opens a page. It is not loaded again: it changes by itself.
func (b browser) see(address string) error {
	return chromedp.Do(b.ctx, chromedp.EmulateViewport(wide, high), chromedp.Navigate(address))
}

// until waits for an expression to be true in the page.
func (b browser) until(ctx context.Context, expression string) error {
	for {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		switch {
		case err != nil:
			return err
		case is:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("the dashboard never shows %s", expression)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (b browser) picture() (image []byte, text string, err error) {
	if image, err = chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); err != nil {
		return nil, "", err
	}
	text, err = chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector("#main").innerText`))
	return image, text, err
}
