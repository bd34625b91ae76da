package hubspot

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// How long to wait when HubSpot does not say it itself.
const (
	rolling    = 10 * time.Second // a window of ten seconds is full
	eachSecond = time.Second      // so is one of one second
	locked     = 2 * time.Second  // somebody else writes the record
)

// migrating is the status of an account that moves to another data centre.
const migrating = 477

// problem is HubSpot's description of a failure. In the answer to a batch the
// problems of its items stand in Errors.
type problem struct {
	Message  string    `json:"message"`
	Category string    `json:"category"`
	Policy   string    `json:"policyName"`
	Code     string    `json:"code"`
	Errors   []problem `json:"errors"`
}

// reason reads a problem; what cannot be read stays empty.
func reason(body []byte) problem {
	var p problem
	_ = json.Unmarshal(body, &p)
	return p
}

// classify is the only place where an answer of HubSpot becomes a fault. Every
// write is an upsert, so an answer that leaves its effect open is transient:
// asking again repairs it.
func (c *Client) classify(a httpcall.Answer) *fault.Fault {
	said, status := reason(a.Body), a.Status
	if status < 300 && len(said.Errors) > 0 {
		said = said.Errors[0] // our batches have one item
		status = statusOf(said.Category)
	}
	f := verdict(status, said)
	f.Service, f.Status = service, a.Status
	f.Code = httpcall.Clean(cmp.Or(said.Policy, said.Category), c.token)
	f.Message = cmp.Or(f.Message, httpcall.Clean(said.Message, c.token))
	if f.Kind == fault.BadResponse {
		f.Message = cmp.Or(f.Message, "its answer lacks what its API promises")
	}
	if wait := httpcall.RetryAfter(a.Header, c.now()); wait > 0 && f.Class == fault.Transient {
		f.RetryAfter = wait
	}
	return &f
}

// statusOf gives the status that an item of a batch would have had alone; 0
// for a category that tells nothing.
func statusOf(category string) int {
	switch category {
	case "VALIDATION_ERROR":
		return http.StatusBadRequest
	case "INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION":
		return http.StatusUnauthorized
	case "MISSING_SCOPES":
		return http.StatusForbidden
	case "OBJECT_NOT_FOUND":
		return http.StatusNotFound
	case "CONFLICT":
		return http.StatusConflict
	case "RATE_LIMITS":
		return http.StatusTooManyRequests
	default:
		return 0
	}
}

// verdict reads the status and what HubSpot said.
func verdict(status int, said problem) fault.Fault {
	f := httpcall.FromStatus(status)
	switch status {
	case http.StatusBadRequest:
		if !said.hasOurProperties() {
			f.Scope, f.Suspect = fault.Account, false
			f.Message = "a property is missing or not unique: create " + contacts.key + " for contacts and " +
				calls.key + " for calls in HubSpot, as single-line text with unique values"
		}
	case http.StatusForbidden:
		if said.Category == "MISSING_SCOPES" {
			f.Message = "the token lacks a scope: it needs crm.objects.contacts.read and crm.objects.contacts.write"
		}
	case http.StatusNotFound: // the record is gone
		f.Scope = fault.Contact
	case http.StatusConflict: // another record is in the way
		f.Class, f.Scope = fault.Permanent, fault.Contact
	case http.StatusRequestURITooLong, http.StatusUnsupportedMediaType:
		f.Scope, f.Suspect = fault.Contact, true
	case http.StatusLocked:
		f = fault.Fault{Kind: fault.ServiceUnavailable, RetryAfter: locked}
	case http.StatusTooManyRequests:
		f = limited(said.Policy)
	case migrating:
		f = fault.Fault{Kind: fault.ServiceUnavailable}
	}
	return f
}

// limited judges a 429 by the limit that was hit. The daily one is refilled at
// midnight, so it is a quota and not a matter of pace.
func limited(policy string) fault.Fault {
	switch policy {
	case "DAILY":
		return fault.Fault{Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account}
	case "TEN_SECONDLY_ROLLING":
		return fault.Fault{Kind: fault.Throttled, RetryAfter: rolling}
	case "SECONDLY":
		return fault.Fault{Kind: fault.Throttled, RetryAfter: eachSecond}
	default:
		return fault.Fault{Kind: fault.Throttled}
	}
}

// hasOurProperties is false when HubSpot does not know a property that we
// write, or knows it without unique values. We write the same ones for every
// contact, so no contact is the reason.
func (p problem) hasOurProperties() bool {
	const unknown, notUnique = "PROPERTY_DOESNT_EXIST", "upsert by non-unique"
	if strings.Contains(p.Message, unknown) || strings.Contains(p.Message, notUnique) || p.Code == unknown {
		return false
	}
	for _, e := range p.Errors {
		if !e.hasOurProperties() {
			return false
		}
	}
	return true
}
