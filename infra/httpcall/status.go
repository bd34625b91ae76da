package httpcall

import (
	"net/http"

	"callagent/core/fault"
)

// byStatus says what a status means when the vendor's body says nothing more.
var byStatus = map[int]fault.Fault{
	http.StatusBadRequest:      {Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true},
	http.StatusUnauthorized:    {Class: fault.Permanent, Kind: fault.Authentication, Scope: fault.Account},
	http.StatusPaymentRequired: {Class: fault.Permanent, Kind: fault.QuotaExceeded, Scope: fault.Account},
	http.StatusForbidden:       {Class: fault.Permanent, Kind: fault.Permission, Scope: fault.Account},
	http.StatusNotFound:        {Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Account},
	http.StatusRequestTimeout:  {Kind: fault.Timeout},
	http.StatusConflict:        {Kind: fault.Conflict},
	http.StatusTooEarly:        {Kind: fault.ServiceUnavailable},
	http.StatusTooManyRequests: {Kind: fault.Throttled},
	http.StatusRequestEntityTooLarge: {Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact,
		Suspect: true},
}

// FromStatus says what an answer's status means for a request that may be
// repeated, when the vendor says nothing more exact. 400 and 413 blame the
// contact, but suspect the account. Any other 4xx and a redirect mean that our
// settings are wrong, 5xx that the service is down, and a 2xx that reaches
// this function that its content was unusable.
func FromStatus(status int) fault.Fault {
	f, known := byStatus[status]
	switch {
	case known:
	case status >= 500:
		f.Kind = fault.ServiceUnavailable
	case status >= 400:
		f.Class, f.Kind, f.Scope = fault.Permanent, fault.InvalidRequest, fault.Account
	case status >= 300:
		f.Class, f.Kind, f.Scope = fault.Permanent, fault.InvalidRequest, fault.Account
		f.Message = "it redirects the request: the base URL is not its own"
	default:
		f.Kind = fault.BadResponse
	}
	f.Status = status
	return f
}
