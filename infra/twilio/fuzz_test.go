package twilio_test

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/infra/httpcall/httpcalltest"
	"callagent/infra/twilio"
)

// keepable is an id that every store can keep and every path can hold.
var keepable = regexp.MustCompile(`^CA[0-9A-Za-z]{1,62}$`)

// client makes a client for one request.
func fuzzed(once bool, send func(context.Context, *twilio.Client) error) httpcalltest.Config {
	return httpcalltest.Config{Secrets: []string{token}, Once: once, Call: func(ctx context.Context, baseURL string) error {
		c := twilio.New(twilio.Config{AccountSID: account, AuthToken: token, BaseURL: baseURL})
		defer c.Close()
		return send(ctx, c)
	}}
}

// FuzzDial: either there is an id to find the call by, or a fault says whether
// the phone may have rung.
func FuzzDial(f *testing.F) {
	httpcalltest.Fuzz(f, fuzzed(true, func(ctx context.Context, c *twilio.Client) error {
		id, err := c.Dial(ctx, request())
		if err == nil && !keepable.MatchString(id) {
			return errors.New("this is no id of a call")
		}
		return err
	}),
		httpcalltest.Answer{Status: 201, Body: `{"sid":"` + sid + `","status":"queued"}`},
		httpcalltest.Answer{Status: 201, Body: `{"sid":"CA/../$PHONE"}`},
		httpcalltest.Answer{Status: 400, Body: `{"code":21211,"message":"Invalid 'To' Phone Number: $PHONE","status":400}`},
		httpcalltest.Answer{Status: 403, Body: `{"code":15005550006,"message":"$KEY"}`},
		httpcalltest.Answer{Status: 429, Header: "Retry-After: 99999999999", Body: `{"code":22005}`},
		httpcalltest.Answer{Status: 503, Body: `{"code":20503}`},
	)
}

// FuzzLooks: one call and a page of calls are read alike, and only what is
// complete is read.
func FuzzLooks(f *testing.F) {
	one := `{"sid":"` + sid + `","status":"completed","to":"$PHONE","from":"` + from + `","date_created":"Sun, 01 Mar 2026 12:00:00 +0000","duration":"37","answered_by":"human"}`
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	httpcalltest.Fuzz(f, fuzzed(false, func(ctx context.Context, c *twilio.Client) error {
		look, err := c.Look(ctx, sid)
		if err == nil {
			return complete(look)
		}
		looks, err := c.List(ctx, to, from, since)
		for i, l := range looks {
			if problem := complete(l); problem != nil {
				return problem
			}
			if l.Created.Before(since) || i > 0 && l.Created.Before(looks[i-1].Created) {
				return errors.New("the list goes too far back, or is not in order")
			}
		}
		return err
	}),
		httpcalltest.Answer{Status: 200, Body: one},
		httpcalltest.Answer{Status: 200, Body: `{"calls":[` + one + `,` + one + `],"next_page_uri":null}`},
		httpcalltest.Answer{Status: 200, Body: `{"calls":[],"next_page_uri":"` + prefix + `/Calls.json?Page=1"}`},
		httpcalltest.Answer{Status: 200, Body: `{"calls":[],"next_page_uri":"https://elsewhere.example/"}`},
		httpcalltest.Answer{Status: 404, Body: `{"code":20404}`},
	)
}

// complete checks what the agent relies on in every look.
func complete(l call.Look) error {
	switch {
	case !keepable.MatchString(l.SID):
		return errors.New("a look without an id of a call")
	case l.Status == "" || l.Queued != (l.Status == "queued") || l.Queued && l.Result != "":
		return errors.New("a look without a status, or with another's")
	case l.Duration < 0 || l.Created.Location() != time.UTC:
		return errors.New("a look with times that cannot be")
	}
	return nil
}

// FuzzCallback: a report that is read is complete, and is the same when its form
// is written and read again; an error names the field and shows no number.
func FuzzCallback(f *testing.F) {
	for _, form := range []string{
		"", "CallSid=" + sid, "CallStatus=busy", "CallSid=" + sid + "&CallStatus=completed&CallDuration=37&Timestamp=Sun%2C+01+Mar+2026+12%3A00%3A00+%2B0000",
		"CallSid=" + sid + "&CallStatus=%2B15005550006", "CallSid=%2B15005550006&CallStatus=ringing&AnsweredBy=machine_start&SipResponseCode=486&CallDuration=-1",
	} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		values, err := url.ParseQuery(form)
		if err != nil {
			return
		}
		l, err := twilio.ParseCallback(values)
		if err != nil {
			if !regexp.MustCompile(`^twilio: the callback('s| has no) Call(Sid|Status)`).MatchString(err.Error()) || httpcalltest.NumberIn(err.Error()) != "" {
				t.Errorf("error %v", err)
			}
			return
		}
		if l.Created.IsZero() {
			l.Created = time.Time{}.UTC()
		}
		if err := complete(l); err != nil {
			t.Error(err)
		}
		again, err := url.ParseQuery(values.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if m, err := twilio.ParseCallback(again); err != nil || !m.Created.Equal(l.Created) || m.SID != l.SID || m.Result != l.Result {
			t.Errorf("%+v came back as %+v, %v", l, m, err)
		}
	})
}

// FuzzSignature: a form is signed as a whole, so that only what was signed is
// valid.
func FuzzSignature(f *testing.F) {
	f.Add("https://example.com/twilio/status?attempt=a", "CallSid=CA1&CallStatus=busy", "abc")
	f.Add("http://example.com:80", "", "")
	f.Fuzz(func(t *testing.T, target, form, signature string) {
		values, err := url.ParseQuery(form)
		if err != nil {
			return
		}
		if twilio.ValidSignature("", target, values, signature) {
			t.Error("valid without a token")
		}
		if twilio.ValidSignature(token, target, values, signature) {
			t.Error("guessed")
		}
	})
}
