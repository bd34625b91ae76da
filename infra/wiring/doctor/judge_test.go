package doctor

import (
	"testing"
	"time"

	"callagent/core/fault"
	"callagent/infra/elevenlabs"
)

func TestJudgeClock(t *testing.T) {
	for fast, want := range map[time.Duration]string{
		0: fine, 5 * time.Second: fine, -5 * time.Second: fine, 6 * time.Second: "drifts", -time.Minute: "drifts",
		61 * time.Second: "wrong", -24 * time.Hour: "wrong",
	} {
		if got := judgeClock(fast).result; got != want {
			t.Errorf("%s fast: %s, want %s", fast, got, want)
		}
	}
	for fast, want := range map[time.Duration]string{-89 * time.Second: "about 1m30s slow", time.Hour + time.Second: "about 1h0m0s fast"} {
		if got := judgeClock(fast).words["what"]; got != want {
			t.Errorf("%s fast is %q, want %q", fast, got, want)
		}
	}
}

func TestJudgeCredit(t *testing.T) {
	for _, c := range []struct {
		left   elevenlabs.Credit
		result string
	}{
		{elevenlabs.Credit{Left: 3000, Limit: 10_000}, fine},
		{elevenlabs.Credit{Left: 2999, Limit: 10_000}, "low"},
		{elevenlabs.Credit{Left: 0, Limit: 10_000}, "spent"},
		{elevenlabs.Credit{Left: -7, Limit: 10_000}, "spent"},
		{elevenlabs.Credit{Left: -7, Limit: 10_000, Unbounded: true}, fine},
		{elevenlabs.Credit{Left: 9000, Limit: 10_000, Unpaid: true}, "unpaid"},
	} {
		if got := judgeCredit(c.left).result; got != c.result {
			t.Errorf("%+v: %s, want %s", c.left, got, c.result)
		}
	}
}

func TestIsPrivate(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "10.1.2.3": true, "192.168.0.9": true, "169.254.1.1": true, "::1": true, "0.0.0.0": true,
		"localhost": true, "LOCALHOST.": true, "nas": true, "printer.local": true, "": true,
		"203.0.113.9": false, "calls.example.com": false, "2001:db8::1": false,
	} {
		if got := isPrivate(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

// Every kind of fault has a row, and every row a meaning.
func TestEveryFaultIsWorded(t *testing.T) {
	for kind := fault.Unknown; kind <= fault.Conflict; kind++ {
		v := judged(&fault.Fault{Kind: kind, Status: 400, Message: "they said so."}, nil)
		if r := rowOf("", "", v.result); r.result != v.result || v.words["why"] != "400: they said so" {
			t.Errorf("%s: %v has no row", kind, v)
		}
	}
	for _, r := range catalogue {
		if r.meaning == "" || r.status != OK && r.remedy == "" {
			t.Errorf("%+v says too little", r)
		}
	}
}

// What AWS's errors mean is told by their codes, in every protocol of AWS.
func TestByCode(t *testing.T) {
	for code, want := range map[string]string{
		"AccessDeniedException": permission, "AccessDenied": permission, "ResourceNotFoundException": missing,
		"AWS.SimpleQueueService.NonExistentQueue": missing, "NoSuchBucket": missing, "UnrecognizedClientException": key,
		"ExpiredTokenException": key, "ThrottlingException": busy, "InternalFailure": strange,
	} {
		if got := byCode(code); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}
