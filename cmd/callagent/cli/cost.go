package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"callagent/infra/cost"
	"callagent/infra/settings"
)

// costCommand says what a campaign and an outage cost in AWS.
type costCommand struct {
	Contacts int           `help:"How many contacts." default:"10000"`
	Outage   time.Duration `help:"How long a service is down, like 1h." default:"1h"`
	Prices   bool          `help:"Show the prices that it counts with, and their pages."`
	Counts   bool          `help:"Show the operations that were counted."`
	JSON     bool          `help:"Print one JSON document." name:"json"`
}

// costs is what the command says; its JSON form is stable.
type costs struct {
	Region   string       `json:"region"`
	PricedOn string       `json:"priced_on"` // a day
	Prices   []cost.Price `json:"prices"`
	Counts   cost.Counts  `json:"counts"`
	Cases    []costCase   `json:"cases"`
}

// costCase is one thing that costs.
type costCase struct {
	Name    string `json:"name"` // stable
	Says    string `json:"says"`
	Figures bool   `json:"-"` // people get its figures too
	cost.Bill
}

// Run is the command.
func (c *costCommand) Run(w World) error {
	switch {
	case c.Contacts < 1:
		return usageError{errors.New("--contacts must be 1 or more")}
	case c.Outage <= 0:
		return usageError{errors.New("--outage must be a time above zero, like 1h")}
	}
	counts := cost.Measured()
	all := costs{cost.Region, cost.PricedOn.Format(time.DateOnly), cost.Prices(), counts, c.cases(counts)}
	switch {
	case c.JSON:
		return printJSON(w.Out, all)
	case c.Prices:
		return all.printPrices(w.Out)
	case c.Counts:
		return all.printCounts(w.Out)
	}
	return all.print(w.Out)
}

// cases are the healthy campaign, the outage and the month.
func (c *costCommand) cases(counts cost.Counts) []costCase {
	contacts, length := grouped(float64(c.Contacts)), settings.Short(c.Outage)
	waiting := fmt.Sprintf("an outage of %s, %s contacts waiting", length, contacts)
	return []costCase{
		{"per_1000", "1,000 contacts called, nothing fails", true, counts.Campaign(1000)},
		{"campaign", contacts + " contacts called, nothing fails", false, counts.Campaign(c.Contacts)},
		{"outage", waiting + ", besides their calls", true, counts.Outage(c.Contacts, c.Outage)},
		{"sleeping_once", "the same, sleeping inside the function, each contact given up after its retries", false, cost.SleepingOnce(c.Contacts)},
		{"sleeping_through", "the same, sleeping, each tried every " + settings.Short(cost.SleepReturn) + " until it is over", false, cost.SleepingThrough(c.Contacts, c.Outage)},
		{"idle_month", "a month in which nothing happens, " + contacts + " calls in the ledger", false, counts.Idle(c.Contacts)},
	}
}

// print writes the cases and the figures of the first for people.
func (c costs) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "What AWS charges in %s by the prices of %s, nothing free taken off.\nOperations are counted, times are assumed. LLM, ElevenLabs and Twilio are not in it.\n\n", c.Region, c.PricedOn); err != nil {
		return err
	}
	t := newTable(w, "DOLLARS", "FOR")
	for _, one := range c.Cases {
		t.row(dollars(one.Dollars), one.Says)
	}
	err := t.Close()
	for _, one := range c.Cases {
		if one.Figures && err == nil {
			err = one.print(w)
		}
	}
	return err
}

// print writes the lines of a bill.
func (c costCase) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "\n%s:\n", strings.ToUpper(c.Says[:1])+c.Says[1:]); err != nil {
		return err
	}
	t := newTable(w, "DOLLARS", "QUANTITY", "OF")
	for _, l := range c.Lines {
		t.row(dollars(l.Dollars), grouped(l.Quantity), l.Name)
	}
	return t.Close()
}

func (c costs) printPrices(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "Prices in %s on %s, on demand.\n\n", c.Region, c.PricedOn); err != nil {
		return err
	}
	t := newTable(w, "DOLLARS", "FOR", "OF", "FREE EACH MONTH", "PAGE")
	for _, p := range c.Prices {
		t.row(strconv.FormatFloat(p.Dollars, 'f', -1, 64), grouped(p.Per), p.Name, p.Free, p.Page)
	}
	return t.Close()
}

func (c costs) printCounts(w io.Writer) error {
	t := newTable(w, "WRITE UNITS", "READ UNITS", "SQS", "S3 WRITES", "S3 READS", "LOG BYTES", "RUNS", "SECONDS", "FOR")
	for _, r := range c.Counts.Rows() {
		runs, took := r.Runs()
		t.row(share(r.WriteUnits), share(r.ReadUnits), share(r.Queue), share(r.S3Writes), share(r.S3Reads), grouped(math.Round(r.LogBytes)), share(runs), strconv.FormatFloat(took.Seconds(), 'f', 2, 64), r.Says)
	}
	return t.Close()
}

// share shows a count that may be one of several things' average.
func share(n float64) string { return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) }

// dollars shows cents, and of less than ten cents two figures.
func dollars(d float64) string {
	if d > -0.1 && d < 0.1 {
		return strconv.FormatFloat(d, 'f', 4, 64)
	}
	return strconv.FormatFloat(d, 'f', 2, 64)
}

// grouped shows a quantity like 12,345; less than ten of it with its decimals.
func grouped(n float64) string {
	if math.Abs(n) < 10 && n != math.Trunc(n) {
		return strconv.FormatFloat(n, 'g', 2, 64)
	}
	digits, sign := strconv.FormatFloat(math.Abs(n), 'f', 0, 64), ""
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n < 0 {
		sign = "-"
	}
	return sign + digits
}
