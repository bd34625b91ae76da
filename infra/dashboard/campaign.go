package dashboard

import (
	"fmt"
	"slices"

	"callagent/core/call"
)

// group is how the ends of calls are told apart by colour.
type group struct {
	Class string // in the style sheet
	Label string
}

// groups lists them from the bottom of a chart to its top.
var groups = []group{
	{"answered", "Answered"},
	{"machine", "Voicemail or fax"},
	{"missed", "Not reached"},
	{"failed", "Failed or expired"},
	{"unknown", "Unknown"},
}

// groupOf is the index of a final state and result among the groups.
func groupOf(s call.State, r call.Result) int {
	switch {
	case s == call.Unknown:
		return 4
	case s != call.Completed:
		return 3
	case r == call.Answered || r == call.Rang:
		return 0
	case r == call.Voicemail || r == call.Fax:
		return 1
	}
	return 2
}

// campaign is how far a campaign is.
type campaign struct {
	Name       string
	All, Ended int
	Kept       int // calls of earlier rounds
	Tallies    []tally
	Bar        []bar // of all calls by group, on a line of barLength
}

// tally is how many calls stand in one way.
type tally struct {
	Class string // of a group, "" while the call goes on
	Label string
	Calls int
}

// bar is a part of a campaign's bar.
type bar struct {
	Class    string
	X, Width int
}

// barLength is how long a campaign's bar is.
const barLength = 1000

// campaignList is all campaigns, and how far they are together.
type campaignList struct {
	Progress  string
	Campaigns []campaign
}

// campaigns sums up the counts by campaign, in their order.
func campaigns(counts []call.Count) campaignList {
	var all []campaign
	for len(counts) > 0 {
		name, n := counts[0].Campaign, 1
		for n < len(counts) && counts[n].Campaign == name {
			n++
		}
		all = append(all, campaignOf(name, counts[:n]))
		counts = counts[n:]
	}
	return campaignList{progress(all), all}
}

func campaignOf(name string, counts []call.Count) campaign {
	c := campaign{Name: name}
	perGroup := make([]int, len(groups))
	for _, n := range counts {
		c.All += n.Calls
		c.Kept += n.Kept
		if n.Calls == 0 {
			continue
		}
		t := tally{Label: label(n), Calls: n.Calls}
		if n.State.Final() {
			g := groupOf(n.State, n.Result)
			t.Class = groups[g].Class
			perGroup[g] += n.Calls
			c.Ended += n.Calls
		}
		c.Tallies = append(c.Tallies, t)
	}
	slices.SortStableFunc(c.Tallies, func(a, b tally) int { return place(a.Class) - place(b.Class) })
	at := 0
	for g, n := range perGroup {
		if n > 0 {
			width := max(4, n*barLength/c.All)
			c.Bar = append(c.Bar, bar{Class: groups[g].Class, X: at, Width: width})
			at += width
		}
	}
	return c
}

// place sorts what goes on behind what has ended.
func place(class string) int {
	if class == "" {
		return len(groups)
	}
	return slices.IndexFunc(groups, func(g group) bool { return g.Class == class })
}

// labels are words for states that say more than the states' own.
var labels = map[call.State]string{
	call.Running: "Under way", call.Waiting: "Waiting", call.Parked: "Set aside", call.Reconciling: "Asking whether it rang",
	call.Failed: "Failed", call.Unknown: "Unknown", call.Expired: "Expired",
}

var resultLabels = map[call.Result]string{
	call.Answered: "Answered", call.Voicemail: "Voicemail", call.Fax: "Fax", call.Busy: "Busy", call.NoAnswer: "No answer",
	call.NotConnected: "Not connected", call.Canceled: "Cancelled", call.Rang: "Rang",
}

func label(n call.Count) string {
	if n.State == call.Completed {
		if l, known := resultLabels[n.Result]; known {
			return l
		}
		return "Completed"
	}
	if l, known := labels[n.State]; known {
		return l
	}
	return string(n.State)
}

// progress says how far all campaigns are.
func progress(all []campaign) string {
	total, ended := 0, 0
	for _, c := range all {
		total += c.All
		ended += c.Ended
	}
	if total == 0 {
		return "No call has begun yet."
	}
	return fmt.Sprintf("%s of %s begun have ended.", number(ended), calls(total))
}
