package alert_test

import (
	"testing"

	"callagent/core/alert"
)

func TestEachRoundOfACallIsToldByItself(t *testing.T) {
	for round, want := range map[int]string{
		0: "call/spring/c-001/call_failed", 2: "call/spring/c-001#2/call_failed", 3: "call/spring/c-001#3/call_failed",
	} {
		a := alert.ForCall(alert.CallFailed, alert.Subject{CallID: "spring/c-001", Campaign: "spring", At: start, Round: round})
		if a.ID != want || a.CallID != "spring/c-001" {
			t.Errorf("round %d has id %s and call %s", round, a.ID, a.CallID)
		}
	}
	a := alert.ForCall(alert.RetriesExhausted, alert.Subject{CallID: "spring/c-001", At: start, Park: 4, Round: 2})
	if want := "call/spring/c-001#2/retries_exhausted/4"; a.ID != want {
		t.Errorf("the id is %s, want %s", a.ID, want)
	}
}

func TestACampaignIsToldAgainAfterAnotherRound(t *testing.T) {
	before := alert.ForCampaign("spring", alert.Tally{Completed: 3}, start)
	after := alert.ForCampaign("spring", alert.Tally{Completed: 3, Kept: 1}, start)
	if before.ID == after.ID || before.What != after.What {
		t.Errorf("%s says %q, %s says %q", before.ID, before.What, after.ID, after.What)
	}
}
