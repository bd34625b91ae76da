//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the file's advisory lock, which ends with the process at the
// latest. The file stays: removing it could let two processes lock two files.
func lock(path string) (io.Closer, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("its lock file: %w: see that you may write it and the folder that it is in", pathless(err))
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrWorking
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
