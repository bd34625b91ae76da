package dashboard_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// schemes reads the colours of the style sheet, light and dark.
func schemes(t *testing.T) map[string]map[string]float64 {
	t.Helper()
	sheet, err := os.ReadFile("assets/style.css")
	must(t, err)
	light, dark, split := strings.Cut(string(sheet), "@media (prefers-color-scheme: dark)")
	if !split {
		t.Fatal("there is no dark scheme")
	}
	all := map[string]map[string]float64{}
	for name, text := range map[string]string{"light": light, "dark": dark} {
		all[name] = map[string]float64{}
		for _, m := range colour.FindAllStringSubmatch(text, -1) {
			all[name][m[1]] = luminance(t, m[2])
		}
	}
	return all
}

// luminance is how bright a colour is by WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	must(t, err)
	part := func(shift uint) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

// Text has a contrast of 4.5 on every surface that it stands on, and the parts
// of the charts one of 3.
func TestColoursCanBeRead(t *testing.T) {
	states := []string{"ok", "warn", "bad", "held"}
	for scheme, c := range schemes(t) {
		check := func(least float64, text string, surfaces ...string) {
			for _, surface := range surfaces {
				if got := contrast(c[text], c[surface]); got < least {
					t.Errorf("%s: %s on %s has %.2f, want %.1f", scheme, text, surface, got, least)
				}
			}
		}
		for _, text := range []string{"text", "muted", "link"} {
			check(4.5, text, "ground", "surface", "ok-ground", "warn-ground", "bad-ground", "held-ground")
		}
		for _, state := range states {
			check(4.5, state, "surface", "ground", state+"-ground")
		}
		for _, part := range []string{"answered", "machine", "missed", "failed", "unknown"} {
			check(3, part, "surface")
		}
	}
}
