package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/option"
	api "google.golang.org/api/sheets/v4"

	"callagent/localstack/simulator"
)

// watchSheet keeps the Status as it is when its staff sees the circuit open.
func (r *rehearsal) watchSheet(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !slices.ContainsFunc(r.sim.Tabs(), showsOpen) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil // a fast run is over before the sheet's next round
		}
	}
	r.say("the sheet shows OPEN")
	return r.sheet(context.WithoutCancel(ctx), "Status", sheetOpen)
}

func showsOpen(t simulator.Tab) bool {
	return t.Title == "Status" && slices.ContainsFunc(t.Rows, func(row []string) bool { return slices.Contains(row, "OPEN") })
}

// sheet asks the Sheets API for a tab, with Google's own client and way of
// signing in, and keeps the answer.
func (r *rehearsal) sheet(ctx context.Context, tab, file string) error {
	env := map[string]string{}
	for _, pair := range r.sim.Env() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	service, err := api.NewService(ctx, option.WithEndpoint(env["SHEETS_ENDPOINT"]),
		option.WithAuthCredentialsFile(option.ServiceAccount, env["GOOGLE_APPLICATION_CREDENTIALS"]))
	if err != nil {
		return err
	}
	answer, err := service.Spreadsheets.Values.Get(env["SHEETS_SPREADSHEET_ID"], tab).Context(ctx).Do()
	if err != nil {
		return err
	}
	rows, err := linewise(answer.Values)
	r.keep(file, fmt.Appendf(nil, "{\"range\": %q, \"majorDimension\": %q, \"values\": %s}\n", answer.Range, answer.MajorDimension, rows))
	return err
}
