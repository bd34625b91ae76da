package httpcall

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestWait bounds what a header can ask for: more is no wait but a refusal.
const longestWait = 366 * 24 * time.Hour

// RetryAfter reads how long a server wants to be left alone: Retry-After-Ms in
// milliseconds, else Retry-After in whole or decimal seconds or as an HTTP
// date seen from now. Absent, negative and unreadable values give 0, and no
// value gives more than 366 days.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil {
		if wait := Seconds(ms / 1000); wait > 0 {
			return wait
		}
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return Seconds(s)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, t.Sub(now)), longestWait)
	}
	return 0
}

// Seconds converts without overflow, up to 366 days; values that make no sense
// give 0.
func Seconds(s float64) time.Duration {
	if !(s > 0) || math.IsInf(s, 0) {
		return 0
	}
	return time.Duration(min(s*float64(time.Second), float64(longestWait)))
}
