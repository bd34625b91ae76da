package cli

import (
	"context"
	"errors"
	"fmt"

	"callagent/core/call"
	"callagent/infra/operator"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// resolveCommand settles a call that ended unknown.
type resolveCommand struct {
	ID string          `arg:"" name:"call" help:"campaign/contact_id, or the contact_id alone if it is in one campaign only."`
	As operator.Answer `arg:"" help:"rang completes it, redial calls once more, drop gives it up."`
}

// becomes continues "spring/c-001 is" for each answer.
var becomes = map[operator.Answer]string{
	operator.Rang:   "completed now, with the result rang: the CRM is told when callagent runs",
	operator.Redial: "on the queue again: callagent rings once more when it runs, and keeps the call before it as %s",
	operator.Drop:   "failed now: it is not called again",
}

// Run is the command.
func (c *resolveCommand) Run(g *grammar, w World) error {
	if err := oneOf("answer", c.As, operator.Answers()); err != nil {
		return err
	}
	return withStore(g, w, false, func(ctx context.Context, store wiring.Store, _ settings.Settings) error {
		found, err := findCall(ctx, store, c.ID)
		if err != nil {
			return err
		}
		sentence, err := c.resolve(ctx, store, found.Key)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(w.Out, sentence)
		return err
	})
}

// resolve settles the call and says what became of it.
func (c *resolveCommand) resolve(ctx context.Context, store wiring.Store, k call.Key) (string, error) {
	done, err := operating(store).Resolve(ctx, k, c.As)
	if err != nil {
		return "", err
	}
	means := becomes[c.As]
	if done.Write.Keep != nil {
		means = fmt.Sprintf(means, done.Write.Keep.Key)
	}
	sentence := fmt.Sprintf("%s is %s.", k, means)
	if done.Unwoken != nil {
		err = fmt.Errorf("%s But the queue did not take its message (%w): a running callagent finds it within minutes", sentence, done.Unwoken)
	}
	if done.Unnoted != nil {
		err = errors.Join(err, fmt.Errorf("%s But %w", sentence, unnoted(done.Unnoted)))
	}
	return sentence, err
}
