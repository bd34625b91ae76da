package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"callagent/infra/settings"
	"callagent/infra/wiring/doctor"
)

// doctorCommand finds out what is wrong with the set-up.
type doctorCommand struct {
	JSON     bool   `help:"Print one JSON document." name:"json"`
	SendTest bool   `help:"Send a test alert on each channel; without it nothing is sent anywhere."`
	Listen   string `help:"Answer at this address, that of run --listen, to see whether PUBLIC_URL leads to it." placeholder:"HOST:PORT"`
}

// diagnosis is what the doctor found; its JSON form is stable.
type diagnosis struct {
	Checks []doctor.Finding `json:"checks"`
}

// Run is the command.
func (c *doctorCommand) Run(g *grammar, w World) error {
	ctx, _, release := stopping(w)
	defer release()
	s, cloud, err := g.loadForDoctor(ctx, w)
	if err != nil {
		return err
	}
	d := diagnosis{doctor.Examine(ctx, doctor.Options{Settings: s, Cloud: cloud, Listen: c.Listen, SendTest: c.SendTest})}
	if ctx.Err() != nil {
		return errInterrupted
	}
	if c.JSON {
		err = printJSON(w.Out, d)
	} else {
		err = d.print(w.Out)
	}
	if err == nil && d.count(doctor.Error) > 0 {
		return exit(failed)
	}
	return err
}

// loadForDoctor reads the settings, with --store aws from where the functions
// read them, and the secrets too. cloud is nil on one machine.
func (g *grammar) loadForDoctor(ctx context.Context, w World) (s settings.Settings, cloud *doctor.Cloud, err error) {
	in, err := g.inCloud()
	if err != nil || !in {
		s, err = g.load(w)
		return s, nil, err
	}
	cloud = doctor.Read(ctx, w.Env)
	w.Env = cloud.Env(w.Env)
	if cloud.Settings == nil || g.Settings != "" {
		s, err = g.load(w)
	} else {
		s, err = g.loadObject(w, *cloud.Settings)
	}
	return s, cloud, err
}

func (d diagnosis) count(status doctor.Status) (n int) {
	for _, f := range d.Checks {
		if f.Status == status {
			n++
		}
	}
	return n
}

// print writes a line for each finding, and a last one that counts.
func (d diagnosis) print(w io.Writer) error {
	t := newTable(w, "STATUS", "SERVICE", "CHECK", "WHAT IT MEANS, AND WHAT TO DO")
	for _, f := range d.Checks {
		t.row(f.Status, f.Service, f.Check, strings.TrimSpace(f.Meaning+" "+f.Remedy))
	}
	if err := t.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s, %s.\n", number(d.count(doctor.Error), "error"), number(d.count(doctor.Warning), "warning"))
	return err
}
