package wiring

import (
	"context"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
)

// Standing is how things stand, for the sheet's Status.
type Standing struct {
	At       time.Time
	Circuits []breaker.Record // one for each service, in the order of the steps
	Parked   map[string]int   // calls that wait for a service's circuit
	Counts   []call.Count     // of all campaigns
}

// ReadStanding asks the stores how things stand at a moment.
func ReadStanding(ctx context.Context, circuits agent.Circuits, calls agent.Register, at time.Time) (s Standing, err error) {
	s.At = at
	for _, name := range agent.Services() {
		r, err := circuits.Load(ctx, name)
		if err != nil {
			return s, err
		}
		s.Circuits = append(s.Circuits, r)
	}
	if s.Parked, err = calls.ParkedFor(ctx); err != nil {
		return s, err
	}
	s.Counts, err = calls.Counts(ctx)
	return s, err
}
