package main

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"callagent/cmd/callagent/buildtest"

	"github.com/google/go-cmp/cmp"
)

const committed = "../../docs/evidence"

func read(t *testing.T) (parts, trail) {
	t.Helper()
	p, err := load(committed)
	if err != nil {
		t.Fatal(err)
	}
	told, err := p.read()
	if err != nil {
		t.Fatal(err)
	}
	return p, told
}

// The page says what its parts say and nothing else.
func TestThePageIsMadeOfItsParts(t *testing.T) {
	p, _ := read(t)
	made, err := page(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, p[pageFile]) {
		t.Error("the page is not the one that its parts make: run make evidence, and change nothing by hand")
	}
}

// The page tells of what another run shows.
func TestARunShowsWhatThePageTells(t *testing.T) {
	p, told := read(t)
	found, err := record(t.Context(), played(t))
	if err != nil {
		t.Fatal(err)
	}
	again, err := found.read()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(append(story(p, told), looks(told)...), append(story(found, again), looks(again)...)); d != "" {
		t.Errorf("-the page +the run, if that is right: make evidence\n%s", d)
	}
}

// build makes the command.
func build(t *testing.T) string {
	t.Helper()
	binary, err := buildtest.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// The pictures are there, of the right size, small enough for a repository, and
// beside each is what it shows.
func TestPictures(t *testing.T) {
	p, told := read(t)
	for name, state := range map[string]string{"dashboard-open": "OPEN", "dashboard-closed": "CLOSED"} {
		image, err := png.DecodeConfig(bytes.NewReader(p[name+".png"]))
		if err != nil || image.Width != wide || image.Height != high {
			t.Errorf("%s: %d x %d, %v", name, image.Width, image.Height, err)
		}
		if size := len(p[name+".png"]); size > 150_000 {
			t.Errorf("%s has %d bytes", name, size)
		}
		_, card, _ := strings.Cut(told.shown[name], "\nElevenLabs\n")
		if card, _, _ = strings.Cut(card, "\nTwilio\n"); !strings.Contains(card, "\n"+state+"\n") {
			t.Errorf("%s does not show ElevenLabs %s, but %q", name, state, card)
		}
	}
}
