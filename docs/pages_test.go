package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"callagent/docs/docstest"
)

// pages reads the pages of docs and every README of the module, by their paths
// from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root, found := docstest.Root(t), map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && p != root && (strings.HasPrefix(name, ".") || name == "build"):
			return filepath.SkipDir // "build" holds what make builds
		}
		rel, err := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if err != nil || !isPage(rel) {
			return err
		}
		text, err := os.ReadFile(p)
		found[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func isPage(file string) bool {
	return path.Base(file) == "README.md" || strings.HasPrefix(file, "docs/") && path.Ext(file) == ".md"
}

var (
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	inline  = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
)

// TestLinksLeadSomewhere follows every link between pages and files of the
// module, down to the heading that it names.
func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for page, text := range all {
		for _, target := range links(text) {
			file, anchor, _ := strings.Cut(target, "#")
			to := page
			if file != "" {
				to = path.Join(path.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join(docstest.Root(t), filepath.FromSlash(to))); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(all[to]), anchor) {
				t.Errorf("%s links to %s: %s has no such heading", page, target, to)
			}
		}
	}
}

// links lists where the links of a page lead, but for those to the web.
func links(text string) []string {
	var to []string
	text = inline.ReplaceAllString(fenced.ReplaceAllString(text, ""), "")
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "://") {
			to = append(to, m[1])
		}
	}
	return to
}

// anchors lists the names by which a page's headings are linked to, as GitHub
// makes them.
func anchors(text string) []string {
	var names []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(m[1])))
	}
	return names
}

// TestTheMapHasEveryPage: what docs/README.md does not name nobody finds.
func TestTheMapHasEveryPage(t *testing.T) {
	const index = "docs/README.md"
	all := pages(t)
	named := links(all[index])
	for page := range all {
		if page == index || !strings.HasPrefix(page, "docs/") || strings.HasPrefix(page, "docs/decisions/") {
			continue
		}
		if !slices.Contains(named, strings.TrimPrefix(page, "docs/")) {
			t.Errorf("%s does not name %s", index, page)
		}
	}
}

func TestLinksAndAnchors(t *testing.T) {
	page := "# A: the *first*, 2nd\n[a](b.md#c) `[no](x)` ![p](p.png) [web](https://x.example)\n```sh\n# no heading\n[no](y)\n```\n## In AWS\n"
	if got := links(page); !slices.Equal(got, []string{"b.md#c", "p.png"}) {
		t.Errorf("links = %q", got)
	}
	if got := anchors(page); !slices.Equal(got, []string{"a-the-first-2nd", "in-aws"}) {
		t.Errorf("anchors = %q", got)
	}
}
