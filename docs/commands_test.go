package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"callagent/cmd/callagent/buildtest"
	"callagent/docs/docstest"
	"callagent/infra/clock"
	"callagent/localstack/simulator"
)

// TestCommandsDoWhatPagesSay runs the commands of every page, in the page's
// order, in a copy of the module. Keys and providers are those of a simulator,
// and the clock of callagent run is twenty times as fast.
func TestCommandsDoWhatPagesSay(t *testing.T) {
	all := pages(t)
	for _, page := range slices.Sorted(maps.Keys(all)) {
		list, err := blocks(all[page])
		if err != nil {
			t.Errorf("%s: %v", page, err)
		}
		for _, b := range list {
			if b.unrun != "" {
				t.Logf("%s:%d is not run: %s", page, b.line, b.unrun)
			}
		}
		list = slices.DeleteFunc(list, func(b block) bool { return b.unrun != "" })
		if len(list) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			for _, b := range list {
				out, err := r.run(b)
				t.Logf("%s:%d\n%s\n\n%s", page, b.line, b.text, out)
				if err != nil {
					t.Fatalf("%s:%d: %v", page, b.line, err)
				}
			}
		})
	}
}

// reader is somebody who follows a page.
type reader struct {
	t     *testing.T
	dir   string // the copy of the module
	env   []string
	state string // folder of what one block leaves to the next: variables and the working directory
	// listen stands in place of usual.
	listen string
}

// list is the contacts.csv of whoever follows a page.
const list = `contact_id,phone,name,city
c-001,+1 202 555 0101,Ada Okafor,Washington
c-002,+1 202 555 0102,Oliver Bennett,Washington
c-003,+1 202 555 0103,Zoé Lefèvre,Washington
`

// usual is where callagent run listens; the tests have an address of their own.
const usual = "127.0.0.1:8470"

// between stands before every block: what the one before left, and callagent as
// a reader has it, with an address and a clock of its own. The doctor compares
// clocks, so it asks a simulator with the right time.
const between = `
set -euo pipefail
if [ -e "$STATE/variables" ]; then . "$STATE/variables"; cd "$(cat "$STATE/folder")"; fi
trap 'export -p > "$STATE/variables"; pwd > "$STATE/folder"' EXIT
callagent() {
  case $1 in
  run) shift; command callagent run --clock "$FAST" --listen "$LISTEN" "$@" ;;
  doctor) env $PUNCTUAL callagent "$@" ;;
  *) command callagent "$@" ;;
  esac
}
`

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{t: t, dir: t.TempDir(), state: t.TempDir(), listen: free(t)}
	copyModule(t, r.dir)
	fast := time.Now().UTC().Format(time.RFC3339) + ",20"
	folder, err := command()
	if err != nil {
		t.Fatal(err)
	}
	r.env = slices.Concat(os.Environ(), providers(t, fast), []string{
		"PUBLIC_URL=http://" + r.listen, "LISTEN=" + r.listen, "STATE=" + r.state,
		"FAST=" + fast, "PUNCTUAL=" + strings.Join(providers(t, ""), " "),
		"PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH"),
	})
	return r
}

// providers starts a simulator and gives the environment that leads to it.
func providers(t *testing.T, time string) []string {
	t.Helper()
	ticking, err := clock.Parse(time)
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulator.Start(simulator.Config{Clock: ticking, Seed: 1, Numbers: map[string]string{
		"+12025550102": "no-answer", "+12025550103": "busy",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim.Env()
}

// run runs a block and gives what it printed.
func (r *reader) run(b block) (string, error) {
	cmd := exec.CommandContext(r.t.Context(), "bash", "-c", between+strings.ReplaceAll(b.text, usual, r.listen))
	cmd.Dir, cmd.Env = r.dir, r.env
	printed, err := cmd.CombinedOutput()
	status := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status, err = exit.ExitCode(), nil
	}
	switch {
	case err != nil:
	case status != b.status:
		err = fmt.Errorf("it ends with %d, not %d", status, b.status)
	default:
		err = missing(string(printed), b.shows)
	}
	return string(printed), err
}

var (
	figures = regexp.MustCompile(`\d+([.,:]\d+)*`)
	blanks  = regexp.MustCompile(`\s+`)
)

// shape is a line without what differs from run to run.
func shape(line string) string {
	return strings.TrimSpace(blanks.ReplaceAllString(figures.ReplaceAllString(line, "0"), " "))
}

// missing looks for lines in what was printed, in their order. "…" stands for
// anything, figures for any figures.
func missing(printed string, lines []string) error {
	left := strings.Split(printed, "\n")
	for _, want := range lines {
		if shape(want) == "" {
			continue
		}
		like := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(shape(want)), "…", ".*") + "$")
		i := slices.IndexFunc(left, func(got string) bool { return like.MatchString(shape(got)) })
		if i < 0 {
			return fmt.Errorf("it does not print, or not in this order: %s", want)
		}
		left = left[i+1:]
	}
	return nil
}

func TestMissingLinesAreFound(t *testing.T) {
	const printed = "12:00:01  a   done in 1.2s\nb\nthe end of it\n"
	for _, lines := range [][]string{nil, {"…"}, {"09:30:00 a done in 5s", "…", "the …"}, {"b"}, {"", "b"}} {
		if err := missing(printed, lines); err != nil {
			t.Errorf("%q: %v", lines, err)
		}
	}
	for _, lines := range [][]string{{"the"}, {"b", "12:00:01 a done in 1s"}, {"b", "b"}, {"a …"}} {
		if missing(printed, lines) == nil {
			t.Errorf("%q is found in %q", lines, printed)
		}
	}
}

func TestBlocks(t *testing.T) {
	page := "<!-- run first: a -->\n```sh\nb\nc\n```\nSo:\n```text\nd\n```\n<!-- not run: no key -->\n```sh\ne\n```\n<!-- ends with: 1 -->\n```sh\nf\n```\n```\ng\n```\n"
	got, err := blocks(page)
	want := []block{
		{line: 1, text: "a"}, {line: 3, text: "b\nc", shows: []string{"d"}},
		{line: 12, text: "e", unrun: "no key"}, {line: 16, text: "f", status: 1},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("blocks = %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := blocks("<!-- no command here is run: it rings -->\n" + page); err != nil || got[3].unrun != "it rings" {
		t.Errorf("of a page that is not run: %+v, %v", got, err)
	}
	for _, wrong := range []string{"<!-- not run: -->", "<!-- not run -->", "<!-- ends with: an error -->", "```sh\na"} {
		if _, err := blocks(wrong); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

// copyModule copies what make build needs, the settings and the examples, and
// puts a list beside them.
func copyModule(t *testing.T, to string) {
	t.Helper()
	root := docstest.Root(t)
	for _, folder := range []string{"cmd", "core", "examples", "infra", "localstack"} {
		if err := os.CopyFS(filepath.Join(to, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string][]byte{"contacts.csv": []byte(list)}
	for _, file := range []string{"Makefile", "callagent.toml", "go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		files[file] = bytes.Replace(text, []byte(`"09:00-20:00"`), []byte(`"00:00-24:00"`), 1) // whatever the time is
	}
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(to, file), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// free is an address of this machine that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// command builds callagent, once for all pages, and gives its folder.
var command = sync.OnceValues(func() (string, error) {
	path, err := buildtest.Build(commandFolder)
	return filepath.Dir(path), err
})

var commandFolder string

func TestMain(m *testing.M) {
	var err error
	if commandFolder, err = os.MkdirTemp("", "callagent-docs-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(commandFolder)
	os.Exit(status)
}
