package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"callagent/core/call"
	"callagent/core/fault"
)

// A list is read in pages of 100 calls, at most 20 of them.
const (
	pageSize = 100
	maxPages = 20
)

// Look reads one call. It holds no SIP code: only callbacks tell it.
func (c *Client) Look(ctx context.Context, sid string) (call.Look, error) {
	a, err := c.send(ctx, request{http.MethodGet, c.callPath(sid), nil, namesCall})
	if err != nil {
		return call.Look{}, err
	}
	var r resource
	if json.Unmarshal(a.Body, &r) == nil {
		if l, ok := r.look(); ok {
			return l, nil
		}
	}
	return call.Look{}, c.classify(a, namesCall)
}

// List reads the calls from one number to another that were created at or
// after since, oldest first. Twilio tells creation times in whole seconds, so
// the second that since falls into belongs to the list.
//
// Every page is one request, so a long list takes several; almost every list
// is one page. A list of more than 20 pages is a fault, because a call might
// hide in the rest. Twilio filters by the two numbers only: its filter by
// start time would leave out the calls that it has not started yet.
func (c *Client) List(ctx context.Context, to, from string, since time.Time) ([]call.Look, error) {
	since = since.Truncate(time.Second)
	query := url.Values{"To": {to}, "From": {from}, "PageSize": {strconv.Itoa(pageSize)}}
	path := c.account + "/Calls.json?" + query.Encode()
	var found []call.Look
	for range maxPages {
		looks, next, err := c.page(ctx, path)
		if err != nil {
			return nil, err
		}
		for _, l := range looks {
			if !l.Created.Before(since) {
				found = append(found, l)
			}
		}
		if next == "" {
			slices.SortStableFunc(found, func(a, b call.Look) int {
				return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.SID, b.SID))
			})
			return found, nil
		}
		path = next
	}
	return nil, &fault.Fault{Kind: fault.BadResponse, Service: service,
		Message: "the list of calls between the two numbers does not end"}
}

// page reads one page and the path of the next one, "" after the last.
func (c *Client) page(ctx context.Context, path string) ([]call.Look, string, error) {
	a, err := c.send(ctx, request{http.MethodGet, path, nil, readsAccount})
	if err != nil {
		return nil, "", err
	}
	var p struct {
		Calls *[]resource `json:"calls"`
		Next  string      `json:"next_page_uri"`
	}
	// The next page is asked for with our key, so it must be one of this list.
	ours := func(next string) bool { return next == "" || strings.HasPrefix(next, c.account+"/Calls.json?") }
	if json.Unmarshal(a.Body, &p) != nil || p.Calls == nil || !ours(p.Next) {
		return nil, "", c.classify(a, readsAccount)
	}
	looks := make([]call.Look, 0, len(*p.Calls))
	for _, r := range *p.Calls {
		l, ok := r.look()
		if !ok {
			return nil, "", c.classify(a, readsAccount)
		}
		looks = append(looks, l)
	}
	return looks, p.Next, nil
}

// resource is a call as Twilio writes it. Absent fields are null.
type resource struct {
	SID        string `json:"sid"`
	Status     string `json:"status"`
	To         string `json:"to"`
	From       string `json:"from"`
	Created    string `json:"date_created"`
	Duration   string `json:"duration"`
	AnsweredBy string `json:"answered_by"`
}

// callID is the form of a call's id, a little wider than Twilio's own. Anything
// else may be more than a store can keep.
var callID = regexp.MustCompile(`^CA[0-9A-Za-z]{1,62}$`)

// look fails when the id, the status or the time of creation is unreadable.
func (r resource) look() (call.Look, bool) {
	end, known := ends[r.Status]
	created, err := mail.ParseDate(r.Created)
	if !callID.MatchString(r.SID) || !known || err != nil {
		return call.Look{}, false
	}
	return call.Look{
		SID: r.SID, Status: r.Status, To: r.To, From: r.From, Created: created.UTC(),
		Queued: r.Status == "queued", Result: heard(end, r.AnsweredBy), Duration: seconds(r.Duration),
	}, true
}

// ends holds every status of a call and how a call with it ended; "" when it
// goes on. Only callbacks say "initiated".
var ends = map[string]call.Result{
	"queued":      "",
	"initiated":   "",
	"ringing":     "",
	"in-progress": "",
	"completed":   call.Answered,
	"busy":        call.Busy,
	"no-answer":   call.NoAnswer,
	"failed":      call.NotConnected,
	"canceled":    call.Canceled,
}

// heard refines an answered call by what machine detection heard.
func heard(end call.Result, answeredBy string) call.Result {
	switch {
	case end != call.Answered:
		return end
	case strings.HasPrefix(answeredBy, "machine"):
		return call.Voicemail
	case answeredBy == "fax":
		return call.Fax
	default:
		return call.Answered
	}
}

// seconds reads a count of seconds; what is no such count gives 0.
func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
