package agent_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"callagent/core/breaker"
)

var rewrite = flag.Bool("rewrite", false, "write what the stories in testdata really tell; read the difference before keeping it")

// A file in testdata is one story. Commands stand at the margin, what the
// world shows stands indented under them, and lines with "# " are remarks:
//
//	contacts 4                        four contacts are on the queue
//	at most 1                         in progress at once
//	elevenlabs fails 503 for 40s      all its requests from now on
//	elevenlabs fails 503 2 times      or so many
//	c-002 fails 422 at elevenlabs     all its requests
//	run 30s                           what the journal says meanwhile
//	requests elevenlabs               what arrived there so far
//	calls                             how each call stands
//	circuit elevenlabs                its record
//	alerts                            what people were told
type story struct {
	w    *world
	seen int // journal entries already shown
}

const indent = "    "

// TestStories plays every file.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
			s := story{w: newWorld(t)}
			var got []string
			for _, line := range want {
				if strings.HasPrefix(line, indent) {
					continue
				}
				got = append(got, line)
				if line == "" || strings.HasPrefix(line, "# ") {
					continue
				}
				for _, answer := range s.play(strings.Fields(line)) {
					got = append(got, indent+answer)
				}
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			diff(t, file, got, want)
		})
	}
}

// play does one command.
func (s *story) play(f []string) []string {
	s.w.t.Helper()
	switch {
	case f[0] == "contacts":
		s.w.enqueue(s.number(f[1]))
	case f[0] == "at":
		s.w.atMost = s.number(f[2])
	case len(f) > 2 && f[1] == "fails":
		s.fails(f)
	case f[0] == "run":
		s.w.run(s.duration(f[1]))
		return s.journal()
	case f[0] == "requests":
		var lines []string
		for _, r := range s.w.services.sent(f[1], "") {
			lines = append(lines, fmt.Sprintf("%6s %s", since(r.at), r))
		}
		return lines
	case f[0] == "calls":
		return s.calls()
	case f[0] == "circuit":
		return []string{describe(s.w.record(f[1]))}
	case f[0] == "alerts":
		return s.w.told()
	default:
		s.w.t.Fatalf("nobody knows the command %q", strings.Join(f, " "))
	}
	return nil
}

func (s *story) number(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil {
		s.w.t.Fatal(err)
	}
	return n
}

func (s *story) duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil {
		s.w.t.Fatal(err)
	}
	return d
}

// fails reads "WHO fails FAULT [for D] [at SERVICE] [N times]". A fault of
// several words has underscores for its blanks.
func (s *story) fails(f []string) {
	fault := faults[strings.ReplaceAll(f[2], "_for_", " for ")]
	if fault == nil {
		s.w.t.Fatalf("nobody knows the fault %q", f[2])
	}
	sc := script{fault: fault, from: s.w.clock.Now()}
	service := f[0]
	for rest := f[3:]; len(rest) > 1; rest = rest[2:] {
		switch {
		case rest[0] == "for":
			sc.to = sc.from.Add(s.duration(rest[1]))
		case rest[0] == "at":
			service, sc.contact = rest[1], f[0]
		case rest[1] == "times":
			sc.times = s.number(rest[0])
		}
	}
	s.w.services.on(service, sc)
}

// journal shows the entries since the last time, without those of steps that
// went well.
func (s *story) journal() []string {
	var lines []string
	for _, e := range s.w.events.all()[s.seen:] {
		line := fmt.Sprintf("%7s %-7s", since(e.Time).Round(100*time.Millisecond), e.Level)
		if e.Contact != "" {
			line += " " + e.Contact
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", line, e.Event, e.Message))
	}
	s.seen = len(s.w.events.all())
	return lines
}

func (s *story) calls() []string {
	var lines []string
	rung := s.w.services.rung()
	for _, c := range s.w.calls() {
		line := fmt.Sprintf("%s %s", c.Key.Contact, c.State)
		if c.Park.Service != "" {
			line += " for " + c.Park.Service
		}
		if c.Result != "" {
			line += " " + string(c.Result)
		}
		if c.Reason != "" {
			line += " (" + c.Reason + ")"
		}
		lines = append(lines, fmt.Sprintf("%s, rung %d", line, rung[c.Key.Contact]))
	}
	return lines
}

// describe is a circuit in one line.
func describe(r breaker.Record) string {
	parts := []string{r.State.String(), fmt.Sprintf("epoch %d", r.Epoch), fmt.Sprintf("streak %d", r.Streak)}
	if r.State == breaker.Open {
		parts = append(parts, "until "+since(r.OpenUntil).String())
	}
	if r.Relapses > 0 {
		parts = append(parts, fmt.Sprintf("relapses %d", r.Relapses))
	}
	return strings.Join(slices.Compact(parts), ", ")
}
