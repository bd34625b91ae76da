package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"callagent/core/agent"
	"callagent/core/breaker"
)

const loadCircuit = "SELECT body FROM circuits WHERE service = ?"

// Load reads a record.
func (s *Store) Load(ctx context.Context, service string) (breaker.Record, error) {
	var body []byte
	if _, err := s.read.row(ctx, loadCircuit, []any{service}, &body); err != nil {
		return breaker.Record{}, err
	}
	return decodeCircuit(service, body)
}

// Swap stores r over the version that it was read with.
func (s *Store) Swap(ctx context.Context, r breaker.Record) (breaker.Record, error) {
	service, version := r.Service, r.Version
	r = r.UTC()
	r.Version++
	body, err := json.Marshal(r)
	if err != nil {
		return breaker.Record{}, failed(err)
	}
	stored, won := body, false
	err = s.change(ctx, func(t *tx) error {
		var err error
		if won, err = t.swap(service, version, body); err != nil || won {
			return err
		}
		stored = nil
		_, err = t.row(loadCircuit, []any{service}, &stored)
		return err
	})
	if err != nil {
		return breaker.Record{}, err
	}
	if r, err = decodeCircuit(service, stored); err == nil && !won {
		err = agent.ErrConflict
	}
	return r, err
}

// swap reports whether the version was the stored one and the body is stored.
func (t *tx) swap(service string, version int64, body []byte) (bool, error) {
	if version == 0 {
		return t.changed("INSERT INTO circuits (service, version, body) VALUES (?, 1, ?) ON CONFLICT DO NOTHING", service, body)
	}
	return t.changed("UPDATE circuits SET version = ?, body = ? WHERE service = ? AND version = ?", version+1, body, service, version)
}

// decodeCircuit reads a record; no body is a service without one.
func decodeCircuit(service string, body []byte) (breaker.Record, error) {
	if body == nil {
		return breaker.Record{Service: service}, nil
	}
	var r breaker.Record
	err := json.Unmarshal(body, &r)
	return r, failed(err)
}

// Slot reserves the next free moment of the service.
func (s *Store) Slot(ctx context.Context, service string, every time.Duration, now time.Time) (time.Time, error) {
	var slot int64
	err := s.change(ctx, func(t *tx) error {
		_, err := t.row(`INSERT INTO pace (service, last) VALUES (?1, ?2)
			ON CONFLICT DO UPDATE SET last = max(last + ?3, ?2) RETURNING last`,
			[]any{service, now.UnixNano(), int64(every)}, &slot)
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, slot).UTC(), nil
}
