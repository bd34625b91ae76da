//go:build integration

package dynamo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/fault"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/dynamo"
)

// crowd is how many processes meet at once, and runs how often they do.
const (
	crowd = 50
	runs  = 10
)

// patient is a time limit that no crowd on a small machine reaches: these tests
// are about who wins, not about when.
const patient = time.Minute

// process is one process of a fleet: the circuit as its agent uses it, over
// connections of its own.
type process struct {
	*agent.Circuit
	wire *wire
	name string
}

type silence struct{}

func (silence) Write(journal.Entry) {}

// fleetConfig is the policy of a fleet whose processes cache for a second.
func fleetConfig(threshold int) breaker.Config {
	c := breaker.DefaultConfig()
	c.Threshold, c.Settle = threshold, agent.CacheFor
	return c
}

// join starts a process that uses a service's circuit.
func join(url, table, service string, cfg breaker.Config, limit time.Duration) *process {
	p := &process{wire: &wire{}, name: rand.Text()}
	p.Circuit = agent.NewCircuit(service, cfg, agent.CircuitOptions{
		Store: dynamo.NewCircuits(clientAt(url, p.wire), table), Clock: &clock.Clock{},
		NewID: rand.Text, Journal: silence{}, Timeout: limit,
	})
	return p
}

// fleet starts a crowd on a circuit that nobody has used before.
func fleet(t *testing.T, table string, cfg breaker.Config) []*process {
	t.Helper()
	service, all := "service-"+rand.Text(), make([]*process, crowd)
	for i := range all {
		all[i] = join(endpoint(t), table, service, cfg, patient)
	}
	return all
}

// atOnce lets every process do something at the same moment.
func atOnce[P any](all []P, do func(p P)) {
	start := make(chan struct{})
	var done sync.WaitGroup
	for _, p := range all {
		done.Go(func() {
			<-start
			do(p)
		})
	}
	close(start)
	done.Wait()
}

// again does something ten times on one table.
func again(t *testing.T, do func(t *testing.T, table string)) {
	table := circuitsTable(t)
	for i := range runs {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) { do(t, table) })
	}
}

var unavailable = &fault.Fault{Kind: fault.ServiceUnavailable, Service: agent.ElevenLabs, Status: 503}

// fails is a request that fails now, with the permit it was given.
func (p *process) fails(ctx context.Context, permit breaker.Permit) breaker.Change {
	now := time.Now()
	_, change := p.Failed(ctx, agent.Attempt{Permit: permit, Fault: unavailable, Began: now, MayTrip: true}, now)
	return change
}

// newest is the record as it is stored now.
func newest(t *testing.T, p *process) breaker.Record {
	t.Helper()
	r, known := p.Look(t.Context(), time.Now())
	if !known {
		t.Fatal("the circuit cannot be read")
	}
	return r
}

func TestHalfOpenLetsOneOfFiftyThrough(t *testing.T) {
	again(t, func(t *testing.T, table string) {
		all := fleet(t, table, fleetConfig(3))
		all[0].Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
			r.State, r.Epoch, r.OpenUntil = breaker.Open, 1, time.Now().Add(-time.Second)
			return r, breaker.Noted
		})
		var leases, probes atomic.Int64
		atOnce(all, func(p *process) {
			r, change := p.Change(t.Context(), func(r breaker.Record) (breaker.Record, breaker.Change) {
				return breaker.TakeProbe(r, p.name, time.Second, time.Now())
			})
			permit, refusal := p.Admit(t.Context(), p.name, time.Second, time.Now())
			if change == breaker.Leased {
				leases.Add(1)
			}
			if refusal == breaker.None {
				probes.Add(1)
			}
			if won := r.Probe.Holder == p.name; won != permit.Probe || won != (change == breaker.Leased) {
				t.Errorf("%s got %s and %+v, %s; the holder is %s", p.name, change, permit, refusal, r.Probe.Holder)
			}
		})
		if leases.Load() != 1 || probes.Load() != 1 {
			t.Errorf("%d leases and %d requests, want one", leases.Load(), probes.Load())
		}
	})
}

func TestOneOfFiftyFailuresTripsAndTheOthersStop(t *testing.T) {
	const threshold = 3
	again(t, func(t *testing.T, table string) {
		all := fleet(t, table, fleetConfig(threshold))
		var trips atomic.Int64
		atOnce(all, func(p *process) {
			if p.fails(t.Context(), breaker.Permit{}) == breaker.Tripped {
				trips.Add(1)
			}
		})
		most := 0
		for _, p := range all {
			reads, writes := p.wire.counted()
			most = max(most, reads+writes)
		}
		if r := newest(t, all[0]); trips.Load() != 1 || r.State != breaker.Open || r.Epoch != 1 {
			t.Errorf("%d trips, then %+v", trips.Load(), r)
		}
		if most > threshold+3 {
			t.Errorf("somebody needed %d operations, want at most %d", most, threshold+3)
		}
	})
}

func TestFiftyOfFiftyFailuresAreCounted(t *testing.T) {
	again(t, func(t *testing.T, table string) {
		all := fleet(t, table, fleetConfig(1000))
		atOnce(all, func(p *process) { p.fails(t.Context(), breaker.Permit{}) })
		if r := newest(t, all[0]); r.Streak != crowd || r.State != breaker.Closed {
			t.Errorf("%d of %d are counted, the circuit is %s", r.Streak, crowd, r.State)
		}
	})
}

func TestASlowSuccessFromBeforeTheTripChangesNothing(t *testing.T) {
	again(t, func(t *testing.T, table string) {
		all := fleet(t, table, fleetConfig(3))
		permits := map[*process]breaker.Permit{}
		for _, p := range all {
			permits[p], _ = p.Admit(t.Context(), p.name, time.Second, time.Now())
		}
		trip(t, all[0])
		tripped := newest(t, all[0])
		atOnce(all, func(p *process) {
			if change := p.Succeeded(t.Context(), permits[p], time.Now()); change.Writes() {
				t.Errorf("a success from before the trip did this: %s", change)
			}
		})
		if r := newest(t, all[0]); r.Version != tripped.Version || r.State != breaker.Open {
			t.Errorf("the circuit is now %+v, was %+v", r, tripped)
		}
	})
}

// trip opens a circuit by failures.
func trip(t *testing.T, p *process) {
	t.Helper()
	for range 5 {
		permit, _ := p.Admit(t.Context(), p.name, time.Second, time.Now())
		if p.fails(t.Context(), permit) == breaker.Tripped {
			return
		}
	}
	t.Fatalf("five failures did not trip the circuit: %+v", p.Seen())
}

// The write arrives and its answer does not: the nonce says whose it was.
func TestAWriteWhoseAnswerWasLostIsOnesOwn(t *testing.T) {
	table := circuitsTable(t)
	p := join(endpoint(t), table, agent.ElevenLabs, fleetConfig(1), patient)
	p.wire.trip = func(op string, r *http.Request) (*http.Response, error) {
		res, err := connections.RoundTrip(r)
		if op == "PutItem" && err == nil {
			res.Body.Close()
			return nil, errors.New("the answer is lost")
		}
		return res, err
	}
	for want := 1; want <= 3; want++ {
		p.fails(t.Context(), breaker.Permit{})
		if reads, writes := p.wire.counted(); writes != 1 || reads > 2 {
			t.Errorf("%d reads and %d writes", reads, writes)
		}
		if r := newest(t, p); r.Streak != want {
			t.Errorf("a streak of %d after %d failures", r.Streak, want)
		}
	}
}

func TestWithoutDynamoDBACallProceedsWithinTheTimeLimit(t *testing.T) {
	const slack = 50 * time.Millisecond // for a machine that does other things too
	for name, url := range map[string]string{"refuses": refusing(t), "never answers": mute(t)} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			for range runs {
				p := join(url, "circuits", agent.ElevenLabs, fleetConfig(3), 0)
				began := time.Now()
				permit, refusal := p.Admit(t.Context(), p.name, time.Second, began)
				if took := time.Since(began); took > agent.StoreTimeout+slack {
					t.Errorf("the call waited %s", took)
				}
				if refusal != breaker.None || !permit.Unowned {
					t.Errorf("%+v, %s", permit, refusal)
				}
				if reads, writes := p.wire.counted(); reads != 1 || writes != 0 {
					t.Errorf("%d reads and %d writes, want one try", reads, writes)
				}
			}
		})
	}
}

// refusing is the address of nobody.
func refusing(t *testing.T) string {
	l := listen(t)
	defer l.Close()
	return "http://" + l.Addr().String()
}

// mute is the address of a server that takes connections and never answers.
func mute(t *testing.T) string {
	l := listen(t)
	var taken []net.Conn
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			taken = append(taken, c)
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
		for _, c := range taken {
			c.Close()
		}
	})
	return "http://" + l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
