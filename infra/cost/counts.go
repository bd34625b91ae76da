// Package cost says what campaigns and outages cost in AWS: operations that
// were counted, times that are assumed, and the prices of a day.
//
// It does no I/O. The counts stand in counts.json, which `make cost` measures
// anew with the functions' own code, and which a test compares with them.
// The providers' prices are no part of it.
package cost

import (
	_ "embed"
	"encoding/json"
	"time"
)

//go:embed counts.json
var counted []byte

// Counts is what the things that happen in the stack use, each once.
type Counts struct {
	// Enqueued is a contact on its way onto the queue.
	Enqueued Counted `json:"enqueued"`
	// Contact is one contact from its first message to its record in the CRM.
	// Its end is reported before anybody looks at it.
	Contact Counted `json:"contact"`
	// Look is a look at the outcome of a call that has not ended.
	Look Counted `json:"look"`
	// Opening is the contacts that it takes to open the circuit, from their first
	// messages through the outage to their records in the CRM.
	Opening Counted `json:"opening"`
	// SetAside is a contact that comes while the circuit is open.
	SetAside Counted `json:"set_aside"`
	// Resumed is a contact that was set aside, from its release to its record in
	// the CRM, with its share of the ticks that close the circuit and release.
	Resumed Counted `json:"resumed"`
	// TickIdle is a tick of the schedule when there is nothing to do.
	TickIdle Counted `json:"tick_idle"`
	// TickOutage is one while a circuit is open: it tests the service and calls
	// for the ticks until the next one.
	TickOutage Counted `json:"tick_outage"`
	// TickProbe is a tick that was called for and tests the service in vain.
	TickProbe Counted `json:"tick_probe"`
	// TickEarly is a tick that was called for before a test is due.
	TickEarly Counted `json:"tick_early"`
	// Alert is an alert that is told by email, Telegram and webhook.
	Alert Counted `json:"alert"`
	// CountedCall is the read units of counting a call that is in the ledger.
	CountedCall float64 `json:"read_units_to_count_a_call"`
}

// Counted is what one thing that happens uses.
type Counted struct {
	Functions  map[string]Work `json:"functions,omitempty"` // by their names
	WriteUnits float64         `json:"write_units"`         // of DynamoDB, indexes included, transactions twice
	ReadUnits  float64         `json:"read_units"`
	Queue      float64         `json:"sqs_requests"` // of the functions and of Lambda itself, which receives and removes
	S3Writes   float64         `json:"s3_writes"`
	S3Reads    float64         `json:"s3_reads"`
	LogBytes   float64         `json:"log_bytes"` // the functions' own
}

// Row is a count with its meaning.
type Row struct {
	Says string
	Counted
}

// Rows are all counts, in the order of what happens.
func (c Counts) Rows() []Row {
	return []Row{
		{"a contact is enqueued", c.Enqueued},
		{"a contact is called", c.Contact},
		{"a look at a call that has not ended", c.Look},
		{"three contacts open the circuit, and are called later", c.Opening},
		{"a contact is set aside", c.SetAside},
		{"a contact that was set aside is released and called", c.Resumed},
		{"a scheduled tick, nothing to do", c.TickIdle},
		{"a scheduled tick in an outage", c.TickOutage},
		{"a tick that tests a service in vain", c.TickProbe},
		{"a tick before a test is due", c.TickEarly},
		{"an alert is told on three channels", c.Alert},
	}
}

// Work is the runs of one function, and what they wait for.
type Work struct {
	Runs      float64            `json:"runs"`
	AWS       float64            `json:"aws_requests"`
	Providers map[string]float64 `json:"provider_requests,omitempty"` // by service
}

// Measured are the counts of this version of the program.
func Measured() Counts {
	var c Counts
	if err := json.Unmarshal(counted, &c); err != nil {
		panic("cost: counts.json: " + err.Error()) // a test reads it
	}
	return c
}

// What is assumed, because no emulator can show it.
const (
	AWSTime      = 10 * time.Millisecond // of a request to AWS, one after the other
	WriterTime   = 3 * time.Second       // of a script
	SpeakerTime  = 2 * time.Second       // of a recording, and of a health check that makes one
	ProviderTime = time.Second / 2       // of any other request to a provider
	LambdaLog    = 350                   // bytes that Lambda itself logs for each run
	Recording    = 0.4e-3                // GB of an MP3 of 25 s
	KeptMonths   = 3                     // for which a recording is kept
	Looks        = 2                     // at a call that takes 40 s: one after 15 s, one after 30 s
)

// Memory is the memory of each function in MB, as template.yaml says.
var Memory = map[string]float64{"call": 256, "healthcheck": 256, "callback": 256, "alert": 128}

// Runs is the runs of all functions, and how long they take together by what
// is assumed.
func (c Counted) Runs() (runs float64, took time.Duration) {
	for _, w := range c.Functions {
		runs, took = runs+w.Runs, took+w.time()
	}
	return runs, took
}

// usage is what AWS charges for.
func (c Counted) usage() Usage {
	u := Usage{WriteUnits: c.WriteUnits, ReadUnits: c.ReadUnits, QueueRequests: c.Queue,
		ObjectWrites: c.S3Writes, ObjectReads: c.S3Reads, LogBytes: c.LogBytes / 1e9}
	for name, w := range c.Functions {
		u[LambdaRuns] += w.Runs
		u[LambdaTime] += w.time().Seconds() * Memory[name] / 1024
		u[LogBytes] += w.Runs * LambdaLog / 1e9
	}
	return u
}

// time is how long all the runs take.
func (w Work) time() time.Duration {
	total := w.AWS * float64(AWSTime)
	for service, n := range w.Providers {
		total += n * float64(timeOf(service))
	}
	return time.Duration(total)
}

func timeOf(service string) time.Duration {
	switch service {
	case "llm":
		return WriterTime
	case "elevenlabs":
		return SpeakerTime
	}
	return ProviderTime
}
