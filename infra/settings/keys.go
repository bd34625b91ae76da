package settings

import (
	"maps"
	"slices"

	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
)

// entry is one key and the place that it fills. The lists of entries below are
// the only place where keys have names: reading, checking and printing all go
// through them.
type entry struct {
	path []string
	value
}

// table makes the entries of one table; pairs alternate a name and a value.
func table(path []string, pairs ...any) []entry {
	entries := make([]entry, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		entries = append(entries, entry{append(slices.Clone(path), pairs[i].(string)), pairs[i+1].(value)})
	}
	return entries
}

func (s *Settings) general() []entry {
	return slices.Concat(
		table(nil,
			"workers", integer{to: &s.Workers, least: 1},
			"max_in_progress", integer{to: &s.MaxInProgress},
			"store", text{&s.Store, checkStore}),
		table([]string{"log"},
			"file", text{to: &s.Log.File},
			"readable_file", text{to: &s.Log.ReadableFile},
			"max_size_mb", integer{to: &s.Log.MaxSizeMB, least: 1},
			"max_files", integer{to: &s.Log.MaxFiles}),
		table([]string{"alerts"},
			"email", subscription{&s.Alerts.Email},
			"telegram", subscription{&s.Alerts.Telegram},
			"webhook", subscription{&s.Alerts.Webhook}),
		table([]string{"sheet"},
			"keep_rows", integer{to: &s.Sheet.KeepRows, least: fewestRows, most: mostRows}),
	)
}

// policies are the three tables that exist in general and for each service.
func policies(path []string, p *backoff.Policy, c *breaker.Config) []entry {
	at := func(name string) []string { return append(slices.Clone(path), name) }
	return slices.Concat(
		table(at("retry"),
			"max_retries", integer{to: &p.MaxRetries},
			"initial_delay", span{to: &p.Initial},
			"backoff_factor", number{&p.Factor},
			"max_delay", span{to: &p.Max},
			"jitter", number{&p.Jitter}),
		table(at("circuit_breaker"),
			"failure_threshold", integer{to: &c.Threshold},
			"recovery_timeout", span{to: &c.Recovery}),
		table(at("health_check"),
			"interval", span{to: &c.Interval}),
	)
}

func serviceEntries(name string, s *Service) []entry {
	path := []string{"services", name}
	return slices.Concat(
		table(path,
			"rate", number{&s.Rate},
			"at_once", integer{to: &s.AtOnce, least: 1},
			"timeout", span{to: &s.Timeout, least: shortestTimeout}),
		policies(path, &s.Retry, &s.Circuit))
}

func campaignEntries(name string, c *call.Campaign) []entry {
	return table([]string{"campaign", name},
		"prompt", text{&c.Prompt, checkPrompt},
		"voice", text{to: &c.Voice},
		"from", phone{&c.From},
		"language", text{&c.Language, checkLanguage},
		"max_seconds", seconds{&c.MaxLength, longestCall},
		"ring_timeout", span{&c.RingTimeout, shortestRing, longestRing},
		"machine_detection", flag{&c.MachineDetection},
		"call_window", window{&c.Window},
		"expires_after", span{to: &c.ExpiresAfter})
}

// entries lists everything that is in force, for printing: what it points to
// are copies.
func (s Settings) entries() []entry {
	list := s.general()
	for _, name := range ServiceNames() {
		service := s.Services[name]
		list = append(list, serviceEntries(name, &service)...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Campaigns)) {
		campaign := s.Campaigns[name]
		list = append(list, campaignEntries(name, &campaign)...)
	}
	return list
}
