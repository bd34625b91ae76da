package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// controls is the endpoint for those who are not in this process: reading what
// happened, and changing the faults.
func (s *Simulator) controls() http.Handler {
	mux := http.NewServeMux()
	show := func(path string, read func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			a := jsonAnswer(http.StatusOK, read())
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(append(a.body, '\n'))
		})
	}
	show("/health", func() any { return map[string]any{"status": "ok", "now": s.clock.Now()} })
	show("/report", func() any { return s.Report() })
	show("/requests", func() any { return s.Requests() })
	show("/rings", func() any { return s.Rings() })
	show("/calls", func() any { return s.Calls() })
	show("/sheet", func() any { return s.Tabs() })
	show("/messages", func() any {
		r := s.Report()
		return map[string]any{"telegram": r.Telegram, "email": r.Email, "webhooks": r.Webhooks}
	})
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		faults, err := readFaults(io.LimitReader(r.Body, maxBody))
		if err == nil {
			err = s.AddFaults(faults...)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// readFaults reads one fault or a list of them. Names are those of a scenario
// file, durations are strings with a unit.
func readFaults(r io.Reader) ([]Fault, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if body = bytes.TrimSpace(body); !bytes.HasPrefix(body, []byte("[")) {
		body = append(append([]byte("["), body...), ']')
	}
	var list []struct {
		Service    string  `json:"service"`
		From       length  `json:"from"`
		For        length  `json:"for"`
		Answer     string  `json:"answer"`
		Delay      length  `json:"delay"`
		Rate       float64 `json:"rate"`
		RetryAfter string  `json:"retry_after"`
		Code       string  `json:"code"`
		Route      string  `json:"route"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	faults := make([]Fault, len(list))
	for i, f := range list {
		faults[i] = Fault{Service: f.Service, From: time.Duration(f.From), For: time.Duration(f.For), Answer: f.Answer,
			Delay: time.Duration(f.Delay), Rate: f.Rate, RetryAfter: f.RetryAfter, Code: f.Code, Route: f.Route}
	}
	return faults, nil
}

// length is a duration that reads "5s".
type length time.Duration

func (l *length) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*l = length(d)
	return err
}
