package wiring

import (
	"slices"
	"testing"

	"callagent/core/call"
)

func TestZonesOf(t *testing.T) {
	for _, c := range []struct {
		contact call.Contact
		want    []string
	}{
		{call.Contact{Phone: "+493023125004", TimeZone: "America/New_York"}, []string{"America/New_York"}},
		{call.Contact{Phone: "+493023125004"}, []string{"Europe/Berlin"}},
		{call.Contact{Phone: "+493023125004", TimeZone: "Nowhere/At_All"}, []string{"Europe/Berlin"}},
		{call.Contact{Phone: "nonsense"}, nil},
	} {
		var got []string
		for _, z := range zonesOf(c.contact) {
			got = append(got, z.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("zones %v, want %v", got, c.want)
		}
	}
	if n := len(zonesOf(call.Contact{Phone: "+18005551212"})); n < 2 {
		t.Errorf("a number that may be anywhere has %d zones", n)
	}
}
