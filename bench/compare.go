package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
)

// ours is the contestant that the others are compared with.
const ours = "ours"

// comparison is one job that several contestants do.
type comparison struct {
	name        string
	contestants []contestant
	note        string // what is measured, for the reader of the table
}

// contestant does the job of a comparison.
type contestant struct {
	name string
	// measure gives the nanoseconds that one turn of the job takes, and its
	// allocations; -1 where they are not counted.
	measure func() (ns float64, allocs int64, err error)
	ns      []float64
	allocs  int64
}

// benchmark makes a contestant of a Go benchmark that takes several turns in
// one iteration.
func benchmark(name string, turns int, f func(b *testing.B)) contestant {
	return contestant{name: name, measure: func() (float64, int64, error) {
		r := testing.Benchmark(f)
		if r.N == 0 {
			return 0, 0, fmt.Errorf("%s failed", name)
		}
		all := float64(r.N) * float64(turns)
		return float64(r.T.Nanoseconds()) / all, int64(float64(r.MemAllocs) / all), nil
	}}
}

// measure has every contestant do the job once.
func (c *comparison) measure() error {
	for i := range c.contestants {
		one := &c.contestants[i]
		ns, allocs, err := one.measure()
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		one.ns = append(one.ns, ns)
		one.allocs = max(one.allocs, allocs)
	}
	return nil
}

// result is the medians of a comparison.
type result struct {
	Name  string             `json:"name"`
	Unit  string             `json:"unit"`
	Ours  float64            `json:"ours"`
	Peers map[string]float64 `json:"peers"`
}

// result gives the medians. A contestant that is listed under one name in
// several ways counts with its best.
func (c *comparison) result() result {
	r := result{Name: c.name, Unit: "ns", Peers: map[string]float64{}}
	for _, one := range c.contestants {
		m := median(one.ns)
		if one.name == ours {
			r.Ours = m
		} else if best, seen := r.Peers[one.name]; !seen || m < best {
			r.Peers[one.name] = m
		}
	}
	return r
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// write stores the results for programs.
func write(path string, results []result) error {
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// table prints the results for people.
func table(w io.Writer, results []result, comparisons []comparison) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\twho\tns\tof ours\tallocations")
	for i, r := range results {
		fmt.Fprintf(t, "%s\tours\t%.4g\t1\t%s\n", r.Name, r.Ours, comparisons[i].allocations(ours))
		for _, peer := range slices.Sorted(maps.Keys(r.Peers)) {
			fmt.Fprintf(t, "\t%s\t%.4g\t%.2f\t%s\n", peer, r.Peers[peer], r.Peers[peer]/r.Ours, comparisons[i].allocations(peer))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range comparisons {
		fmt.Fprintf(w, "\n%s: %s\n", c.name, c.note)
	}
	return nil
}

// allocations of one contestant, for the table.
func (c *comparison) allocations(name string) string {
	for _, one := range c.contestants {
		if one.name == name && one.allocs >= 0 {
			return fmt.Sprint(one.allocs)
		}
	}
	return ""
}
