package main

import (
	"time"

	"callagent/bench/explore/circuit"
	"callagent/bench/explore/protocol"
	"callagent/bench/explore/search"
	"callagent/core/breaker"
)

// model is one configuration, whatever its states are.
type model struct {
	name    string
	bounds  string
	explore func(search.Bounds) search.Result
}

// models lists the configurations. With more above 0 their bounds are wider by
// so many requests or deviations, below 0 narrower.
func models(more int) []model {
	var all []model
	for _, m := range circuits() {
		m.Budget.Requests = uint8(int(m.Budget.Requests) + more)
		all = append(all, model{m.Name, m.String(), func(b search.Bounds) search.Result {
			if b.Depth == 0 {
				b.Depth = m.Depth
			}
			return search.Run(m, b)
		}})
	}
	for _, m := range protocols() {
		m.Deviate = uint8(int(m.Deviate) + more)
		all = append(all, model{m.Name, m.String(), func(b search.Bounds) search.Result { return search.Run(m, b) }})
	}
	return all
}

// circuits are the configurations of the circuit: two failures open it, so that
// few requests show all that it does.
func circuits() []*circuit.Model {
	const (
		success, first, retry, contact = circuit.Success, circuit.First, circuit.Retry, circuit.Contact
		account, throttle, cancel      = circuit.Account, circuit.Throttle, circuit.Cancel
	)
	type ends = []circuit.Outcome
	config := breaker.Config{Threshold: circuit.Threshold, Recovery: 10 * time.Second, Interval: 5 * time.Second, Settle: time.Second}
	all := []*circuit.Model{
		{Name: "count", Outcomes: ends{success, first}, Cheap: ends{success}, Budget: circuit.Budget{Requests: 4}},
		{Name: "probe", Open: true, Outcomes: ends{success, first, contact}, Cheap: ends{success, first}, Budget: circuit.Budget{Requests: 3, Crashes: 1}},
		{Name: "faults", Outcomes: ends{success, first, retry, contact, account, throttle, cancel}, Cheap: ends{success}, Budget: circuit.Budget{Requests: 3}},
		{Name: "lost", Outcomes: ends{success, first}, Cheap: ends{success}, Budget: circuit.Budget{Requests: 2, Lost: 2}},
		{Name: "operator", Open: true, Outcomes: ends{success}, Cheap: ends{success}, Budget: circuit.Budget{Requests: 2, Operator: 2}, Depth: 20},
		{Name: "skew", Open: true, Clocks: []time.Duration{breaker.Skew}, Outcomes: ends{success, first}, Cheap: ends{success, first}, Budget: circuit.Budget{Requests: 2}},
	}
	for _, m := range all {
		m.Config, m.Limit = config, time.Second
	}
	return all
}

// protocols are the configurations of the call protocol.
func protocols() []*protocol.Model {
	const horizon = 20 * time.Minute
	unsure := []protocol.Deviation{protocol.Crash, protocol.LostReply, protocol.NotSent, protocol.Ambiguous}
	return []*protocol.Model{
		{Name: "one", Calls: protocol.One(), Workers: 3, CRM: true, Deviate: 2, Horizon: horizon},
		{Name: "two", Calls: protocol.Two(), Workers: 3, CRM: true, Callbacks: true, Deviate: 1, Horizon: horizon},
		{Name: "callback", Calls: protocol.Two(), Workers: 2, Callbacks: true, Stagger: 40 * time.Second, Deviate: 2, Only: unsure, Horizon: horizon},
		{Name: "twins", Calls: protocol.Twins(), Workers: 3, Deviate: 1, Horizon: horizon},
		{Name: "outage", Calls: protocol.Strangers(), Workers: 2, Outage: true, Deviate: 1, Horizon: time.Minute},
		{Name: "expiry", Calls: protocol.One(), Workers: 2, Expires: true, Deviate: 2, Horizon: horizon},
		{Name: "skewed", Calls: protocol.One(), Workers: 2, Skew: breaker.Skew, Deviate: 2, Horizon: horizon},
	}
}
