//go:build browser

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// played is the scenario in real time, with a browser.
func played(t *testing.T) options {
	return options{Binary: build(t), Speed: 1, Browser: true, Progress: t.Output()}
}

var digits = regexp.MustCompile(`\d+`)

// looks is what the dashboard and the sheet's Status show while the circuit is
// open and afterwards: each different line, numbers apart.
func looks(t trail) []string {
	var all []string
	seen := map[string]bool{}
	add := func(where, text string) {
		text = where + ": " + digits.ReplaceAllString(usual(text), "N")
		if !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	for _, name := range pictures {
		page, _, found := strings.Cut(t.shown[name], "\nLast events\n") // the log has their texts, and chance says which are the last
		add(name, fmt.Sprint("lists the last events: ", found))
		for line := range strings.Lines(page) {
			add(name, strings.TrimSpace(line))
		}
	}
	for _, row := range t.opening {
		add("status while open", strings.Join(row, " | "))
	}
	return all
}
