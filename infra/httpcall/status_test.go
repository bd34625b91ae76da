package httpcall_test

import (
	"testing"

	"callagent/core/fault"
	"callagent/infra/httpcall"
)

func TestFromStatus(t *testing.T) {
	const redirected = "it redirects the request: the base URL is not its own"
	account := func(kind fault.Kind) fault.Fault {
		return fault.Fault{Class: fault.Permanent, Kind: kind, Scope: fault.Account}
	}
	contact := fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Contact, Suspect: true}
	for _, tt := range []struct {
		statuses []int
		want     fault.Fault
	}{
		{[]int{200, 201, 204, 103}, fault.Fault{Kind: fault.BadResponse}},
		{[]int{301, 302, 304, 307, 308}, fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest,
			Scope: fault.Account, Message: redirected}},
		{[]int{400, 413}, contact},
		{[]int{401}, account(fault.Authentication)},
		{[]int{402}, account(fault.QuotaExceeded)},
		{[]int{403}, account(fault.Permission)},
		{[]int{404}, account(fault.NotFound)},
		{[]int{405, 406, 407, 410, 415, 422, 451}, account(fault.InvalidRequest)},
		{[]int{408}, fault.Fault{Kind: fault.Timeout}},
		{[]int{409}, fault.Fault{Kind: fault.Conflict}},
		{[]int{429}, fault.Fault{Kind: fault.Throttled}},
		{[]int{425, 500, 501, 502, 503, 504, 520, 524, 529, 599}, fault.Fault{Kind: fault.ServiceUnavailable}},
	} {
		for _, status := range tt.statuses {
			tt.want.Status = status
			if got := httpcall.FromStatus(status); got != tt.want {
				t.Errorf("%d: %#v, want %#v", status, got, tt.want)
			}
		}
	}
}
