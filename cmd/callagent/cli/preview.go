package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"callagent/core/call"
	"callagent/core/journal"
	"callagent/infra/clock"
	"callagent/infra/contactlist"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// previewCommand makes what the first contacts of a list would hear. It calls
// nobody and stores nothing but the recordings.
type previewCommand struct {
	File     string `arg:"" help:"List of contacts as CSV; - reads standard input."`
	Number   int    `short:"n" help:"How many contacts, from the top." default:"1" placeholder:"N"`
	Campaign string `help:"Campaign of contacts that name none." default:"default" placeholder:"NAME"`
	Out      string `help:"Folder for the recordings." default:"." placeholder:"DIR"`
}

// Run is the command.
func (c *previewCommand) Run(g *grammar, w World) error {
	if c.Number < 1 {
		return usageError{fmt.Errorf("-n %d makes no sense: use 1 or more", c.Number)}
	}
	ctx, _, release := stopping(w)
	defer release()
	s, err := g.loadShared(ctx, w)
	if err != nil {
		return err
	}
	p, err := wiring.NewPreview(s, &clock.Clock{})
	if err != nil {
		return err
	}
	return errors.Join(c.preview(ctx, w, s, p), p.Close())
}

// preview goes through the list until it has enough contacts.
func (c *previewCommand) preview(ctx context.Context, w World, s settings.Settings, p *wiring.Preview) error {
	o := enqueueOptions{Campaign: c.Campaign, Settings: s}
	if err := o.check(); err != nil {
		return err
	}
	l, err := openList(ctx, w.In, c.File, false)
	if err != nil {
		return err
	}
	made, refused := 0, 0
	for row, wrong := range contactlist.Read(l, contactlist.Options{Campaign: o.Campaign, Known: o.knows, Now: time.Now()}) {
		if l.refuses(wrong, w.Err) {
			refused++
			continue
		}
		if wrong != nil {
			err = fmt.Errorf("%s: %w", l.name, wrong)
			break
		}
		if err = c.one(ctx, w, p, row.Contact); err != nil {
			break
		}
		if made++; made == c.Number {
			break
		}
	}
	if ctx.Err() != nil {
		err = errInterrupted
	}
	if err == nil && refused > 0 {
		err = exit(failed)
	}
	return errors.Join(err, l.Close())
}

// one shows the script of one contact and writes the recording.
func (c *previewCommand) one(ctx context.Context, w World, p *wiring.Preview, contact call.Contact) error {
	script, audio, err := p.Make(ctx, contact)
	if script != "" {
		_, printing := fmt.Fprintf(w.Out, "%s  %s  %s\n%s\n", contact.Key(), journal.Mask(contact.Phone), oneLine(contact.Name), printable(script))
		err = errors.Join(err, printing)
	}
	if err != nil {
		return err
	}
	file := filepath.Join(c.Out, "preview-"+contact.ID+".mp3")
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return unwritable(file, err)
	}
	if err := os.WriteFile(file, audio.Data, 0o600); err != nil {
		return unwritable(file, err)
	}
	_, err = fmt.Fprintf(w.Out, "Recording: %s\n\n", file)
	return err
}

// printable keeps the lines of a script and nothing that moves the cursor.
func printable(script string) string {
	lines := strings.Split(script, "\n")
	for i, line := range lines {
		lines[i] = oneLine(line)
	}
	return strings.Join(lines, "\n")
}

func unwritable(file string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("%s: the recording cannot be written (%w): choose another folder with --out", file, err)
}
