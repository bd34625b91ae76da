//go:build integration

package cloud

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/cost"
	"callagent/infra/dynamo/metertest"
	"callagent/infra/sqs"
	"callagent/localstack/simulator"
)

// forgotten is longer than a circuit is remembered. Providers take so long, as
// they do in life, so that each look at a circuit is a read. Twilio does not,
// and its reports come so much later that none overtakes its answer.
const forgotten = agent.CacheFor + 200*time.Millisecond

// stuck is a number whose call never leaves Twilio's queue.
const stuck = "+15005550999"

// counting plays Lambda for the functions, an event at a time, and counts what
// they use.
type counting struct {
	*stack
	processes map[string]*Process
	observer  *set // whose requests are not counted
	meters    map[string]*metertest.Meter
	runs      map[string]float64
	callbacks *atomic.Int64
	lambda    float64 // requests of Lambda itself to SQS
	requests  int     // of the providers' log that are counted
	logged    int     // bytes of the log that are counted
	scanned   float64 // read units of scans, which depend on what is in the table
	sent      int     // contacts
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	s := newStackWith(t, simulator.Config{Numbers: map[string]string{stuck: "stuck"}})
	c := &counting{stack: s, processes: map[string]*Process{}, meters: map[string]*metertest.Meter{}, runs: map[string]float64{}}
	delete(s.env, "JOURNAL_QUEUE_URL") // as in a stack without a sheet
	c.callbacks = s.callbacks(c.start("callback"), forgotten)
	for _, function := range []string{"call", "healthcheck", "alert"} {
		c.start(function)
	}
	c.observer = c.parts(c.process("observer"))
	c.fails()
	return c
}

// start starts a process of a function whose requests to AWS are counted.
func (c *counting) start(function string) *Process {
	p, m := c.process(function), &metertest.Meter{}
	found := inFunction(p.env)
	found.APIOptions = append(found.APIOptions, m.Observe)
	p.clients = connect(found)
	c.processes[function], c.meters[function] = p, m
	return p
}

// slow makes providers take their time.
func (c *counting) slow() []simulator.Fault {
	var all []simulator.Fault
	for _, service := range []string{agent.LLM, agent.ElevenLabs, agent.CRMService} {
		all = append(all, simulator.Fault{Service: service, Answer: "slow", Delay: forgotten})
	}
	return all
}

// next sends contacts that were not called before.
func (c *counting) next(n int) {
	c.t.Helper()
	for range n {
		c.sent++
		c.stack.send(contactBody(c.sent))
	}
}

// pump gives a function each message of its queue in a run of its own, until
// done reports that all is done.
func (c *counting) pump(function, variable string, work func(context.Context, []agent.Message) []bool, done func() bool) {
	c.t.Helper()
	for end := time.Now().Add(5 * time.Minute); !done(); {
		if time.Now().After(end) {
			c.t.Fatalf("it is not done after 5 minutes:\n%s", c.log.text())
		}
		messages, raw := c.messages(variable)
		for i, m := range messages {
			c.runs[function]++
			c.lambda++ // received
			if !work(c.t.Context(), []agent.Message{m})[0] {
				c.lambda++ // removed
				c.must(c.clients.sqs.DeleteMessage(c.t.Context(), &awssqs.DeleteMessageInput{QueueUrl: aws.String(c.env[variable]), ReceiptHandle: raw[i].ReceiptHandle}))
			}
		}
		if len(messages) == 0 {
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// work pumps the contacts queue.
func (c *counting) work(done func() bool) {
	c.t.Helper()
	c.pump("call", "CONTACTS_QUEUE_URL", c.processes["call"].Work, done)
}

// over reports whether nobody has to look at any contact any more.
func (c *counting) over() bool {
	depth, err := c.observer.contacts.Depth(c.t.Context())
	c.must(depth, err)
	return depth == sqs.Depth{} && c.completed() == c.sent
}

// completed is how many calls are.
func (c *counting) completed() int {
	counts, err := c.observer.calls.Counts(c.t.Context())
	c.must(counts, err)
	n := 0
	for _, one := range counts {
		if one.State == call.Completed {
			n += one.Calls
		}
	}
	return n
}

// tick runs a tick; one that was called for is a message.
func (c *counting) tick(scheduled bool) {
	c.t.Helper()
	c.runs["healthcheck"]++
	if !scheduled {
		c.lambda += 2 // received and removed
	}
	c.must(nil, c.processes["healthcheck"].Tick(c.t.Context(), scheduled))
}

// speaker is the circuit of the service that fails in these counts.
func (c *counting) speaker() breaker.Record {
	r, err := c.observer.circuits.Load(c.t.Context(), agent.ElevenLabs)
	c.must(r, err)
	return r
}

// untilDue waits until the service may be tested.
func (c *counting) untilDue() { time.Sleep(time.Until(c.speaker().OpenUntil) + 100*time.Millisecond) }

// taken gives what was used since the last time, for each of n. The function
// named here is the one that spoke to the providers.
func (c *counting) taken(n float64, speaks string) cost.Counted {
	c.t.Helper()
	u := cost.Counted{Functions: map[string]cost.Work{}, Queue: c.lambda}
	c.runs["callback"] = float64(c.callbacks.Swap(0))
	for function, m := range c.meters {
		ops := m.Take()
		for _, op := range ops {
			c.add(&u, op)
		}
		w := cost.Work{Runs: each(c.runs[function], n), AWS: each(float64(len(ops)), n)}
		if function == speaks {
			w.Providers = c.asked(n)
		}
		if w.Runs > 0 {
			u.Functions[function] = w
		}
	}
	log := len(c.log.text())
	u.LogBytes = float64(log - c.logged)
	c.logged, c.lambda, c.runs = log, 0, map[string]float64{}
	for _, all := range []*float64{&u.WriteUnits, &u.ReadUnits, &u.Queue, &u.S3Writes, &u.S3Reads, &u.LogBytes} {
		*all = each(*all, n)
	}
	return u
}

// each is one share of n, to three places.
func each(all, n float64) float64 { return math.Round(all/n*1000) / 1000 }

// add adds an operation. Scans stand apart: what they read depends on how much
// is in the table.
func (c *counting) add(u *cost.Counted, op metertest.Operation) {
	switch {
	case op.Name == "Scan":
		c.scanned += op.Read
	case op.Service == "SQS":
		u.Queue++
	case op.Name == "PutObject":
		u.S3Writes++
	case op.Service == "S3":
		u.S3Reads++
	default:
		u.WriteUnits, u.ReadUnits = u.WriteUnits+op.Write, u.ReadUnits+op.Read
	}
}

// asked counts the requests to each provider since the last time, for each of n.
func (c *counting) asked(n float64) map[string]float64 {
	all, by := c.sim.Requests(), map[string]float64{}
	for _, r := range all[c.requests:] {
		by[r.Service]++
	}
	for service := range by {
		by[service] = each(by[service], n)
	}
	c.requests = len(all)
	return by
}

// forget leaves out what was used since the last time.
func (c *counting) forget() { c.taken(1, ""); c.asked(1) }
