package settings

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/backoff"
	"callagent/core/breaker"
)

// commentedKey is a key or table that the file shows behind a "#".
var commentedKey = regexp.MustCompile(`(?m)^# (\[services\..*\]|[a-z_]+ +=)`)

// keysOf lists the keys (not the tables) of a layer, with the policies of one
// service standing for those of all.
func keysOf(l Layer) []string {
	policy := regexp.MustCompile(`^services\.[a-z]+\.(retry|circuit_breaker|health_check)\.`)
	keys := map[string]bool{}
	for k, s := range l.set {
		if !s.table() {
			keys[policy.ReplaceAllString(k, "services.NAME.$1.")] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

func TestTheDocumentedFileHoldsTheDefaults(t *testing.T) {
	defaults, err := Load(Source{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../../callagent.toml")
	if err != nil {
		t.Fatal(err)
	}
	whole := commentedKey.ReplaceAll(data, []byte("$1"))
	if len(whole) == len(data) {
		t.Fatal("the file shows no commented keys: the test has lost its subject")
	}
	for name, text := range map[string][]byte{"as it is": data, "with the commented keys": whole} {
		l, err := ParseLayer("callagent.toml", text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := Load(Source{Over: []Layer{l}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(defaults, got); d != "" {
			t.Errorf("%s, the file is not the defaults (-default +file):\n%s", name, d)
		}
	}

	documented, err := ParseLayer("callagent.toml", whole)
	if err != nil {
		t.Fatal(err)
	}
	var known strings.Builder
	if err := Write(&known, defaults); err != nil {
		t.Fatal(err)
	}
	all, err := ParseLayer("known", []byte(known.String()))
	if err != nil {
		t.Fatal(err)
	}
	general := []string{}
	for _, e := range policies(nil, new(backoff.Policy), new(breaker.Config)) {
		general = append(general, dotted(e.path))
	}
	want := slices.Sorted(slices.Values(append(keysOf(all), general...)))
	if d := cmp.Diff(want, keysOf(documented)); d != "" {
		t.Errorf("keys that are known (-) and documented (+):\n%s", d)
	}
	for _, v := range new(Providers).variables() {
		if !regexp.MustCompile(`\b` + v.name + `\b`).Match(data) {
			t.Errorf("callagent.toml does not name the environment variable %s", v.name)
		}
	}
	for _, word := range subscriptionWords() {
		if !strings.Contains(string(data), word) {
			t.Errorf("callagent.toml does not explain the alert word %q", word)
		}
	}
}
