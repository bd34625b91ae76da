package cli

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"callagent/core/journal"
	"callagent/infra/contactlist"
	"callagent/infra/settings"
	"callagent/infra/wiring"
)

// blockCommand keeps the do-not-call list. It holds keyed hashes only, so it
// cannot be listed.
type blockCommand struct {
	Add    blockAddCommand    `cmd:"" help:"Put phone numbers on the list."`
	Remove blockRemoveCommand `cmd:"" help:"Take phone numbers off the list."`
	Import blockImportCommand `cmd:"" help:"Put the phone numbers of a file on the list."`
}

// blockAddCommand blocks numbers. All of them have to be good.
type blockAddCommand struct {
	Phones []string `arg:"" name:"phone" help:"Phone numbers like +14155550100."`
}

// Run is the command.
func (c *blockAddCommand) Run(g *grammar, w World) error {
	return changeList(g, w, c.Phones, listChange{
		create: true, block: true, did: "put %s on the do-not-call list",
		now: "is blocked now: nobody calls it from this store", already: "was blocked already",
	})
}

// blockRemoveCommand unblocks numbers. All of them have to be good.
type blockRemoveCommand struct {
	Phones []string `arg:"" name:"phone" help:"Phone numbers like +14155550100."`
}

// Run is the command.
func (c *blockRemoveCommand) Run(g *grammar, w World) error {
	return changeList(g, w, c.Phones, listChange{
		did: "took %s off the do-not-call list",
		now: "is no longer blocked", already: "was not blocked",
	})
}

// listChange is what a command does with each of its numbers.
type listChange struct {
	create       bool   // the store, if there is none
	block        bool   // what the list says of a number afterwards
	did          string // in the journal
	now, already string // continue the number to a sentence
}

func changeList(g *grammar, w World, texts []string, l listChange) error {
	phones := make([]string, len(texts))
	for i, text := range texts {
		phone, err := contactlist.Phone(text)
		if err != nil {
			return usageError{err}
		}
		phones[i] = phone
	}
	return withStore(g, w, l.create, func(ctx context.Context, store wiring.Store, _ settings.Settings) error {
		secret, changed := store.Secret(), 0
		for _, phone := range phones {
			hash := wiring.HashNumber(secret, phone)
			was, err := store.Blocked(ctx, hash)
			if err != nil {
				return err
			}
			says := l.already
			if was != l.block {
				says = l.now
				changed++
				err = l.set(ctx, store, hash)
			}
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w.Out, "%s %s.\n", journal.Mask(phone), says); err != nil {
				return err
			}
		}
		return noteList(ctx, store, l.did, changed)
	})
}

func (l listChange) set(ctx context.Context, store wiring.Store, hash string) error {
	if l.block {
		return store.Block(ctx, hash)
	}
	return store.Unblock(ctx, hash)
}

// noteList puts a change of the list into the journal.
func noteList(ctx context.Context, store wiring.Store, did string, changed int) error {
	if changed == 0 {
		return nil
	}
	return note(ctx, store, "do_not_call_changed", fmt.Sprintf(did, number(changed, "number")))
}

// blockImportCommand blocks the numbers of a file. Bad lines are reported, the
// good ones still go; its exit status is then 1.
type blockImportCommand struct {
	File string `arg:"" help:"One phone number a line, or a CSV with a column phone; - reads standard input."`
}

// blocksAtOnce is how many numbers are stored together, because the store
// flushes them to the disk together.
const blocksAtOnce = 64

// Run is the command.
func (c *blockImportCommand) Run(g *grammar, w World) error {
	return withStore(g, w, true, func(ctx context.Context, store wiring.Store, _ settings.Settings) error {
		blocked, refused, err := c.read(ctx, w, store)
		err = errors.Join(err, noteList(context.WithoutCancel(ctx), store, "put %s on the do-not-call list", blocked))
		if _, printing := fmt.Fprintf(w.Out, "%s blocked, %s refused\n", number(blocked, "number"), number(refused, "line")); err == nil {
			err = printing
		}
		if err == nil && refused > 0 {
			return exit(failed)
		}
		return err
	})
}

// read blocks number by number and counts what became of the lines.
func (c *blockImportCommand) read(ctx context.Context, w World, store wiring.Store) (blocked, refused int, err error) {
	l, err := openList(ctx, w.In, c.File, false)
	if err != nil {
		return 0, 0, err
	}
	var stored atomic.Int64
	secret := store.Secret()
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(blocksAtOnce)
	for phone, wrong := range contactlist.Phones(l) {
		if l.refuses(wrong, w.Err) {
			refused++
			continue
		}
		if wrong != nil {
			err = fmt.Errorf("%s: %w", l.name, wrong)
		}
		if err != nil || working.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := store.Block(working, wiring.HashNumber(secret, phone)); err != nil {
				return err
			}
			stored.Add(1)
			return nil
		})
	}
	unstored := group.Wait()
	if ctx.Err() != nil {
		err, unstored = errInterrupted, nil
	}
	return int(stored.Load()), refused, errors.Join(err, unstored, l.Close())
}
