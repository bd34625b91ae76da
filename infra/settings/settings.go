// Package settings reads callagent.toml, the environment and what lies above
// both, and gives everything that an agent is wired from.
//
// From the bottom: the built-in defaults, the file, then the layers that a
// caller lays over it (flags, a scenario). A table that is more special wins
// over a general one whatever layer it stands in: [services.twilio.retry] over
// [retry], [campaign.spring] over [campaign.default]. Keys and secrets of the
// providers come from environment variables alone.
//
// Every mistake is one sentence with file, line, key and remedy, and a value
// that may be secret or a phone number is never repeated in it.
package settings

import (
	"time"

	"callagent/core/alert"
	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
)

// DefaultCampaign is the campaign of contacts that name none. It always
// exists, and the others take from it what they leave out.
const DefaultCampaign = "default"

// Settings is the whole configuration. [Load] makes it; the zero value is of
// no use.
type Settings struct {
	Workers       int    // steps that run at once
	MaxInProgress int    // contacts started and neither ended nor parked; 0: no bound
	Store         string // "sqlite:PATH" or "aws"

	Services  map[string]Service       // by the names of ServiceNames, all of them
	Campaigns map[string]call.Campaign // by name; DefaultCampaign is among them
	Log       Log
	Alerts    Alerts
	Sheet     Sheet
	Providers Providers
}

// ServiceNames lists the services in the order of a call.
func ServiceNames() []string { return []string{"llm", "elevenlabs", "twilio", "crm"} }

// Service is how one external service is treated.
type Service struct {
	Retry   backoff.Policy
	Circuit breaker.Config // its Settle is 0: how exact counting is depends on the store
	Rate    float64        // requests per second of all processes together; 0: no bound
	AtOnce  int            // requests in flight in one process
	Timeout time.Duration  // limit of one request
}

// Log says where the journal's files are.
type Log struct {
	File         string // one JSON object a line; "" writes none
	ReadableFile string // for people; "" writes none
	MaxSizeMB    int    // a file that grows larger is set aside
	MaxFiles     int    // how many set aside are kept; 0: all
}

// Sheet says what the Google Sheet holds.
type Sheet struct {
	KeepRows int // events that stay in its Log, the newest
}

// builtIn is what holds where nobody says anything else.
func builtIn() Settings {
	return Settings{
		Workers:   8,
		Store:     "sqlite:callagent.db",
		Services:  map[string]Service{},
		Campaigns: map[string]call.Campaign{},
		Log:       Log{File: "app_logs.json", ReadableFile: "app.log", MaxSizeMB: 50, MaxFiles: 5},
		Sheet:     Sheet{KeepRows: 50_000},
		Alerts: Alerts{
			Email: Subscription{
				string(alert.CircuitOpened), string(alert.CircuitUnstable), string(alert.CircuitStillOpen), string(alert.CircuitClosed),
				string(alert.CallFailed), string(alert.RetriesExhausted), string(alert.CallUnknown),
			},
			Telegram: Subscription{alert.Critical.String(), string(alert.CircuitClosed)},
			Webhook:  Subscription{all},
		},
	}
}

// builtInService is the pace of a service; its policies are the general ones.
func builtInService(name string) Service {
	return map[string]Service{
		"llm":        {AtOnce: 8, Timeout: 30 * time.Second},
		"elevenlabs": {AtOnce: 4, Timeout: 30 * time.Second},
		"twilio":     {AtOnce: 4, Timeout: 15 * time.Second, Rate: 1},
		"crm":        {AtOnce: 4, Timeout: 10 * time.Second},
	}[name]
}

// builtInCampaign works for a list that says nothing but names and numbers.
func builtInCampaign() call.Campaign {
	return call.Campaign{
		Name:             DefaultCampaign,
		Prompt:           defaultPrompt,
		Language:         "en",
		MaxLength:        3 * time.Minute,
		RingTimeout:      30 * time.Second,
		MachineDetection: true,
		Window:           call.Window{From: 9 * 60, To: 20 * 60},
	}
}

const defaultPrompt = `You write what a friendly voice assistant says on the phone.
Greet the person by name if you know it, say that you are an automated assistant
and that the team only wanted to say hello, and wish them a good day.
Use at most four short sentences of plain spoken words: no lists, no symbols.
`
