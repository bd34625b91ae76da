package backoff_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"callagent/core/backoff"
)

const (
	ms = time.Millisecond
	s  = time.Second

	forever = time.Duration(math.MaxInt64)
	// almost is the greatest number that a draw from [0, 1) can give.
	almost = 1 - 1.0/(1<<53)
)

func TestDefaultIsWhatTheSourceDocumentsAskFor(t *testing.T) {
	want := backoff.Policy{MaxRetries: 3, Initial: 5 * s, Factor: 2, Max: 60 * s, Jitter: 0.2}
	if got := backoff.Default(); got != want {
		t.Errorf("Default() = %+v, want %+v", got, want)
	}
	if err := backoff.Default().Validate(); err != nil {
		t.Errorf("the default is refused: %v", err)
	}
}

func TestDelay(t *testing.T) {
	plain := backoff.Policy{MaxRetries: 3, Initial: 5 * s, Factor: 2, Max: 60 * s}
	with := func(change func(*backoff.Policy)) backoff.Policy {
		p := plain
		change(&p)
		return p
	}
	for _, c := range []struct {
		name   string
		policy backoff.Policy
		n      int
		u      float64
		want   time.Duration
	}{
		{"first retry", plain, 0, 0, 5 * s},
		{"second retry", plain, 1, 0, 10 * s},
		{"third retry", plain, 2, 0, 20 * s},
		{"fourth retry, were there one", plain, 3, 0, 40 * s},
		{"the cap", plain, 4, 0, 60 * s},
		{"the cap holds for ever after", plain, 100, 0, 60 * s},
		{"a draw without jitter changes nothing", plain, 1, 0.9, 10 * s},

		{"the least jitter is none", backoff.Default(), 0, 0, 5 * s},
		{"half the jitter", backoff.Default(), 0, 0.5, 5500 * ms},
		{"half the jitter on the second retry", backoff.Default(), 1, 0.5, 11 * s},
		{"half the jitter on the third retry", backoff.Default(), 2, 0.5, 22 * s},
		{"the cap comes after the jitter", with(func(p *backoff.Policy) { p.Jitter, p.Max = 1, 12*s }), 1, 0.5, 12 * s},
		{"jitter below the cap is kept", with(func(p *backoff.Policy) { p.Jitter, p.Max = 1, 16*s }), 1, 0.5, 15 * s},

		{"a retry before the first is the first", plain, -1, 0, 5 * s},
		{"factor 1 is constant", with(func(p *backoff.Policy) { p.Factor = 1 }), 50, 0, 5 * s},
		{"factor 1.5", with(func(p *backoff.Policy) { p.Factor = 1.5 }), 2, 0, 11250 * ms},
		{"factor 10", with(func(p *backoff.Policy) { p.Factor = 10 }), 1, 0, 50 * s},
		{"no initial delay stays none", with(func(p *backoff.Policy) { p.Initial = 0 }), 3, 0.5, 0},
		{"the zero policy never waits", backoff.Policy{}, 3, 0.5, 0},
		{"initial equal to the cap", with(func(p *backoff.Policy) { p.Initial = 60 * s }), 0, 0, 60 * s},
	} {
		if got := c.policy.Delay(c.n, c.u); got != c.want {
			t.Errorf("%s: Delay(%d, %g) = %s, want %s", c.name, c.n, c.u, got, c.want)
		}
	}
}

// The required 5, 10 and 20 s are floors, and no delay is a fifth longer.
func TestJitterOnlyLengthens(t *testing.T) {
	p := backoff.Default()
	for n, floor := range []time.Duration{5 * s, 10 * s, 20 * s} {
		if got := p.Delay(n, 0); got != floor {
			t.Errorf("Delay(%d, 0) = %s, want the floor %s", n, got, floor)
		}
		if got, ceiling := p.Delay(n, almost), floor+floor/5; got <= floor || got > ceiling {
			t.Errorf("Delay(%d, almost 1) = %s, want more than %s and at most %s", n, got, floor, ceiling)
		}
	}
}

// No product of these is a number of nanoseconds any more.
func TestDelayDoesNotOverflow(t *testing.T) {
	for _, p := range []backoff.Policy{
		{Initial: time.Hour, Factor: 100, Max: forever, Jitter: 1},
		{Initial: forever, Factor: 100, Max: forever, Jitter: 1},
		{Initial: forever - 1, Factor: 1, Max: forever, Jitter: 1},
		{Initial: 1, Factor: 100, Max: forever},
	} {
		if got := p.Delay(100, almost); got != forever {
			t.Errorf("%+v: Delay(100, almost 1) = %s, want the cap %s", p, got, forever)
		}
	}
}

func TestAfterKeepsTheLongerOfBothWaits(t *testing.T) {
	p := backoff.Default()
	for _, c := range []struct {
		name       string
		n          int
		u          float64
		retryAfter time.Duration
		want       time.Duration
	}{
		{"the server asked for nothing", 0, 0, 0, 5 * s},
		{"the server asked for less", 1, 0, 3 * s, 10 * s},
		{"the server asked for more", 0, 0, 30 * s, 30 * s},
		{"jitter does not undercut it", 0, 0.5, 5600 * ms, 5600 * ms},
		{"jitter may exceed it", 0, 0.5, 5400 * ms, 5500 * ms},
		{"our cap does not undercut it", 9, 0.5, time.Hour, time.Hour},
	} {
		if got := p.After(c.n, c.u, c.retryAfter); got != c.want {
			t.Errorf("%s: After(%d, %g, %s) = %s, want %s", c.name, c.n, c.u, c.retryAfter, got, c.want)
		}
	}
}

func TestPauseDoublesUpToAMinute(t *testing.T) {
	want := []time.Duration{1 * s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s}
	for n, w := range want {
		if got := backoff.Pause(n); got != w {
			t.Errorf("Pause(%d) = %s, want %s", n, got, w)
		}
	}
	for n, w := range map[int]time.Duration{-1: s, math.MinInt: s, 63: backoff.MaxPause, math.MaxInt: backoff.MaxPause} {
		if got := backoff.Pause(n); got != w {
			t.Errorf("Pause(%d) = %s, want %s", n, got, w)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*backoff.Policy)
		want   string // "" for no error
	}{
		{"the default", func(*backoff.Policy) {}, ""},
		{"no retries", func(p *backoff.Policy) { p.MaxRetries = 0 }, ""},
		{"a hundred retries", func(p *backoff.Policy) { p.MaxRetries = 100 }, ""},
		{"a constant delay without jitter", func(p *backoff.Policy) { p.Factor, p.Jitter = 1, 0 }, ""},
		{"the greatest factor and jitter", func(p *backoff.Policy) { p.Factor, p.Jitter = 100, 1 }, ""},
		{"a cap equal to the first delay", func(p *backoff.Policy) { p.Max = p.Initial }, ""},
		{"no delay at all", func(p *backoff.Policy) { p.Initial, p.Max = 0, 0 }, ""},

		{"negative retries", func(p *backoff.Policy) { p.MaxRetries = -1 }, "max_retries is -1: use 0 to 100"},
		{"too many retries", func(p *backoff.Policy) { p.MaxRetries = 101 }, "max_retries is 101: use 0 to 100"},
		{"a negative delay", func(p *backoff.Policy) { p.Initial = -s }, "initial_delay is -1s: a delay cannot be negative"},
		{"a shrinking factor", func(p *backoff.Policy) { p.Factor = 0.5 }, "backoff_factor is 0.5: use 1 (constant) to 100"},
		{"an endless factor", func(p *backoff.Policy) { p.Factor = math.Inf(1) }, "backoff_factor is +Inf: use 1 (constant) to 100"},
		{"a factor that is no number", func(p *backoff.Policy) { p.Factor = math.NaN() }, "backoff_factor is NaN: use 1 (constant) to 100"},
		{"a cap below the first delay", func(p *backoff.Policy) { p.Max = 4 * s },
			"max_delay is 4s, less than initial_delay 5s: make it at least as long"},
		{"jitter that shortens", func(p *backoff.Policy) { p.Jitter = -0.1 }, "jitter is -0.1: use 0 to 1"},
		{"jitter beyond double", func(p *backoff.Policy) { p.Jitter = 1.1 }, "jitter is 1.1: use 0 to 1"},
		{"jitter that is no number", func(p *backoff.Policy) { p.Jitter = math.NaN() }, "jitter is NaN: use 0 to 1"},
	} {
		p := backoff.Default()
		c.change(&p)
		got := ""
		if err := p.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: Validate() says %q, want %q", c.name, got, c.want)
		}
	}
}

// Of several mistakes the first is named, in the order of the settings file.
func TestValidateNamesOneMistake(t *testing.T) {
	err := backoff.Policy{MaxRetries: -1, Initial: -1, Factor: -1, Max: -2, Jitter: -1}.Validate()
	if err == nil || !strings.HasPrefix(err.Error(), "max_retries") {
		t.Errorf("Validate() = %v, want the mistake in max_retries", err)
	}
}

func TestDelayAllocatesNothing(t *testing.T) {
	p, n := backoff.Default(), 0
	if got := testing.AllocsPerRun(100, func() { p.After(n%4, 0.5, s); n++ }); got != 0 {
		t.Errorf("one delay allocates %g times, want none", got)
	}
}

func BenchmarkDelay(b *testing.B) {
	p, n := backoff.Default(), 0
	b.ReportAllocs()
	for b.Loop() {
		p.Delay(n&3, 0.5)
		n++
	}
}
