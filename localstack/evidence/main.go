// Command evidence plays the required scenario with the real command, one
// process that works and one that serves the dashboard, against the provider
// simulator, and writes down what everybody saw of it: the log, the providers'
// side, the alerts as each channel received them, the cells of the sheet and
// pictures of the dashboard. docs/evidence is made by it and by nobody's hand.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{Speed: 1, Browser: true, Progress: os.Stderr}
	flag.StringVar(&o.Binary, "callagent", "build/callagent", "the command to play with")
	out := flag.String("out", "docs/evidence", "folder for the page and its parts; what is in it is replaced")
	flag.Parse()
	if err := produce(ctx, o, *out); err != nil {
		fmt.Fprintln(os.Stderr, "evidence:", err)
		stop()
		os.Exit(1)
	}
}

// produce plays the scenario and replaces the folder by what it showed. A run
// that does not show what the page claims changes nothing.
func produce(ctx context.Context, o options, folder string) error {
	parts, err := record(ctx, o)
	if err != nil {
		return err
	}
	if parts[pageFile], err = page(parts); err != nil {
		return err
	}
	return parts.save(folder)
}
