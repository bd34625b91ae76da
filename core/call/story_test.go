package call_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"callagent/core/call"
)

var rewrite = flag.Bool("rewrite", false, "write what the stories in testdata really tell; read the difference before keeping it")

// story is one scenario of a file in testdata. A file is a chapter: its
// stories begin with "## " and the sentence they guard. Below it stands one
// command a line, and indented under each command how the call stands after
// it. Lines that begin with "# " are remarks. The commands are the verbs of
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
	told := map[call.Transition]bool{}
	for _, path := range chapters {
		playChapter(t, path, told)
	}
	if filter := flag.Lookup("test.run").Value.String(); strings.Contains(filter, "/") {
		return // only some stories were played
	}
	for _, row := range call.Transitions {
		if !told[row] {
			t.Errorf("no story tells of %q → %q (%s)", row.From, row.To, row.Move)
		}
	}
}

func playChapter(t *testing.T, path string, told map[call.Transition]bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	preface, stories := parse(string(text))
	rewritten := slices.Clone(preface)
	for _, s := range stories {
		rewritten = append(rewritten, "## "+s.title)
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt")+"/"+s.title, func(t *testing.T) {
			w := newWorld(told)
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

// A story whose answer is wrong, or whose command is none, must not pass.
func TestStoriesCanFail(t *testing.T) {
	_, stories := parse("# preface\n## one\nclaim a\n    nonsense\n## two\nsing\n")
	if len(stories) != 2 || stories[1].title != "two" {
		t.Fatalf("parse found %+v", stories)
	}
	told := map[call.Transition]bool{}
	w, l := newWorld(told), stories[0].lines[0]
	want := []string{"claimed", "running, held by a until 1m0s, due 0s, next script"}
	if got, err := w.do(l.text); err != nil || !slices.Equal(got, want) || slices.Equal(got, l.want) {
		t.Fatalf("%s is answered with %q, %v", l.text, got, err)
	}
	for command, want := range map[string]string{
		"sing":                     "no such verb",
		"at noon":                  `time: invalid duration "noon"`,
		"at -1s":                   "time runs forward",
		"fails 999":                `no fault is called "999"`,
		"fails 503 soon":           "say: fails FAULT retry-after=20s",
		"b: fails 503":             `nobody is called "b"`,
		"config colour=red":        `no setting is called "colour"`,
		"contact +15005550006 a=b": `a contact has no "a"`,
		"circuit ajar":             "a circuit is closed, open, forced or paused until a time",
		"claim":                    "too few words",
		"listing CA1":              `time: invalid duration ""`,
	} {
		if _, err := w.do(command); err == nil || err.Error() != want {
			t.Errorf("%q is answered with %v, want %q", command, err, want)
		}
	}
	if _, err := newWorld(told).do("script stored"); err == nil || err.Error() != "nobody holds the call" {
		t.Errorf("a step without a holder: %v", err)
	}
}
