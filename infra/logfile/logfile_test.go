package logfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"callagent/core/journal"
)

// disk is a file that takes only so many bytes.
type disk struct {
	text   strings.Builder
	room   int
	gate   chan struct{} // nil lets every write pass at once
	writes int
}

func (d *disk) Write(p []byte) (int, error) {
	if d.gate != nil {
		<-d.gate
	}
	d.writes++
	n := min(len(p), d.room)
	d.room -= n
	d.text.Write(p[:n])
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func (d *disk) Close() error { return nil }

func note(n int) journal.Entry {
	return journal.Entry{Time: start0, Message: fmt.Sprintf("entry %d", n)}
}

func short(e journal.Entry) []byte { return []byte(e.Message + "\n") }

// said gathers what OnError hears.
type said []string

func (s *said) hear(err error) { *s = append(*s, err.Error()) }

func TestAFullDiskIsToldOnceAndAgainWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		small, large := &disk{room: 20}, &disk{room: 1 << 20}
		var heard said
		l := start([]*sink{{name: "app.log", file: small, format: short}, {name: "all.log", file: large, format: short}}, heard.hear)
		write := func(n int) { l.Write(note(n)); synctest.Wait() }
		for n := 1; n <= 5; n++ {
			write(n) // entry 3 is cut in the middle
		}
		small.room = 1 << 20
		write(6)
		write(7)
		small.room = 0
		write(8)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		want := said{
			"app.log cannot be written, calls go on without it: no space left on device",
			"app.log is written again, lines missing from it: 3",
			"app.log cannot be written, calls go on without it: no space left on device",
		}
		if d := cmp.Diff(want, heard); d != "" {
			t.Errorf("heard (-want +got):\n%s", d)
		}
		if got, want := small.text.String(), "entry 1\nentry 2\nentr\nentry 6\nentry 7\n"; got != want {
			t.Errorf("the small disk has %q, want %q", got, want)
		}
		if got := strings.Count(large.text.String(), "\n"); got != 8 {
			t.Errorf("the other file has %d lines, want all 8", got)
		}
		if l.Lost() != 4 {
			t.Errorf("%d lines lost, want 4", l.Lost())
		}
	})
}

func TestADiskThatHangsHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := &disk{room: 1 << 30, gate: make(chan struct{})}
		var heard said
		l := start([]*sink{{name: "app.log", file: hanging, format: short}}, heard.hear)
		l.Write(note(0))
		synctest.Wait() // the first entry hangs in its write
		for n := 1; n <= buffered+10; n++ {
			l.Write(note(n))
		}
		if l.Lost() != 10 {
			t.Errorf("%d entries lost, want the 10 beyond the buffer", l.Lost())
		}
		close(hanging.gate)
		synctest.Wait()
		if d := cmp.Diff(said{"the log files could not keep up: 10 entries are missing from them"}, heard); d != "" {
			t.Errorf("heard (-want +got):\n%s", d)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.Count(hanging.text.String(), "\n"); got != buffered+1 {
			t.Errorf("%d lines written, want %d", got, buffered+1)
		}
		if hanging.writes > 10 {
			t.Errorf("%d writes for one burst: it was not written in batches", hanging.writes)
		}
	})
}

func TestManyWritersKeepTheirOrder(t *testing.T) {
	const writers, each = 8, 200
	file := &disk{room: 1 << 30}
	l := start([]*sink{{name: "app.log", file: file, format: short}}, nil)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range each {
				l.Write(journal.Entry{Message: fmt.Sprintf("%d %d", w, n)})
			}
		})
	}
	all.Wait()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	next := map[int]int{}
	for line := range strings.Lines(file.text.String()) {
		var w, n int
		if _, err := fmt.Sscanf(line, "%d %d", &w, &n); err != nil || n != next[w] {
			t.Fatalf("line %q: want number %d next (%v)", line, next[w], err)
		}
		next[w]++
	}
	if len(next) != writers || l.Lost() != 0 {
		t.Errorf("%d writers arrived and %d entries were lost", len(next), l.Lost())
	}
}

func TestFilesHoldEverythingOnceClosed(t *testing.T) {
	dir := t.TempDir()
	o := Options{JSONPath: filepath.Join(dir, "logs", "app_logs.json"), TextPath: filepath.Join(dir, "logs", "app.log"),
		OnError: func(err error) { t.Error(err) }}
	for range 2 { // a second run adds to the files
		l := Open(o)
		for _, e := range outage() {
			l.Write(e)
		}
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		l.Write(note(1))
		if l.Lost() != 1 {
			t.Errorf("%d lost, want only the entry that came after Close", l.Lost())
		}
	}
	var messages []string
	for line := range strings.Lines(read(t, o.JSONPath)) {
		var e journal.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		messages = append(messages, e.Message)
	}
	if n := len(outage()); len(messages) != 2*n || messages[n-1] != outage()[n-1].Message {
		t.Errorf("%d entries in the JSON file, want %d", len(messages), 2*n)
	}
	if got := strings.Count(read(t, o.TextPath), "\n"); got != 2*len(outage()) {
		t.Errorf("%d lines in the readable file, want %d", got, 2*len(outage()))
	}
}

func TestAPathThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "a file where a folder should be")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	heard := make(chan error, 10)
	path := filepath.Join(blocked, "app.log")
	l := Open(Options{TextPath: path, OnError: func(err error) { heard <- err }})
	l.Write(note(1))
	if err := <-heard; !strings.HasPrefix(err.Error(), "app.log cannot be written, calls go on without it: ") {
		t.Errorf("heard %v", err)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	l.Write(note(2))
	if err := <-heard; err.Error() != "app.log is written again, lines missing from it: 1" {
		t.Errorf("heard %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := read(t, path); !strings.Contains(got, "entry 2") || strings.Contains(got, "entry 1") || l.Lost() != 1 {
		t.Errorf("the file has %q and %d lines are lost", got, l.Lost())
	}
}

func TestALargeFileIsSetAsideBetweenTwoLines(t *testing.T) {
	const entries = 3000
	dir := t.TempDir()
	l := Open(Options{JSONPath: filepath.Join(dir, "app_logs.json"), MaxSizeMB: 1, OnError: func(err error) { t.Error(err) }})
	for n := range entries {
		e := note(n)
		e.Message += strings.Repeat(" padding", 100)
		l.Write(e)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "app_logs*.json"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, name := range files {
		text := read(t, name)
		if len(text) > 1<<20 {
			t.Errorf("%s has %d bytes", filepath.Base(name), len(text))
		}
		for line := range strings.Lines(text) {
			lines++
			if !json.Valid([]byte(line)) {
				t.Fatalf("%s has half a line", filepath.Base(name))
			}
		}
	}
	if len(files) != 3 || lines != entries {
		t.Errorf("%d files with %d lines, want 3 with %d", len(files), lines, entries)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestALineThatAKillCutOffSpoilsNoOther(t *testing.T) {
	for before, want := range map[string]string{
		"":                   "entry 1\n",
		"entry 0\n":          "entry 0\nentry 1\n",
		"entry 0\nentry":     "entry 0\nentry\nentry 1\n",
		"{\"timestamp\":\"2": "{\"timestamp\":\"2\nentry 1\n",
	} {
		path := filepath.Join(t.TempDir(), "app.log")
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		l := Open(Options{TextPath: path})
		l.Write(note(1))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if line := string(textLine(note(1))); string(got) != strings.ReplaceAll(want, "entry 1\n", line) {
			t.Errorf("after %q the file holds %q", before, got)
		}
	}
}
