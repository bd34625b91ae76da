// Package storytest plays stories: scenarios written as text that are the
// specification of a state machine and read like one.
//
// A file in testdata is a chapter. Its stories begin with "## " and the
// sentence they guard. Below it stands one command a line, and indented under
// each command what it is answered. Lines that begin with "# " are remarks:
//
//	## An account fault trips it at once
//	# three retries would be three more refusals
//	fail a 401 first
//	    tripped: OPEN epoch 1 until 10s
//
// What the commands are is the business of the [World].
package storytest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what the stories in testdata really tell; read the difference before keeping it")

// World is what one story happens in.
type World interface {
	// Do plays a command and gives the lines that answer it. An error means
	// that the command makes no sense.
	Do(command string) ([]string, error)
}

// Play plays every chapter in testdata, each story in a world of its own. It
// reports whether all stories were played: false when the -run flag chose
// among them.
func Play(t *testing.T, begin func() World) bool {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories found: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := parse(string(text))
		for i, s := range c.stories {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txt")+"/"+s.title, func(t *testing.T) {
				told, differences := s.play(begin())
				for _, d := range differences {
					if d.err != nil || !*rewrite {
						t.Errorf("%s:%s", path, d)
					}
				}
				c.stories[i] = told
			})
		}
		if *rewrite && !t.Failed() {
			if err := os.WriteFile(path, []byte(c.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return !strings.Contains(flag.Lookup("test.run").Value.String(), "/")
}

type chapter struct {
	preface []string
	stories []story
}

type story struct {
	title string
	lines []line
}

// line is one line of a story and the answers that stand under it.
type line struct {
	text    string // command, remark or blank
	number  int
	answers []string
}

func (l line) isCommand() bool { return l.text != "" && !strings.HasPrefix(l.text, "#") }

const indent = "    "

func parse(text string) (c chapter) {
	for i, s := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		title, begins := strings.CutPrefix(s, "## ")
		answer, answers := strings.CutPrefix(s, indent)
		switch {
		case begins:
			c.stories = append(c.stories, story{title: title})
		case len(c.stories) == 0:
			c.preface = append(c.preface, s)
		default:
			lines := &c.stories[len(c.stories)-1].lines
			if last := len(*lines) - 1; answers && last >= 0 {
				(*lines)[last].answers = append((*lines)[last].answers, answer)
			} else {
				*lines = append(*lines, line{text: s, number: i + 1})
			}
		}
	}
	return c
}

// String writes the chapter as parse reads it.
func (c chapter) String() string {
	text := slices.Clone(c.preface)
	for _, s := range c.stories {
		text = append(text, "## "+s.title)
		for _, l := range s.lines {
			text = append(text, l.text)
			for _, a := range l.answers {
				text = append(text, indent+a)
			}
		}
	}
	return strings.Join(text, "\n") + "\n"
}

// difference is a command that made no sense, or was not answered as told.
type difference struct {
	line line
	got  []string
	err  error
}

func (d difference) String() string {
	if d.err != nil {
		return fmt.Sprintf("%d: %s: %v", d.line.number, d.line.text, d.err)
	}
	return fmt.Sprintf("%d: %s\n got %q\nwant %q", d.line.number, d.line.text, d.got, d.line.answers)
}

// play tells the story as it happens in a world. It ends at a command that
// makes no sense.
func (s story) play(w World) (told story, differences []difference) {
	told = story{title: s.title, lines: slices.Clone(s.lines)}
	for i, l := range s.lines {
		if !l.isCommand() {
			continue
		}
		got, err := w.Do(l.text)
		if err != nil {
			return told, append(differences, difference{line: l, err: err})
		}
		if !slices.Equal(got, l.answers) {
			differences = append(differences, difference{line: l, got: got})
		}
		told.lines[i].answers = got
	}
	return told, differences
}
