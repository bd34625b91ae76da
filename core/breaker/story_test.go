package breaker_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"callagent/core/breaker"
)

var rewrite = flag.Bool("rewrite", false, "write what the stories in testdata really tell; read the difference before keeping it")

// story is one scenario of a file in testdata. A file is a chapter: its
// stories begin with "## " and the sentence they guard. Below it stands one
// command a line, and indented under each command what the circuit answers.
// Lines that begin with "# " are remarks. The commands are the verbs of
// [world].
type story struct {
	title string
	lines []line
}

// line is one line of a story and the answers that stand under it.
type line struct {
	text   string // command, remark or blank
	number int
	want   []string
}

func (l line) isCommand() bool { return l.text != "" && !strings.HasPrefix(l.text, "#") }

const indent = "    "

// parse reads a chapter. What stands before the first story comes back as
// preface.
func parse(text string) (preface []string, stories []story) {
	for i, s := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		title, begins := strings.CutPrefix(s, "## ")
		answer, answers := strings.CutPrefix(s, indent)
		switch {
		case begins:
			stories = append(stories, story{title: title})
		case len(stories) == 0:
			preface = append(preface, s)
		default:
			lines := &stories[len(stories)-1].lines
			if last := len(*lines) - 1; answers && last >= 0 {
				(*lines)[last].want = append((*lines)[last].want, answer)
			} else {
				*lines = append(*lines, line{text: s, number: i + 1})
			}
		}
	}
	return preface, stories
}

// TestStories plays every chapter. The stories are the specification: when one
// of them fails, either the rules or the story is wrong, and a person decides
// which.
func TestStories(t *testing.T) {
	chapters, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(chapters) == 0 {
		t.Fatalf("no stories found: %v", err)
	}
	told := map[breaker.Transition]bool{}
	for _, path := range chapters {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		preface, stories := parse(string(text))
		rewritten := slices.Clone(preface)
		for _, s := range stories {
			w := newWorld(told)
			rewritten = append(rewritten, "## "+s.title)
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txt")+"/"+s.title, func(t *testing.T) {
				for _, l := range s.lines {
					rewritten = append(rewritten, l.text)
					if !l.isCommand() {
						continue
					}
					got, err := w.do(l.text)
					if err != nil {
						t.Fatalf("%s:%d: %s: %v", path, l.number, l.text, err)
					}
					for _, g := range got {
						rewritten = append(rewritten, indent+g)
					}
					if !*rewrite && !slices.Equal(got, l.want) {
						t.Errorf("%s:%d: %s\n got %q\nwant %q", path, l.number, l.text, got, l.want)
					}
				}
			})
		}
		if *rewrite && !t.Failed() {
			if err := os.WriteFile(path, []byte(strings.Join(rewritten, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if filter := flag.Lookup("test.run").Value.String(); strings.Contains(filter, "/") {
		return // only some stories were played
	}
	for _, row := range breaker.Transitions {
		if !told[row] {
			t.Errorf("no story tells of %s → %s (%s)", row.From, row.To, row.Change)
		}
	}
}

// A story whose answer is wrong, or whose command is none, must not pass.
func TestStoriesCanFail(t *testing.T) {
	_, stories := parse("# preface\n## one\nprocess a\nfail a 503 first\n    counted: nonsense\n## two\nsing\n")
	if len(stories) != 2 || stories[1].title != "two" {
		t.Fatalf("parse found %+v", stories)
	}
	told := map[breaker.Transition]bool{}
	w, lines := newWorld(told), stories[0].lines
	if got, err := w.do(lines[0].text); err != nil || len(got) != 0 {
		t.Fatalf("process answers %q, %v", got, err)
	}
	got, err := w.do(lines[1].text)
	if err != nil || slices.Equal(got, lines[1].want) {
		t.Errorf("the answer is %q, %v; that must differ from %q", got, err, lines[1].want)
	}
	for command, want := range map[string]string{
		"sing":                "no such verb",
		"at noon":             `time: invalid duration "noon"`,
		"at -1s":              "time runs forward",
		"fail b 503 first":    `nobody is called "b"`,
		"fail a 999 first":    `no fault is called "999"`,
		"fail a 503 sometime": `an attempt is first, retry or last, not "sometime"`,
		"fail a 503":          "say whether it is the first attempt, a retry or the last",
		"hand over t1 call-1": "say: hand over TICK to CALL",
		"force shut":          "say: force open or force closed",
		"config colour=red":   `no setting is called "colour"`,
		"admit a":             "too few words",
	} {
		if _, err := newWorldWith(told, "process a").do(command); err == nil || err.Error() != want {
			t.Errorf("%q is answered with %v, want %q", command, err, want)
		}
	}
}
