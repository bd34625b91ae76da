package httpcall_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"callagent/infra/httpcall"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const most = 366 * 24 * time.Hour
	for _, tt := range []struct {
		seconds, ms string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"7", "", 7 * time.Second},
		{" 7 ", "", 7 * time.Second},
		{"0.25", "", 250 * time.Millisecond},
		{"-5", "", 0},
		{"soon", "", 0},
		{"7s", "", 0},
		{"NaN", "", 0},
		{"Inf", "", 0},
		{"1e300", "", most},
		{"99999999999999999999", "", most},
		{"86400", "", 24 * time.Hour},
		{"Sun, 01 Mar 2026 12:01:30 GMT", "", 90 * time.Second},
		{"Sunday, 01-Mar-26 12:01:30 GMT", "", 90 * time.Second},
		{"Sun Mar  1 12:01:30 2026", "", 90 * time.Second},
		{"Sun, 01 Mar 2026 11:00:00 GMT", "", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", "", most},
		{"2026-03-01T12:01:30Z", "", 0},
		{"", "120", 120 * time.Millisecond},
		{"1", "1500", 1500 * time.Millisecond},
		{"3", "0", 3 * time.Second},
		{"3", "-20", 3 * time.Second},
		{"3", "soon", 3 * time.Second},
	} {
		h := http.Header{}
		h.Set("Retry-After", tt.seconds)
		h.Set("Retry-After-Ms", tt.ms)
		if got := httpcall.RetryAfter(h, now); got != tt.want {
			t.Errorf("Retry-After %q, ms %q: %v, want %v", tt.seconds, tt.ms, got, tt.want)
		}
	}
	if got := httpcall.RetryAfter(nil, now); got != 0 {
		t.Errorf("no headers at all: %v", got)
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[float64]time.Duration{
		0: 0, -1: 0, 1.5: 1500 * time.Millisecond, 1e-12: 0, math.MaxFloat64: 366 * 24 * time.Hour, math.Inf(1): 0, math.Inf(-1): 0,
	} {
		if got := httpcall.Seconds(in); got != want {
			t.Errorf("Seconds(%g) = %v, want %v", in, got, want)
		}
	}
	if got := httpcall.Seconds(math.NaN()); got != 0 {
		t.Errorf("Seconds(NaN) = %v", got)
	}
}
