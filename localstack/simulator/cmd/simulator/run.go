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
	cfg, err := configured(args, diagnostics)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := simulator.Start(cfg)
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

// configured reads the arguments. The diagnostics get the help.
func configured(args []string, diagnostics io.Writer) (simulator.Config, error) {
	var cfg simulator.Config
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	listen := flags.String("listen", "127.0.0.1:0", "host, or `host:port` for nine fixed ports in a row")
	speed := flags.Float64("speed", 1, "how many times faster than the wall clock its time runs")
	flags.Float64Var(&cfg.CallsPerSecond, "rate", 1, "calls that leave Twilio's queue each second; 0 lets them leave at once")
	flags.Func("reach", "`end=host:port`: where Twilio finds hosts whose names end so; may be repeated", func(s string) error {
		end, at, ok := strings.Cut(s, "=")
		if !ok || end == "" || at == "" {
			return errors.New("it has to be like .example.com=127.0.0.1:443")
		}
		if cfg.Reach == nil {
			cfg.Reach = map[string]string{}
		}
		cfg.Reach[end] = at
		return nil
	})
	switch err := flags.Parse(args); {
	case err != nil:
		return cfg, err
	case flags.NArg() > 0:
		return cfg, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case !(*speed > 0):
		return cfg, errors.New("the speed has to be above zero")
	case !(cfg.CallsPerSecond >= 0):
		return cfg, errors.New("the rate has to be zero or more")
	}
	cfg.Clock = clock.New(time.Time{}, *speed)
	var err error
	cfg.Host, cfg.Port, err = address(*listen)
	return cfg, err
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
	if err != nil || port < 0 || port > 65535-8 {
		return "", 0, fmt.Errorf("%q is no port", digits)
	}
	return host, port, nil
}
