package settings

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"callagent/docs/docstest"
)

// documented is one key of callagent.toml as the file explains it.
type documented struct {
	table, key     string
	value, meaning string
	about          string // what is said of the whole table
}

var (
	keyLine   = regexp.MustCompile(`^([a-z_]+) *= *(.*?)(?: +# (.*))?$`)
	tableLine = regexp.MustCompile(`^\[([a-z._]+)\]$`)
	// glossary is a line that explains a key of the tables below it.
	glossary = regexp.MustCompile(`^# ([a-z_]+) {2,}(.+)$`)
	campaign = "campaign." + DefaultCampaign
)

// keysOfTheFile reads the keys of callagent.toml. A key is explained by the remark
// behind it, by a glossary, or by the paragraph above it.
func keysOfTheFile(text string) []documented {
	var (
		list         []documented
		table, about string
		above        []string // the paragraph that ends here
		words        = map[string]string{}
		literal      bool // inside a text of several lines
	)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		m := keyLine.FindStringSubmatch(line)
		switch head := tableLine.FindStringSubmatch(line); {
		case literal:
			literal = line != `"""`
			continue
		case glossary.MatchString(line):
			g := glossary.FindStringSubmatch(line)
			words[g[1]] = g[2]
		case strings.HasPrefix(line, "# ──"):
		case strings.HasPrefix(line, "# "):
			above = append(above, strings.TrimPrefix(line, "# "))
			continue
		case head != nil:
			table, about = head[1], strings.Join(above, "\n")
		case m != nil:
			literal = m[2] == `"""`
			meaning := cmp.Or(m[3], words[m[1]], strings.Join(above, " "))
			list = append(list, documented{table, m[1], m[2], meaning, about})
		}
		above = nil
	}
	return list
}

// docs/settings.md has every key with its default, as callagent.toml explains
// it; TestTheDocumentedFileHoldsTheDefaults sees to it that the file has all.
func TestThePageHasTheSettings(t *testing.T) {
	text, err := os.ReadFile("../../callagent.toml")
	if err != nil {
		t.Fatal(err)
	}
	keys := keysOfTheFile(string(text))
	var b strings.Builder
	for i, k := range keys {
		of, in := general(k.table), ""
		if i > 0 {
			in = general(keys[i-1].table)
		}
		if first := slices.IndexFunc(keys, func(o documented) bool { return o.key == k.key && general(o.table) == of }); first != i {
			continue // another service, told with the first
		}
		if i == 0 || of != in {
			fmt.Fprintf(&b, "\n### %s\n\n", title(of))
			if k.about != "" && !strings.Contains(of, "NAME") {
				fmt.Fprintf(&b, "%s\n\n", paragraph(k.about))
			}
			b.WriteString("| key | default | meaning |\n|---|---|---|\n")
		}
		if k.meaning == "" && k.about == "" {
			t.Errorf("callagent.toml does not explain %s of %s", k.key, title(k.table))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.key, defaults(keys, k), docstest.Cell(k.meaning))
	}
	docstest.Part(t, "settings.md", "settings", b.String()+"\n")
}

// paragraph is a remark of the file on the page: one with columns stays as it
// is.
func paragraph(about string) string {
	if strings.Contains(about, "\n  ") {
		return "```\n" + about + "\n```"
	}
	return strings.ReplaceAll(about, "\n", " ")
}

// general names what the tables of all services or campaigns have in common.
func general(table string) string {
	switch {
	case strings.HasPrefix(table, "services."):
		return "services.NAME"
	case table == campaign:
		return "campaign.NAME"
	}
	return table
}

func title(table string) string {
	if table == "" {
		return "At the top"
	}
	return "`[" + table + "]`"
}

// defaults lists what holds for a key, of each service if there are several.
func defaults(keys []documented, of documented) string {
	var all []string
	same := true
	for _, k := range keys {
		if k.key == of.key && general(k.table) == general(of.table) {
			same = same && k.value == of.value
			all = append(all, "`"+k.value+"` "+strings.TrimPrefix(k.table, "services."))
		}
	}
	switch {
	case of.value == `"""`:
		return "a greeting"
	case strings.HasPrefix(of.value, "["):
		return strings.ReplaceAll(strings.Trim(of.value, "[]"), `"`, "`")
	case same:
		return "`" + of.value + "`"
	}
	return strings.Join(all, ", ")
}

// The page names every environment variable, and no other.
func TestThePageHasTheEnvironment(t *testing.T) {
	page, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"SECRETS_PATH", "METRICS_NAMESPACE"} // the functions read them by themselves
	for _, v := range new(Providers).variables() {
		known = append(known, v.name)
	}
	var named []string
	for _, m := range regexp.MustCompile("`([A-Z][A-Z_]+[A-Z])`").FindAllStringSubmatch(string(page), -1) {
		named = append(named, m[1])
	}
	for _, name := range known {
		if !slices.Contains(named, name) {
			t.Errorf("docs/settings.md does not explain %s", name)
		}
	}
	for _, name := range named {
		if !slices.Contains(known, name) {
			t.Errorf("docs/settings.md explains %s, which nobody reads", name)
		}
	}
}
