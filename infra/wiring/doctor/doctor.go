// Package doctor finds out in seconds what is wrong with a set-up: for each
// service that is configured it makes the cheapest real requests that prove key,
// permission, quota and the things that the settings name. It rings nobody, and
// changes and sends nothing, unless it is asked for test alerts.
package doctor

import (
	"context"
	"slices"
	"sync"
	"time"

	"callagent/infra/settings"
)

// DefaultLimit bounds each check unless the options say otherwise.
const DefaultLimit = 10 * time.Second

// Options say what is examined.
type Options struct {
	Settings settings.Settings
	Cloud    *Cloud // what [Read] found in AWS; nil on one machine
	// Listen is the address at which callagent run serves recordings. When
	// nobody uses it, the doctor serves there for a moment to see whether
	// PUBLIC_URL leads to it. "" leaves that out.
	Listen   string
	SendTest bool             // sends a test alert on each channel
	Limit    time.Duration    // bounds each check; 0 means DefaultLimit
	Now      func() time.Time // this machine's clock; nil means time.Now
}

// check is one thing to find out.
type check struct {
	service, name string
	run           func(context.Context) verdict
}

// Examine makes all checks at once and gives their findings, in an order that
// does not depend on how they end. It takes little more than the limit of one.
func Examine(ctx context.Context, o Options) []Finding {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	e := &exam{Options: o}
	e.plan()
	defer e.close()
	return report(e.checks, e.run(ctx))
}

// run makes the checks and gives their verdicts in the same order.
func (e *exam) run(ctx context.Context) []verdict {
	verdicts := make([]verdict, len(e.checks))
	var all sync.WaitGroup
	for i, c := range e.checks {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, e.Limit)
			defer cancel()
			verdicts[i] = c.run(ctx)
		})
	}
	all.Wait()
	return verdicts
}

// report words the verdicts. What keeps a whole service from working is told
// once, by the first of its checks.
func report(checks []check, verdicts []verdict) []Finding {
	type cause struct{ service, result string }
	told := map[cause]bool{}
	findings := []Finding{}
	for i, c := range checks {
		at := cause{c.service, verdicts[i].result}
		if told[at] && slices.Contains(wholeService, at.result) {
			continue
		}
		told[at] = true
		findings = append(findings, word(c, verdicts[i]))
	}
	return findings
}

// exam is the checks that the settings call for and the clients that they use.
type exam struct {
	Options
	checks  []check
	closers []func()
}

// plan lists the checks in the order of the findings.
func (e *exam) plan() {
	e.planMachine()
	e.planProviders()
	e.planChannels()
	e.planSheet()
	e.planStore()
}

func (e *exam) add(service, name string, run func(context.Context) verdict) {
	e.checks = append(e.checks, check{service, name, run})
}

// found adds a verdict that takes no request.
func (e *exam) found(service, name string, v verdict) {
	e.add(service, name, func(context.Context) verdict { return v })
}

func (e *exam) onClose(f func()) { e.closers = append(e.closers, f) }

func (e *exam) close() {
	for _, f := range e.closers {
		f()
	}
}
