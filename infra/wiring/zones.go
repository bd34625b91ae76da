package wiring

import (
	"time"
	_ "time/tzdata" // Lambda's own image has no time zones

	"github.com/nyaruka/phonenumbers"

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
	names, err := phonenumbers.GetTimezonesForPrefix(c.Phone)
	if err != nil {
		return nil
	}
	var zones []*time.Location
	for _, name := range names {
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
