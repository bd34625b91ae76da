package call_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"pgregory.net/rapid"

	"callagent/core/call"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func minutes(h, m int) int { return h*60 + m }

func TestWindowOpens(t *testing.T) {
	day := call.Window{From: minutes(9, 0), To: minutes(20, 0)}
	night := call.Window{From: minutes(2, 30), To: minutes(4, 0)}
	brief := call.Window{From: minutes(2, 10), To: minutes(2, 50)}
	early := call.Window{From: minutes(0, 0), To: minutes(2, 30)}
	again := call.Window{From: minutes(1, 30), To: minutes(2, 15)}
	for _, c := range []struct {
		name      string
		window    call.Window
		zones     []string
		now, want string
	}{
		{"the first moment is in", day, []string{"Europe/Berlin"}, "2026-01-05T09:00:00+01:00", "2026-01-05T09:00:00+01:00"},
		{"the moment before is not", day, []string{"Europe/Berlin"}, "2026-01-05T08:59:59.999999999+01:00", "2026-01-05T09:00:00+01:00"},
		{"the last moment is in", day, []string{"Europe/Berlin"}, "2026-01-05T19:59:59.999999999+01:00", "2026-01-05T19:59:59.999999999+01:00"},
		{"the end is not", day, []string{"Europe/Berlin"}, "2026-01-05T20:00:00+01:00", "2026-01-06T09:00:00+01:00"},
		{"past midnight", day, []string{"Europe/Berlin"}, "2026-01-06T00:00:00+01:00", "2026-01-06T09:00:00+01:00"},
		{"in the contact's zone, not ours", day, []string{"America/New_York"}, "2026-01-05T09:00:00+01:00", "2026-01-05T09:00:00-05:00"},
		{"its day may be another", day, []string{"Asia/Tokyo"}, "2026-01-05T23:00:00Z", "2026-01-06T09:00:00+09:00"},
		{"half-hour zones", day, []string{"Asia/Kolkata"}, "2026-01-05T03:29:59Z", "2026-01-05T09:00:00+05:30"},
		{"without a zone it is UTC", day, nil, "2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z"},
		{"over the end of a year", day, nil, "2026-12-31T20:00:00Z", "2027-01-01T09:00:00Z"},

		{"all zones must be open", day, []string{"America/New_York", "America/Los_Angeles"}, "2026-01-05T09:30:00-05:00", "2026-01-05T09:00:00-08:00"},
		{"and none closed again", day, []string{"America/New_York", "America/Los_Angeles"}, "2026-01-05T19:59:00-08:00", "2026-01-06T09:00:00-08:00"},
		{"order does not matter", day, []string{"America/Los_Angeles", "America/New_York"}, "2026-01-05T19:59:00-08:00", "2026-01-06T09:00:00-08:00"},

		{"Berlin, clocks go forward at night", day, []string{"Europe/Berlin"}, "2026-03-28T20:00:00+01:00", "2026-03-29T09:00:00+02:00"},
		{"Berlin, clocks go back at night", day, []string{"Europe/Berlin"}, "2026-10-24T20:00:00+02:00", "2026-10-25T09:00:00+01:00"},
		{"New York, clocks go forward at night", day, []string{"America/New_York"}, "2026-03-07T20:00:00-05:00", "2026-03-08T09:00:00-04:00"},
		{"New York, clocks go back at night", day, []string{"America/New_York"}, "2026-10-31T20:00:00-04:00", "2026-11-01T09:00:00-05:00"},

		{"Berlin, the opening falls into the gap: right after it", night, []string{"Europe/Berlin"}, "2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00"},
		{"New York, the opening falls into the gap: right after it", night, []string{"America/New_York"}, "2026-03-08T01:45:00-05:00", "2026-03-08T03:00:00-04:00"},
		{"Berlin, after the gap it is open", night, []string{"Europe/Berlin"}, "2026-03-29T03:15:00+02:00", "2026-03-29T03:15:00+02:00"},
		{"Berlin, the end falls into the gap: closed after it", early, []string{"Europe/Berlin"}, "2026-03-29T03:00:00+02:00", "2026-03-30T00:00:00+02:00"},
		{"New York, the end falls into the gap: closed after it", early, []string{"America/New_York"}, "2026-03-08T03:00:00-04:00", "2026-03-09T00:00:00-04:00"},
		{"Berlin, the whole window falls into the gap: the next day", brief, []string{"Europe/Berlin"}, "2026-03-29T01:00:00+01:00", "2026-03-30T02:10:00+02:00"},
		{"New York, the whole window falls into the gap: the next day", brief, []string{"America/New_York"}, "2026-03-08T01:00:00-05:00", "2026-03-09T02:10:00-04:00"},

		{"Berlin, the opening comes twice: the first time", night, []string{"Europe/Berlin"}, "2026-10-25T01:00:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"Berlin, the hour repeats: closed until its second opening", night, []string{"Europe/Berlin"}, "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00"},
		{"Berlin, the end comes twice: closed after the first", early, []string{"Europe/Berlin"}, "2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00"},
		{"New York, the opening comes twice: the first time", again, []string{"America/New_York"}, "2026-11-01T00:00:00-04:00", "2026-11-01T01:30:00-04:00"},
		{"New York, the hour repeats: closed until its second opening", again, []string{"America/New_York"}, "2026-11-01T01:10:00-05:00", "2026-11-01T01:30:00-05:00"},

		{"clocks that change at midnight", call.Window{From: 0, To: minutes(1, 30)}, []string{"America/Santiago"}, "2026-09-05T23:00:00-04:00", "2026-09-06T01:00:00-03:00"},
		{"a day that never was", day, []string{"Pacific/Apia"}, "2011-12-29T20:00:00-10:00", "2011-12-31T09:00:00+14:00"},
		{"until midnight", call.Window{From: minutes(18, 0), To: minutes(24, 0)}, nil, "2026-01-05T23:59:59Z", "2026-01-05T23:59:59Z"},
		{"one minute a day", call.Window{From: minutes(12, 0), To: minutes(12, 1)}, nil, "2026-01-05T12:01:00Z", "2026-01-06T12:00:00Z"},
	} {
		var zones []*time.Location
		for _, z := range c.zones {
			zones = append(zones, zone(t, z))
		}
		if got := c.window.Opens(instant(t, c.now), zones); !got.Equal(instant(t, c.want)) {
			t.Errorf("%s: at %s it opens at %s, want %s", c.name, c.now, got.Format(time.RFC3339), c.want)
		}
	}
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAWindowThatNeverCloses(t *testing.T) {
	for _, c := range []struct {
		window call.Window
		want   bool
	}{
		{call.Window{}, true},
		{call.Window{From: 0, To: minutes(24, 0)}, true},
		{call.Window{From: minutes(9, 0), To: minutes(9, 0)}, true},
		{call.Window{From: 0, To: minutes(23, 59)}, false},
		{call.Window{From: 1, To: minutes(24, 0)}, false},
	} {
		if got := c.window.Always(); got != c.want {
			t.Errorf("%+v never closes: %t", c.window, got)
		}
		now := start.Add(14*time.Hour + 59*time.Minute) // 23:59
		if got := c.window.Opens(now, nil); c.want && !got.Equal(now) {
			t.Errorf("%+v opens at %s", c.window, got)
		}
	}
}

// Zones that are never open together keep a contact waiting, and do not keep
// the rule busy for ever.
func TestZonesThatNeverAgree(t *testing.T) {
	w := call.Window{From: minutes(9, 0), To: minutes(17, 0)}
	got := w.Opens(start, []*time.Location{zone(t, "Pacific/Auckland"), zone(t, "Europe/London")})
	if !got.After(start.Add(7 * 24 * time.Hour)) {
		t.Errorf("it opens at %s", got)
	}
}

// A window over midnight is refused by the settings. Were one to get here, it
// would be closed all day rather than hang.
func TestAWindowOverMidnightIsNeverOpen(t *testing.T) {
	w := call.Window{From: minutes(20, 0), To: minutes(9, 0)}
	for h := range 24 {
		now := start.Add(time.Duration(h) * time.Hour)
		if got := w.Opens(now, nil); !got.After(now) {
			t.Errorf("open at %s", now)
		}
	}
}

// TestWindowAgainstTheClockOnTheWall walks minute by minute to the first one
// whose wall clock is in the window, and has to come out at the same moment.
func TestWindowAgainstTheClockOnTheWall(t *testing.T) {
	names := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata", "Africa/Cairo"}
	changes := []time.Time{ // clocks change near these
		time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 8, 6, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 5, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 15, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 23, 22, 0, 0, 0, time.UTC), time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC),
	}
	rapid.Check(t, func(rt *rapid.T) {
		z := zone(t, rapid.SampledFrom(names).Draw(rt, "zone"))
		w := call.Window{From: rapid.IntRange(0, 24*60-1).Draw(rt, "from")}
		w.To = rapid.IntRange(w.From+1, 24*60).Draw(rt, "to")
		now := rapid.SampledFrom(changes).Draw(rt, "near").Add(time.Duration(rapid.IntRange(-600, 600).Draw(rt, "by")) * time.Minute)
		want := now
		for !shows(want.In(z), w) {
			want = want.Add(time.Minute)
		}
		if got := w.Opens(now, []*time.Location{z}); !got.Equal(want) {
			rt.Fatalf("%s, %d to %d min, at %s: opens %s, the wall says %s", z, w.From, w.To, now.In(z), got.In(z), want.In(z))
		}
	})
}

func shows(local time.Time, w call.Window) bool {
	m := minutes(local.Hour(), local.Minute())
	return w.From <= m && m < w.To
}
