package twilio

import (
	"encoding/json"
	"strconv"
	"time"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// purpose is what a request is for. It decides what an unclear answer means.
type purpose uint8

const (
	// placesCall rings a phone: an unclear answer is ambiguous.
	placesCall purpose = iota
	// readsAccount asks about the account or its calls: "not found" means that
	// the account is wrong.
	readsAccount
	// namesCall reads or changes one call: "not found" means that call.
	namesCall
)

const (
	codeCallOver    = "21220"
	codeUnavailable = 20503
)

// queueFull is how long Twilio is left alone when more than a day of calls
// waits there.
const queueFull = 5 * time.Minute

// The verdicts that several codes share.
var (
	contact   = fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact}
	geography = fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Contact, Suspect: true}
	setting   = fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account}
	key       = fault.Fault{Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account}
	inactive  = fault.Fault{Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account}
	throttled = fault.Fault{Kind: fault.Throttled}
)

// codes is the meaning of Twilio's own error codes in answers below 500.
var codes = map[int]fault.Fault{
	13223: contact, // To has no valid format
	13224: contact, // To cannot be called
	13225: contact, // To is on Twilio's block list
	13226: contact, // To has no valid country code
	21201: contact, // To is missing
	21202: contact, // To is a premium number
	21211: contact, // To is invalid
	21214: contact, // To cannot be reached
	21217: contact, // To does not look like a number

	10002: geography, // a trial account may not do this
	13227: geography, // the country is not enabled
	21203: geography, // international calls are not enabled
	21215: geography, // the country is not enabled
	21216: geography, // blocked by Twilio; an unverified business shows it, too
	21219: geography, // To is not verified, in a trial account

	20404: {Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Account}, // the account in the path

	21205: setting, // a URL is invalid
	21208: setting, // the status callback is invalid
	21209: setting, // the callback method is invalid
	21210: setting, // From is not verified
	21212: setting, // From is invalid
	21213: setting, // From is missing
	21218: setting, // the application is invalid
	21606: setting, // From cannot do this
	21626: setting, // a callback event is invalid

	20003: key,
	20006: key,
	20008: key, // test credentials
	20010: key,

	10001: inactive,
	20005: inactive,
	90010: inactive,

	10004: throttled, // too many calls at once
	20429: throttled,
	22005: {Kind: fault.Throttled, RetryAfter: queueFull},

	21220: {Class: fault.Permanent, Kind: fault.Conflict, Scope: fault.Contact}, // the call is over
}

// classify is the only place where an answer of Twilio becomes a fault.
func (c *Client) classify(a httpcall.Answer, p purpose) *fault.Fault {
	var said struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(a.Body, &said) // what cannot be read stays empty
	f := verdict(a.Status, said.Code, p)
	f.Service, f.Status = service, a.Status
	if said.Code != 0 {
		f.Code = httpcall.Clean(strconv.Itoa(said.Code))
	}
	if m := httpcall.Clean(said.Message, c.secrets...); m != "" {
		f.Message = m
	} else if a.Status < 300 {
		f.Message = "its answer lacks what its API promises"
	}
	if wait := httpcall.RetryAfter(a.Header, c.now()); f.Class == fault.Transient {
		f.RetryAfter = max(f.RetryAfter, wait)
	}
	return &f
}

// verdict reads status and code. The status of a server error outranks its
// code: such an answer proves nothing about what was done before.
func verdict(status, code int, p purpose) fault.Fault {
	f := httpcall.FromStatus(status)
	switch {
	case status == 503 && code == codeUnavailable:
		return f // refused by Twilio itself, not lost on the way
	case status < 300, status == 408, status >= 500:
		if p == placesCall {
			f.Class = fault.Ambiguous
		}
		return f
	case status == 404 && p == namesCall:
		f.Scope = fault.Contact
		return f
	}
	if known, ok := codes[code]; ok {
		return known
	}
	return f
}
