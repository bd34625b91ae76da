package cli

import "callagent/infra/settings"

// configCommand prints the settings that are in force.
type configCommand struct {
	JSON bool `help:"Print one JSON document." name:"json"`
}

// Run is the command.
func (c *configCommand) Run(g *grammar, w World) error {
	ctx, _, release := stopping(w)
	defer release()
	s, err := g.loadShared(ctx, w)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSON(w.Out, s)
	}
	return settings.Write(w.Out, s)
}
