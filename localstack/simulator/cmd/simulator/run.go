package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"callagent/infra/clock"
	"callagent/localstack/simulator"
)

// run serves until ctx is done. A request for help is no error.
func run(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	listen := flags.String("listen", "127.0.0.1:0", "host, or `host:port` for nine fixed ports in a row")
	speed := flags.Float64("speed", 1, "how many times faster than the wall clock its time runs")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case !(*speed > 0):
		return errors.New("the speed has to be above zero")
	}
	host, port, err := address(*listen)
	if err != nil {
		return err
	}
	s, err := simulator.Start(simulator.Config{Clock: clock.New(time.Time{}, *speed), Host: host, Port: port, CallsPerSecond: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	for _, setting := range s.Env() {
		name, value, _ := strings.Cut(setting, "=")
		fmt.Fprintf(out, "export %s='%s'\n", name, value)
	}
	fmt.Fprintf(out, "# reading back and changing faults: %s\n", s.URLs()["control"])
	<-ctx.Done()
	return nil
}

// address reads a host with or without a port.
func address(s string) (host string, port int, err error) {
	if !strings.Contains(s, ":") {
		return s, 0, nil
	}
	host, digits, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(digits)
	if err != nil || port < 0 || port > 65535-7 {
		return "", 0, fmt.Errorf("%q is no port", digits)
	}
	return host, port, nil
}
