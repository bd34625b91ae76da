//go:build e2e

package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// killFunctions kills a random process of the functions every second or two,
// until the function it returns is called, which says how many that were.
func killFunctions(t *testing.T) (stop func() int) {
	t.Helper()
	folder := env(t, "FUNCTIONS_FOLDER")
	done, count := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-done:
				count <- n
				return
			case <-time.After(time.Second + rand.N(time.Second)):
			}
			if alive := functions(folder); len(alive) > 0 && syscall.Kill(alive[rand.IntN(len(alive))], syscall.SIGKILL) == nil {
				n++
			}
		}
	}()
	return func() int {
		close(done)
		return <-count
	}
}

// functions lists the processes of functions that an emulator has started: they
// have its folder in their environment.
func functions(folder string) []int {
	var pids []int
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		program, err := os.Readlink(p + "/exe")
		if err != nil || filepath.Base(program) != "bootstrap" {
			continue
		}
		environ, _ := os.ReadFile(p + "/environ")
		pid, err := strconv.Atoi(filepath.Base(p))
		if err == nil && bytes.Contains(append([]byte{0}, environ...), []byte("\x00EMULATOR_FOLDER="+folder+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}
