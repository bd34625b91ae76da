package storytest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// echo answers "say X Y" with the words, one a line, and knows nothing else.
type echo struct{}

func (echo) Do(command string) ([]string, error) {
	var a, b string
	if n, _ := fmt.Sscanf(command, "say %s %s", &a, &b); n == 0 {
		return nil, errors.New("no such verb")
	} else if n == 1 {
		return []string{a}, nil
	}
	return []string{a, b}, nil
}

const text = `# A chapter.

## One
# a remark
say yes
    yes

say yes no
    yes
    no
## Two
say yes
    no
sing
say no
`

func TestAChapterIsReadAndWrittenAlike(t *testing.T) {
	if diff := cmp.Diff(text, parse(text).String()); diff != "" {
		t.Errorf("the chapter changed on its way (-read +written):\n%s", diff)
	}
}

func TestATrueStoryPasses(t *testing.T) {
	s := parse(text).stories[0]
	told, differences := s.play(echo{})
	if len(differences) != 0 {
		t.Errorf("differences in a true story: %v", differences)
	}
	if diff := cmp.Diff(s, told, cmp.AllowUnexported(story{}, line{})); diff != "" {
		t.Errorf("a true story is told otherwise (-want +got):\n%s", diff)
	}
}

func TestAFalseStoryFails(t *testing.T) {
	told, differences := parse(text).stories[1].play(echo{})
	var got []string
	for _, d := range differences {
		got = append(got, d.String())
	}
	want := []string{"12: say yes\n got [\"yes\"]\nwant [\"no\"]", "14: sing: no such verb"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if got, want := (chapter{stories: []story{told}}).String(), "## Two\nsay yes\n    yes\nsing\nsay no\n"; got != want {
		t.Errorf("the false story is rewritten as %q, want %q", got, want)
	}
}
