//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package sqlite

import (
	"errors"
	"io"
)

// lock always fails: without a lock two processes could ring the same phone.
func lock(string) (io.Closer, error) {
	return nil, errors.New("this system has no file locks that callagent knows: use --store aws")
}
