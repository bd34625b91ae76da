package dynamo

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"callagent/core/breaker"
	"callagent/core/fault"
)

// oneUnit is the largest item, in bytes, whose write costs one unit.
const oneUnit = 1024

// States and overrides stand in the item as words, because people look at it.
var (
	stateWords  = []string{breaker.Closed.String(), breaker.Open.String(), breaker.HalfOpen.String()}
	forcedWords = []string{breaker.Automatic: "", breaker.ForcedOpen: "open", breaker.ForcedClosed: "closed"}
)

// encodeCircuit makes the item of a record: its JSON, field by field, with
// words for numbers that mean one. The fault's texts are cut to what one write
// unit has room for.
func encodeCircuit(r breaker.Record) (item, error) {
	r = r.UTC()
	i, err := circuitItem(r)
	if over := sizeOf(i) - oneUnit; err == nil && over > 0 && r.LastFault != nil {
		r.LastFault = shorter(*r.LastFault, over)
		i, err = circuitItem(r)
	}
	return i, err
}

func circuitItem(r breaker.Record) (item, error) {
	i, err := attributes(r)
	if err != nil {
		return nil, err
	}
	i["state"] = text(stateWords[r.State])
	if r.Forced != breaker.Automatic {
		i["forced"] = text(forcedWords[r.Forced])
	}
	for name, v := range circuitKey(r.Service) {
		i[name] = v
	}
	return i, nil
}

// shorter cuts a fault's texts by so many bytes, or as far as they go. The
// message goes first, because nothing is decided by it.
func shorter(f fault.Fault, over int) *fault.Fault {
	for _, t := range []*string{&f.Message, &f.Code} {
		was := len(*t)
		*t = first(*t, max(0, was-over))
		over -= was - len(*t)
	}
	return &f
}

// first is as much of a text as fits into so many bytes.
func first(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// decodeCircuit reads a record; no item is a service without one.
func decodeCircuit(service string, i item) (breaker.Record, error) {
	if len(i) == 0 {
		return breaker.Record{Service: service}, nil
	}
	state, forced := slices.Index(stateWords, textOf(i["state"])), slices.Index(forcedWords, textOf(i["forced"]))
	if state < 0 || forced < 0 {
		return breaker.Record{}, fmt.Errorf("dynamodb: the circuit of %s is in no known state: %q, forced %q", service, textOf(i["state"]), textOf(i["forced"]))
	}
	fields := fieldsOf(i)
	delete(fields, "state")
	delete(fields, "forced")
	var r breaker.Record
	body, err := json.Marshal(fields)
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		return breaker.Record{}, failed("read the circuit of "+service, err)
	}
	r.State, r.Forced = breaker.State(state), breaker.Forced(forced)
	return r, nil
}
