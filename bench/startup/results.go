package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

// mostOver is how much longer than the empty handler a function may take.
const mostOver = 40 * time.Millisecond

// result is the medians of a function. Times are in milliseconds.
type result struct {
	Name     string           `json:"name"`
	Took     float64          `json:"took_ms"`    // exec to first answer
	Network  float64          `json:"network_ms"` // of it, waiting for servers
	Own      float64          `json:"own_ms"`     // the rest
	Over     float64          `json:"over_empty_ms"`
	CPU      float64          `json:"cpu_ms"`
	Peak     int64            `json:"peak_bytes"`
	Zipped   map[string]int64 `json:"zip_bytes"`
	ZipLimit int64            `json:"zip_limit_bytes,omitempty"`
}

// resultsOf gives the medians, those of the empty handler first.
func resultsOf(all []*program) []result {
	nothing := all[0].starts
	var results []result
	for _, p := range all {
		results = append(results, result{
			Name: p.name, Zipped: p.zipped, ZipLimit: p.limit,
			Took:    p.median(func(s sample) time.Duration { return s.took }),
			Network: p.median(func(s sample) time.Duration { return s.network }),
			Own:     p.median(sample.own),
			Over:    over(p.starts, nothing),
			CPU:     p.median(func(s sample) time.Duration { return s.cpu }),
			Peak:    middle(each(p.starts, func(s sample) int64 { return s.peak })),
		})
	}
	return results
}

// median is in milliseconds.
func (p *program) median(of func(sample) time.Duration) float64 {
	return milliseconds(middle(each(p.starts, of)))
}

// over compares with the empty handler round by round, so that what else the
// machine does counts for both.
func over(starts, nothing []sample) float64 {
	var differences []time.Duration
	for i := range starts {
		differences = append(differences, starts[i].own()-nothing[i].own())
	}
	return milliseconds(middle(differences))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func each[T any](starts []sample, of func(sample) T) []T {
	var all []T
	for _, s := range starts {
		all = append(all, of(s))
	}
	return all
}

func middle[T ~int64](of []T) T {
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
func table(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "function\tfirst answer, ms\tof it network\tits own\tover empty\tCPU, ms\tpeak, MiB\tzip arm64, MB\tzip amd64\tlimit\t")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.1f\t%.1f\t%.0f\t%.1f\t%s\t%s\t%s\t\n", r.Name, r.Took, r.Network, r.Own, r.Over, r.CPU,
			float64(r.Peak)/(1<<20), megabytes(r.Zipped["arm64"]), megabytes(r.Zipped["amd64"]), megabytes(r.ZipLimit))
	}
	return t.Flush()
}

// sizeTable prints the sizes alone.
func sizeTable(w io.Writer, all []*program) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "function\tzip arm64, MB\tzip amd64\tlimit\t")
	for _, p := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", p.name, megabytes(p.zipped["arm64"]), megabytes(p.zipped["amd64"]), megabytes(p.limit))
	}
	return t.Flush()
}

// megabytes shows a size; 0 is none.
func megabytes(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(n)/megabyte)
}

// deployed is the architecture that the limits of sizes are for.
const deployed = "arm64"

// oversize is an error for every zip file that is larger than it may be.
func oversize(all []*program) error {
	var errs []error
	for _, p := range all {
		if size := p.zipped[deployed]; p.limit > 0 && size > p.limit {
			errs = append(errs, fmt.Errorf("the zip of %s has %d bytes, and may have %d", p.name, size, p.limit))
		}
	}
	return errors.Join(errs...)
}

// late is an error for every function that starts too slowly.
func late(results []result) error {
	var errs []error
	for _, r := range results {
		if most := milliseconds(mostOver); r.Over > most {
			errs = append(errs, fmt.Errorf("%s takes %.1f ms more than the empty handler, and may take %.0f", r.Name, r.Over, most))
		}
	}
	return errors.Join(errs...)
}
