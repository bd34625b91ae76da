package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"callagent/core/journal"
)

// The names of the parts. The alerts have names of their own.
const (
	pageFile     = "README.md"
	runFile      = "run.json"
	logFile      = "app.log"
	journalFile  = "app_logs.json"
	requestsFile = "requests.json"
	sheetLog     = "sheet-log.json"
	sheetOpen    = "sheet-status-open.json"
	sheetEnd     = "sheet-status-end.json"
)

// pictures are the states of the dashboard, and the file names of their
// picture and their text without the ending.
var pictures = []string{"dashboard-open", "dashboard-closed"}

// parts are the files of the evidence by name. The page is made of the others
// alone.
type parts map[string][]byte

// load reads a folder of evidence.
func load(folder string) (parts, error) {
	p := parts{}
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if p[f.Name()], err = os.ReadFile(filepath.Join(folder, f.Name())); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// save replaces the files of a folder.
func (p parts) save(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	old, err := load(folder)
	if err != nil {
		return err
	}
	for name := range old {
		if _, stays := p[name]; !stays {
			err = errors.Join(err, os.Remove(filepath.Join(folder, name)))
		}
	}
	for name, data := range p {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), data, 0o644))
	}
	return err
}

// run is what is known of the run as a whole.
type run struct {
	Scenario    string    `json:"scenario"`
	Description string    `json:"description"`
	Began       time.Time `json:"began"`
	Speed       float64   `json:"speed"`
	Summary     summary   `json:"summary"`    // as the command printed it
	Phones      int       `json:"phones"`     // that rang, as the simulator counts
	MostRings   int       `json:"most_rings"` // of one phone
	Alerts      []notice  `json:"alerts"`     // by channel, in the order of their arrival
}

// summary is the part of callagent run --json that the page tells of.
type summary struct {
	Contacts  int               `json:"contacts"`
	Completed int               `json:"completed"`
	Failed    int               `json:"failed"`
	Unknown   int               `json:"unknown"`
	Parked    int               `json:"parked"`
	Circuits  map[string]string `json:"circuits"`
}

// notice is an alert as it reached a channel.
type notice struct {
	At      time.Time `json:"at"`
	Channel string    `json:"channel"`
	ID      string    `json:"id"`             // what the receiver knows it by: the same for one that came twice
	Title   string    `json:"title"`          // its subject or first line
	Text    string    `json:"text,omitempty"` // for people; none for a webhook
	File    string    `json:"file"`           // what came, in full
}

// request is one request as the simulator saw it.
type request struct {
	At      time.Time `json:"at"`
	Service string    `json:"service"`
	Route   string    `json:"route"`
	Status  int       `json:"status"`
	Fault   string    `json:"fault,omitempty"` // the scripted one that hit it
}

// trail is the parts, read.
type trail struct {
	run
	journal  []journal.Entry
	requests []request
	log      [][]string // the sheet's Log
	opening  [][]string // the sheet's Status while the circuit was open; nil in a run that was too fast for it
	ending   [][]string // and at the end
	shown    map[string]string
}

// read makes sense of the parts.
func (p parts) read() (trail, error) {
	t := trail{shown: map[string]string{}}
	err := errors.Join(p.decode(runFile, &t.run), p.decode(requestsFile, &t.requests),
		p.cells(sheetLog, &t.log), p.cells(sheetEnd, &t.ending))
	if _, there := p[sheetOpen]; there {
		err = errors.Join(err, p.cells(sheetOpen, &t.opening))
	}
	for line := range strings.Lines(string(p[journalFile])) {
		var e journal.Entry
		err = errors.Join(err, json.Unmarshal([]byte(line), &e))
		t.journal = append(t.journal, e)
	}
	for _, name := range pictures {
		if text, there := p[name+".txt"]; there {
			t.shown[name] = string(text)
		}
	}
	return t, err
}

func (p parts) decode(name string, to any) error {
	data, there := p[name]
	if !there {
		return fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// cells reads an answer of the Sheets API.
func (p parts) cells(name string, to *[][]string) error {
	var answer struct {
		Values [][]string `json:"values"`
	}
	err := p.decode(name, &answer)
	*to = answer.Values
	return err
}

// linewise is a JSON list with one element a line, so that a difference between
// two runs is one of lines.
func linewise[T any](list []T) ([]byte, error) {
	lines := make([][]byte, len(list))
	for i, v := range list {
		var err error
		if lines[i], err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	return slices.Concat([]byte("[\n"), bytes.Join(lines, []byte(",\n")), []byte("\n]")), nil
}
