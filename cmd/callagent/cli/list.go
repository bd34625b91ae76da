package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"callagent/infra/contactlist"
)

// list is an open list of contacts.
type list struct {
	io.Reader
	name string // for people
	size int64  // in bytes; -1 when it is not known
	file *os.File
	pipe io.Closer // nil when the file itself is read
	temp bool      // the file is a copy of ours
}

// openList opens a file, or in for "-". twice makes sure that it can be read
// twice: what is no regular file is copied to a temporary one first.
func openList(ctx context.Context, in io.Reader, name string, twice bool) (*list, error) {
	l := &list{Reader: in, name: "standard input", size: -1}
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, unreadable(name, err)
		}
		info, err := file.Stat()
		if err == nil && info.IsDir() {
			err = errors.New("it is a folder")
		}
		if err != nil {
			return nil, errors.Join(unreadable(name, err), file.Close())
		}
		l.Reader, l.name, l.file = file, name, file
		if info.Mode().IsRegular() {
			l.size = info.Size()
			return l, nil
		}
	}
	pipe := until(ctx, l.Reader)
	l.Reader, l.pipe = pipe, pipe
	if !twice {
		return l, nil
	}
	return l.copied()
}

func unreadable(name string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return usageError{fmt.Errorf("%s: the list cannot be read (%w): check its path and who may read it", name, err)}
}

var errInterrupted = errors.New("interrupted")

// until reads from r but fails as soon as the context ends, even while r has
// nothing to give.
func until(ctx context.Context, r io.Reader) *io.PipeReader {
	out, in := io.Pipe()
	stop := context.AfterFunc(ctx, func() { in.CloseWithError(errInterrupted) })
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
		stop()
	}()
	return out
}

// copied gives the list as a temporary file that only its owner can read.
func (l *list) copied() (*list, error) {
	temp, err := os.CreateTemp("", "callagent-list-")
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	c := &list{Reader: temp, name: l.name, file: temp, temp: true}
	if c.size, err = io.Copy(temp, l); err == nil {
		err = c.rewind()
	} else {
		err = fmt.Errorf("%s: the list cannot be copied to a temporary file: %w", l.name, err)
	}
	if err = errors.Join(err, l.Close()); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// refuses reports a row that cannot be used; false for any other error.
func (l *list) refuses(err error, to io.Writer) bool {
	bad, isRow := errors.AsType[*contactlist.RowError](err)
	if isRow {
		fmt.Fprintf(to, "callagent: %s, %v\n", l.name, bad)
	}
	return isRow
}

// rewind goes back to the start of a file.
func (l *list) rewind() error {
	_, err := l.file.Seek(0, io.SeekStart)
	return err
}

// Close closes the file and removes a copy.
func (l *list) Close() error {
	var errs []error
	if l.pipe != nil {
		errs = append(errs, l.pipe.Close())
	}
	if l.file != nil {
		errs = append(errs, l.file.Close())
	}
	if l.temp {
		errs = append(errs, os.Remove(l.file.Name()))
	}
	return errors.Join(errs...)
}
