package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"callagent/core/agent"
	"callagent/infra/sqlite"
)

// recordings is the folder of scripts and recordings, and what is known of its
// disk.
type recordings struct {
	agent.Media
	dir string
	now func() time.Time

	failing sqlite.Failures // to keep or to read
}

// Put keeps data and notes whether that went well.
func (r *recordings) Put(ctx context.Context, name, contentType string, data []byte) (string, error) {
	ref, err := r.Media.Put(ctx, name, contentType, data)
	if ctx.Err() == nil {
		r.failing.Note(r.now(), err)
	}
	return ref, err
}

// Get reads and notes it when the folder fails. That one file is there does not
// show that the next can be written.
func (r *recordings) Get(ctx context.Context, ref string) ([]byte, error) {
	data, err := r.Media.Get(ctx, ref)
	if err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrNotExist) {
		r.failing.Note(r.now(), err)
	}
	return data, err
}

// diskTrouble says for how long the store or the recordings could not be
// written, and why; a nil error is none. One failure that nobody has repeated
// has lasted no time.
func (app *App) diskTrouble() (lasted time.Duration, err error) {
	if lasted, err := app.Store.Failing(); err != nil {
		return lasted, fmt.Errorf("the store cannot be written: %w", err)
	}
	lasted, err = app.recordings.failing.Lasted()
	if err != nil {
		err = fmt.Errorf("scripts and recordings cannot be kept or read: %w: see that the disk of %s has room and that you may read and write it", err, app.recordings.dir)
	}
	return lasted, err
}

// tryAgain is how often one message is taken while the disk is in trouble, to
// see whether it is over.
const tryAgain = 5 * time.Second

// feed gives due messages to free workers. A disk that takes nothing would have
// everybody's script and recording paid for and lost, so meanwhile only one
// message is taken at a time.
func (p *pool) feed(ctx context.Context) {
	now := p.app.Clock.Now()
	most := p.app.settings.Workers
	if _, err := p.app.diskTrouble(); err != nil {
		if now.Sub(p.fed) < tryAgain {
			return
		}
		most = 1
	}
	p.fed = now
	if err := p.fill(ctx, most); err != nil && !errors.Is(err, context.Canceled) {
		p.app.journalTrouble("queue_silent", "The queue does not answer: "+err.Error())
	}
}
