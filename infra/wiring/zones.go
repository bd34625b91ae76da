package wiring

import (
	_ "embed"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // Lambda's own image has no time zones

	"callagent/core/call"
)

// zonesOf gives the zones that a contact may be in: its own if it names one,
// else those of its number.
func zonesOf(c call.Contact) []*time.Location {
	if c.TimeZone != "" {
		if z, err := time.LoadLocation(c.TimeZone); err == nil {
			return []*time.Location{z}
		}
	}
	var zones []*time.Location
	for _, name := range zonesOfNumber(c.Phone) {
		if z, err := time.LoadLocation(name); err == nil {
			zones = append(zones, z)
		}
	}
	return zones
}

func validZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "Local"
}

// zoneTable has a line for each prefix of phone numbers, without the +, whose
// zones are not those of the prefix before it. It is made from the phonenumbers
// library (go test ./infra/wiring -update), which is left out of the functions
// because it reads all numbering plans of the world when a process starts.
//
//go:embed zones.txt
var zoneTable string

// zonesByPrefix reads the table when it is first needed.
var zonesByPrefix = sync.OnceValue(func() map[string][]string {
	zones := map[string][]string{}
	for line := range strings.Lines(zoneTable) {
		words := strings.Fields(line)
		zones[words[0]] = words[1:]
	}
	return zones
})

// longestPrefix is the length of the longest prefix in the table.
const longestPrefix = 8

// zonesOfNumber names the zones of the longest known prefix of a number in
// E.164; none for a number of nowhere.
func zonesOfNumber(phone string) []string {
	digits, zones := strings.TrimPrefix(phone, "+"), zonesByPrefix()
	for n := min(len(digits), longestPrefix); n > 0; n-- {
		if names, known := zones[digits[:n]]; known {
			return names
		}
	}
	return nil
}
