package doctor

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/infra/clock"
	"callagent/infra/sheets"
	"callagent/infra/smtp"
	"callagent/infra/telegram"
	"callagent/infra/webhook"
	"callagent/infra/wiring"
)

// planChannels looks at the channels on which people are told.
func (e *exam) planChannels() {
	channels, problems, closeAll := wiring.OpenChannels(e.Settings.Providers, &clock.Clock{}, nil)
	e.onClose(func() { _ = closeAll() })
	if len(channels)+len(problems) == 0 {
		e.found(machine, "alerts", verdict{"nobody", nil})
	}
	for _, name := range []string{mail, chat, hook} {
		switch n := channels[name].(type) {
		case *smtp.Channel:
			e.add(mail, "login", func(ctx context.Context) verdict { return login(ctx, n) })
		case *telegram.Channel:
			e.planChat(n)
		case *webhook.Channel:
			e.planHook(n)
		default:
			e.planNone(name, problems[name])
			continue
		}
		e.planTest(name, channels[name])
	}
}

// planNone says why there is no such channel; nil: it is not configured.
func (e *exam) planNone(name string, problem error) {
	if problem == nil {
		e.found(name, "key", verdict{off, nil})
		return
	}
	e.found(name, "settings", verdict{badSettings, words{"why": sentence(withoutName(problem))}})
}

// withoutName drops the package's name from an error of its New.
func withoutName(err error) string {
	_, said, _ := strings.Cut(err.Error(), ": ")
	return said
}

func login(ctx context.Context, c *smtp.Channel) verdict {
	encrypted, err := c.CheckLogin(ctx)
	v := judged(err, nil)
	if v.result == fine && !encrypted {
		v.result = "plain"
	}
	return v
}

func (e *exam) planChat(c *telegram.Channel) {
	e.add(chat, "bot", func(ctx context.Context) verdict { return judged(c.CheckBot(ctx), nil) })
	e.add(chat, "chat", func(ctx context.Context) verdict {
		moved, err := c.CheckChat(ctx)
		if moved != "" {
			return verdict{"moved", words{"what": moved}}
		}
		return judged(err, nil)
	})
}

func (e *exam) planHook(c *webhook.Channel) {
	address := fine
	if strings.HasPrefix(string(e.Settings.Providers.Webhook.URL), "http://") && !isPrivate(hostOf(string(e.Settings.Providers.Webhook.URL))) {
		address = "plain"
	}
	e.found(hook, "address", verdict{address, nil})
	signature := fine
	if e.Settings.Providers.Webhook.Secret == "" {
		signature = "unsigned"
	}
	e.found(hook, "signature", verdict{signature, nil})
	e.add(hook, "reach", func(ctx context.Context) verdict {
		status, err := c.CheckReach(ctx)
		if err != nil {
			return judged(err, nil)
		}
		return verdict{fine, words{"why": fmt.Sprintf("%d %s", status, http.StatusText(status))}}
	})
}

// planTest sends a test alert, if it is asked for.
func (e *exam) planTest(service string, n agent.Notifier) {
	if !e.SendTest {
		return
	}
	e.add(service, "test alert", func(ctx context.Context) verdict { return judged(n.Notify(ctx, e.testAlert()), nil) })
}

// testAlert is another one each time, so that no channel drops it as a copy.
func (e *exam) testAlert() alert.Message {
	const what = "This is a test alert of callagent doctor. It shows that alerts arrive here; there is nothing to do."
	a := alert.Alert{ID: "test-" + strings.ToLower(rand.Text()), Kind: "test", Severity: alert.Info, At: e.Now(), What: what}
	return alert.Message{ID: a.ID, Kind: a.Kind, Severity: a.Severity, At: a.At, Title: "Test alert", Text: what, Alerts: []alert.Alert{a}}
}

// planSheet looks at the spreadsheet.
func (e *exam) planSheet() {
	p := e.Settings.Providers.Sheets
	if p.Spreadsheet == "" {
		e.found(sheet, "key", verdict{off, nil})
		return
	}
	b, err := sheets.New(sheets.Config{Spreadsheet: p.Spreadsheet, Credentials: string(p.Credentials), Endpoint: p.Endpoint})
	if err != nil {
		e.found(sheet, "settings", verdict{badSettings, words{"why": sentence(withoutName(err))}})
		return
	}
	e.onClose(b.Close)
	e.add(sheet, "spreadsheet", func(ctx context.Context) verdict {
		title, err := b.Check(ctx)
		v := judged(err, words{"what": fmt.Sprintf("%q", title), "account": b.Email()})
		if strings.Contains(v.words["why"], "SERVICE_DISABLED") {
			v.result = "disabled"
		}
		return v
	})
}
