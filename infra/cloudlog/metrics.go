package cloudlog

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"callagent/core/journal"
)

// dimension is what a metric is told apart by: the member of its line that
// holds the value. "" is nothing.
type dimension string

// The dimensions.
const (
	none     dimension = ""
	service  dimension = "service"
	channel  dimension = "channel" // an alert channel; entries have it as their service
	function dimension = "function"
)

// circuitOpen is 1 while a service's circuit is open and 0 while it is not.
const circuitOpen = "CircuitOpen"

// counter is a metric that counts events.
type counter struct {
	name string
	by   dimension
}

// counters says which events are counted as what. An event of several calls
// counts all of them.
var counters = map[string][]counter{
	"step_done":            {{"Attempts", service}},
	"request_failed":       {{"Attempts", service}, {"Faults", service}},
	"retries_spent":        {{"RetriesSpent", service}},
	"call_completed":       {{"CallsCompleted", none}},
	"call_failed":          {{"CallsFailed", none}},
	"call_unknown":         {{"CallsUnknown", none}},
	"call_expired":         {{"CallsExpired", none}},
	"call_parked":          {{"CallsParked", none}},
	"media_failed":         {{"CallsParked", none}},
	"calls_released":       {{"CallsReleased", none}},
	"message_rejected":     {{"MessagesRejected", none}},
	"setup_wrong":          {{"Broken", none}},
	"panicked":             {{"Broken", none}},
	"alert_sent":           {{"AlertsSent", channel}},
	"alert_failed":         {{"AlertsFailed", channel}},
	"alert_refused":        {{"AlertsFailed", channel}},
	"ledger_silent":        {{"StoresSilent", none}},
	"circuit_store_silent": {{"StoresSilent", none}},
	"queue_silent":         {{"StoresSilent", none}},
	"wake_failed":          {{"StoresSilent", none}},
}

// gauges says what events tell of a circuit: whether it is open.
var gauges = map[string]bool{
	"circuit_opened":        true,
	"circuit_reopened":      true,
	"circuit_closed":        false,
	"circuit_forced_open":   true,
	"circuit_forced_closed": false,
}

// group is the metrics that share a line, because their dimension has the same
// value.
type group struct {
	by    dimension
	value string
}

// metrics are the values of one invocation by group and name.
type metrics map[group]map[string]int

// count counts an entry.
func (m metrics) count(e journal.Entry) {
	for _, c := range counters[e.Event] {
		g := group{by: c.by}
		if c.by != none {
			g.value = e.Service
		}
		m.values(g)[c.name] += max(1, e.Count)
	}
	if open, told := gauges[e.Event]; told {
		m.gauge(e.Service, open)
	}
}

// gauge notes whether a circuit is open.
func (m metrics) gauge(name string, open bool) {
	value := 0
	if open {
		value = 1
	}
	m.values(group{by: service, value: name})[circuitOpen] = value
}

func (m metrics) values(g group) map[string]int {
	if m[g] == nil {
		m[g] = map[string]int{}
	}
	return m[g]
}

// lines writes the groups, each in a line of its own. No group can have more
// than a hundred metrics, the most that one line may hold.
func (m metrics) lines(namespace string, at time.Time) [][]byte {
	var lines [][]byte
	for _, g := range slices.SortedFunc(maps.Keys(m), func(a, b group) int { return cmp.Or(cmp.Compare(a.by, b.by), cmp.Compare(a.value, b.value)) }) {
		lines = append(lines, line(namespace, g, m[g], at))
	}
	return lines
}

// coldStart counts the first invocation of a process.
func coldStart(namespace, name string, at time.Time) []byte {
	return line(namespace, group{by: function, value: name}, map[string]int{"ColdStart": 1}, at)
}

// The parts of a line that CloudWatch reads.
type (
	metadata struct {
		Timestamp         int64 // ms since 1970
		CloudWatchMetrics []directive
	}
	directive struct {
		Namespace  string
		Dimensions [][]dimension
		Metrics    []definition
	}
	definition struct{ Name, Unit string }
)

// line writes one group in the embedded metric format. CloudWatch takes no
// dimension without a value, so the metrics of an unnamed group have none.
func line(namespace string, g group, values map[string]int, at time.Time) []byte {
	d := directive{Namespace: namespace, Dimensions: [][]dimension{{}}}
	root := map[string]any{}
	if g.value != "" {
		d.Dimensions[0] = []dimension{g.by}
		root[string(g.by)] = g.value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		d.Metrics = append(d.Metrics, definition{Name: name, Unit: unit(name)})
		root[name] = values[name]
	}
	root["_aws"] = metadata{Timestamp: at.UnixMilli(), CloudWatchMetrics: []directive{d}}
	b, _ := json.Marshal(root) // strings and numbers can always be written
	return append(b, '\n')
}

// unit is what a metric is measured in.
func unit(name string) string {
	if name == circuitOpen {
		return "None"
	}
	return "Count"
}
