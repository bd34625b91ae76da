package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"callagent/infra/dashboard"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// dashboardCommand serves the page that staff watch.
type dashboardCommand struct {
	Listen string        `help:"Address that the page is served at. Beyond this machine it needs OPERATOR_TOKEN." default:"127.0.0.1:8480" placeholder:"HOST:PORT"`
	Fresh  time.Duration `help:"How old the counts of calls may be. Without it a second, and a minute in AWS, where counting reads the whole table." placeholder:"DURATION"`
}

// Run is the command.
func (c *dashboardCommand) Run(g *grammar, w World) error {
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, s settings.Settings) error {
		o := c.options(store, s)
		var err error
		if o.Exposed, err = dashboard.Exposed(c.Listen, o.Token); err != nil {
			return usageError{fmt.Errorf("--listen %s: %w", c.Listen, err)}
		}
		listener, err := net.Listen("tcp", c.Listen)
		if err != nil {
			return fmt.Errorf("cannot listen on %s: choose another address with --listen (%w)", c.Listen, err)
		}
		if _, err := fmt.Fprintf(w.Out, "The dashboard is at http://%s/ until you press Ctrl-C.\n", listener.Addr()); err != nil {
			return errors.Join(err, listener.Close())
		}
		return serve(ctx, listener, dashboard.New(o))
	})
}

func (c *dashboardCommand) options(store wiring.Store, s settings.Settings) dashboard.Options {
	o := dashboard.Options{
		Store: store, Source: s.Store, Token: string(s.Providers.OperatorToken), User: userName(), Fresh: c.Fresh,
	}
	for _, name := range settings.ServiceNames() {
		o.Services = append(o.Services, dashboard.Service{Name: name, Circuit: s.Services[name].Circuit})
	}
	if s.Store == inAWS {
		o.Elsewhere = "The functions’ log in CloudWatch and the Google Sheet have the events; no table keeps them."
		if o.Fresh == 0 {
			o.Fresh = time.Minute
		}
	}
	return o
}

// serve answers requests until the context ends. Pages that listen for changes
// end with it.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		stopped <- server.Shutdown(last)
	})
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
