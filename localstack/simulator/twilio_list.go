package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// resource is a call as Twilio's API shows it. The lock is held.
func (p *phoneAPI) resource(c *call) map[string]any {
	var answeredBy, duration any
	if c.AnsweredBy != "" {
		answeredBy = c.AnsweredBy
	}
	if final(c.Status) {
		duration = strconv.Itoa(c.seconds())
	}
	account := p.sim.cfg.Keys.TwilioAccount
	base := "/2010-04-01/Accounts/" + account + "/Calls/" + c.SID
	parts := map[string]string{}
	for key, path := range map[string]string{"notifications": "Notifications", "recordings": "Recordings", "events": "Events", "streams": "Streams"} {
		parts[key] = base + "/" + path + ".json"
	}
	return map[string]any{
		"sid": c.SID, "account_sid": account, "api_version": "2010-04-01", "uri": base + ".json", "subresource_uris": parts,
		"to": c.To, "from": c.From, "to_formatted": formatted(c.To), "from_formatted": formatted(c.From),
		"status": c.Status, "direction": "outbound-api", "answered_by": answeredBy, "queue_time": strconv.FormatInt(c.queued.Milliseconds(), 10),
		"date_created": rfc2822(c.Created), "date_updated": rfc2822(c.updated), "start_time": rfc2822(c.Started), "end_time": rfc2822(c.Ended),
		"duration": duration, "price": nil, "price_unit": "USD", "annotation": nil, "caller_name": "", "forwarded_from": nil,
		"group_sid": nil, "parent_call_sid": nil, "phone_number_sid": "PN" + account[2:], "trunk_sid": "",
	}
}

// rfc2822 writes a time as RFC 2822 has it; one that has not come is null.
func rfc2822(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC1123Z)
}

// formatted shows a North American number as its owners write it.
func formatted(phone string) string {
	if len(phone) != 12 || !strings.HasPrefix(phone, "+1") {
		return phone
	}
	return "(" + phone[2:5] + ") " + phone[5:8] + "-" + phone[8:]
}

// list shows the newest calls first, in pages. A page token names the last
// call of the page before, so that new calls do not shift the pages.
func (p *phoneAPI) list(in inbound) answer {
	q := in.URL.Query()
	size, err := strconv.Atoi(q.Get("PageSize"))
	if err != nil || size < 1 {
		size = 50
	}
	size = min(size, 1000)
	page, _ := strconv.Atoi(q.Get("Page")) // absent is the first, 0
	matches, ok := matcher(q)
	if !ok {
		return p.badRequest(20001)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := strings.TrimPrefix(q.Get("PageToken"), "PA")
	found := []map[string]any{}
	more, begun := false, last == ""
	var end string
	for _, c := range slices.Backward(p.calls) {
		switch {
		case !begun:
			begun = c.SID == last
		case !matches(c):
		case len(found) == size:
			more = true
		default:
			found, end = append(found, p.resource(c)), c.SID
		}
	}
	return jsonAnswer(http.StatusOK, pages(in.URL.Path, q, size, page, found, more, end))
}

func pages(path string, q url.Values, size, page int, calls []map[string]any, more bool, last string) map[string]any {
	link := func(page int, token string) string {
		v := url.Values{"PageSize": {strconv.Itoa(size)}, "Page": {strconv.Itoa(page)}}
		for _, key := range []string{"To", "From", "Status", "StartTime", "StartTime<", "StartTime>"} {
			if q.Has(key) {
				v.Set(key, q.Get(key))
			}
		}
		if token != "" {
			v.Set("PageToken", token)
		}
		return path + "?" + v.Encode()
	}
	var next any
	if more {
		next = link(page+1, "PA"+last)
	}
	return map[string]any{"calls": calls, "page": page, "page_size": size, "start": page * size,
		"end": page*size + max(len(calls)-1, 0), "uri": link(page, q.Get("PageToken")), "first_page_uri": link(0, ""),
		"previous_page_uri": nil, "next_page_uri": next}
}

// matcher reads the filters of a list. A start time counts by its day in UTC,
// and a call that has none matches no such filter.
func matcher(q url.Values) (match func(*call) bool, ok bool) {
	var day [3]string // equal, not after, not before
	for i, key := range []string{"StartTime", "StartTime<", "StartTime>"} {
		if day[i] = q.Get(key); day[i] == "" {
			continue
		}
		day[i] = day[i][:min(len(day[i]), len(time.DateOnly))]
		if _, err := time.Parse(time.DateOnly, day[i]); err != nil {
			return nil, false
		}
	}
	is := func(key, value string) bool { return q.Get(key) == "" || q.Get(key) == value }
	return func(c *call) bool {
		began := c.Started.UTC().Format(time.DateOnly)
		dated := day[0] != "" || day[1] != "" || day[2] != ""
		return is("To", c.To) && is("From", c.From) && is("Status", c.Status) &&
			(!dated || !c.Started.IsZero()) &&
			(day[0] == "" || began == day[0]) && (day[1] == "" || began <= day[1]) && (day[2] == "" || began >= day[2])
	}, true
}
