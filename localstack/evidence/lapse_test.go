//go:build !browser

package main

import "testing"

// played is the scenario faster than real time, and without a browser. Status
// and dashboard go by real time, so nothing of the minutes in between is seen.
func played(t *testing.T) options { return options{Binary: build(t), Speed: 10} }

func looks(trail) []string { return nil }
