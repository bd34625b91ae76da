package cli

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"callagent/docs/docstest"
)

// costsOf runs callagent cost.
func costsOf(t *testing.T, status int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if got := Run(append([]string{"cost"}, args...), World{Out: &out, Err: &out}); got != status {
		t.Fatalf("cost %v: exit status %d, want %d: %s", args, got, status, &out)
	}
	return out.String()
}

// docs/cost.md shows what the command prints.
func TestThePageOfCosts(t *testing.T) {
	for name, args := range map[string][]string{"bills": {"--contacts", "10000", "--outage", "1h"}, "counts": {"--counts"}, "prices": {"--prices"}} {
		docstest.Part(t, "cost.md", name, "```text\n"+costsOf(t, ok, args...)+"```\n")
	}
}

func TestCostsForPrograms(t *testing.T) {
	var got struct {
		PricedOn string `json:"priced_on"`
		Prices   []struct{ Item, Page string }
		Cases    []struct {
			Name    string
			Dollars float64
			Lines   []struct {
				Item    string
				Dollars float64
			}
		}
	}
	if err := json.Unmarshal([]byte(costsOf(t, ok, "--json", "--contacts", "200", "--outage", "90m")), &got); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range got.Cases {
		names = append(names, c.Name)
		sum := 0.0
		for _, l := range c.Lines {
			sum += l.Dollars
		}
		if c.Dollars <= 0 || math.Abs(sum-c.Dollars) > 1e-9 {
			t.Errorf("%s costs %g dollars, its lines %g", c.Name, c.Dollars, sum)
		}
	}
	if s := strings.Join(names, " "); s != "per_1000 campaign outage sleeping_once sleeping_through idle_month" {
		t.Errorf("cases %s", s)
	}
	if fifth := got.Cases[1].Dollars / got.Cases[0].Dollars; math.Abs(fifth-0.2) > 1e-9 {
		t.Errorf("200 contacts cost %g of what 1,000 do", fifth)
	}
	if len(got.Prices) == 0 || len(got.PricedOn) != len("2026-11-23") {
		t.Errorf("prices %v of %q", got.Prices, got.PricedOn)
	}
}

func TestCostOfNothing(t *testing.T) {
	for flag, want := range map[string]string{"--contacts=0": "1 or more", "--outage=0s": "above zero", "--outage=long": "duration"} {
		if text := costsOf(t, usage, flag); !strings.Contains(text, want) {
			t.Errorf("%s is refused with %q", flag, text)
		}
	}
}

func TestQuantitiesForPeople(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -3747: "-3,747", -100: "-100", 0.4: "0.4", 0.00566: "0.0057", 12.6: "13"} {
		if got := grouped(n); got != want {
			t.Errorf("%g is shown as %q, want %q", n, got, want)
		}
	}
}
