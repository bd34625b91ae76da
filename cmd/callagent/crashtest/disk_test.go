//go:build linux

package crashtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// crowd is how many contacts these tests have.
const crowd = 24

// The disk fills while calls are under way, at a moment when a phone is rung
// and nobody can note it. The run ends and says why; with room on the disk the
// next one knows of that ring.
func TestTheDiskFillsDuringARun(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	r := rehearse(t, smallDisk(t), crowd, behaviour)
	p := r.begin(moment{service: "twilio", nth: 2, stage: executed, spared: true}, "--contacts", "contacts.csv")
	<-p.struck
	empty := fill(t, r.dir)
	p.fails(t, "cannot be written", "disk is full", "make room", "run again")
	r.bury()
	empty()
	r.endsWell(t, 0)
}

// A disk that is full from the start is no place for a store. What is in it
// stays as it is.
func TestTheDiskIsFullFromTheStart(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	r := rehearse(t, smallDisk(t), crowd, behaviour)
	empty := fill(t, r.dir)
	r.begin(moment{}, "--contacts", "contacts.csv").fails(t, "open store callagent.db", "disk is full", "make room")
	empty()
	p := r.begin(moment{service: "llm", nth: 3, stage: sent, latest: patience}, "--contacts", "contacts.csv")
	if !p.killed(t) {
		t.Fatal("it ended by itself")
	}
	r.bury()
	empty = fill(t, r.dir)
	r.begin(moment{}).fails(t, "disk is full", "make room")
	empty()
	r.endsWell(t, 1)
}

// Somebody takes away the right to write the store while nobody works on it.
// The run says so and touches nothing.
func TestTheRightToWriteIsTakenAway(t *testing.T) {
	r := newRehearsal(t, crowd, behaviour)
	r.as = bounded(t)
	if !r.begin(moment{service: "llm", nth: 5, stage: sent, latest: patience}, "--contacts", "contacts.csv").killed(t) {
		t.Fatal("it ended by itself")
	}
	r.bury()
	for _, c := range []struct {
		path string
		mode os.FileMode
		says []string
	}{
		{"callagent.db", 0, []string{"open store callagent.db", "permission denied", "may write"}},
		{"callagent.db", 0o400, []string{"open store callagent.db", "permission denied", "may write"}},
		{"callagent.db.lock", 0o400, []string{"open store callagent.db", "permission denied", "may write"}},
	} {
		back := allow(t, filepath.Join(r.dir, c.path), c.mode)
		r.begin(moment{}).fails(t, c.says...)
		back()
		r.bury()
	}
	r.endsWell(t, 1)
}

// The right to write recordings is missing: the run sees that nothing can be
// kept, takes few contacts and ends. None of them is given up for it.
func TestTheRightToWriteRecordingsIsTakenAway(t *testing.T) {
	r := newRehearsal(t, crowd, behaviour)
	r.as = bounded(t)
	media := filepath.Join(r.dir, "callagent-media")
	if err := os.Mkdir(media, 0o700); err != nil {
		t.Fatal(err)
	}
	back := allow(t, media, 0o500)
	r.begin(moment{}, "--contacts", "contacts.csv").fails(t, "scripts and recordings cannot be kept", "permission denied", "callagent-media", "run again")
	back()
	paid := len(r.wire.all())
	if paid > crowd {
		t.Errorf("%d requests were made although nothing could be kept", paid)
	}
	r.endsWell(t, 0)
}

// A run that has its files open does not need the right to open them.
func TestTheRightToWriteIsTakenAwayDuringARun(t *testing.T) {
	r := newRehearsal(t, crowd, behaviour)
	r.as = bounded(t)
	p := r.begin(moment{service: "twilio", nth: 2, stage: executed, spared: true}, "--contacts", "contacts.csv")
	<-p.struck
	var backs []func()
	for _, path := range []string{"callagent.db", "callagent.db-wal", "callagent.db.lock", "callagent-media", "."} {
		backs = append(backs, allow(t, filepath.Join(r.dir, path), 0))
	}
	status := p.exitStatus(t)
	for i := len(backs) - 1; i >= 0; i-- {
		backs[i]()
	}
	if t.Logf("it ended with %d", status); status != 0 && !strings.Contains(p.out.String(), "permission denied") {
		t.Errorf("it ended with %d and said:\n%s", status, p.out.String())
	}
	r.bury()
	r.endsWell(t, 0)
}

// fails waits for a process that has to end with status 1 and say certain
// things, the last line of all.
func (p *process) fails(t *testing.T, says ...string) {
	t.Helper()
	status, said := p.exitStatus(t), p.out.String()
	last := said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:]
	if status != 1 || !strings.HasPrefix(last, "callagent: ") {
		t.Fatalf("it ended with status %d, want 1 and a reason, and said:\n%s", status, said)
	}
	for _, part := range says {
		if !strings.Contains(last, part) {
			t.Errorf("%q is not in: %s", part, last)
		}
	}
	t.Log(strings.TrimSpace(last))
}

// endsWell lets a last process finish and judges what the whole came to. Only a
// kill leaves calls of which nobody knows whether they rang.
func (r *rehearsal) endsWell(t *testing.T, kills int) {
	t.Helper()
	if p := r.begin(moment{}); p.exitStatus(t) != 0 {
		t.Fatalf("the last run ended with %d and said:\n%s", p.cmd.ProcessState.ExitCode(), p.out.String())
	}
	v := verdict{r, kills}
	v.calls(read(t, r.store))
	verdict{r, kills + 1}.alerts() // an alert may have been told and not noted
	v.leftovers()
	for _, x := range r.wire.all() {
		if after, known := r.known[x.who][x.step]; known && x.life > after {
			t.Errorf("process %d requests the %s of %s, which was stored when process %d ended", x.life, x.step, x.who, after)
		}
	}
}

// smallDisk is a folder on a file system of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes until the disk takes nothing more. empty makes room again.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
	}
}

// allow changes what may be done with a file or folder. back undoes it.
func allow(t *testing.T, path string, mode os.FileMode) (back func()) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	back = func() {
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Error(err)
		}
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(back) // so that the folder can be removed after a failure
	return back
}

// bounded are attributes of a process that permissions bind even if the test is
// root's: in a user namespace of its own it is the owner of the files, and
// nobody special.
func bounded(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	const somebody = 1000
	as := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: somebody, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: somebody, HostID: 0, Size: 1}},
	}
	trial := exec.CommandContext(t.Context(), binary(t), "--help")
	trial.SysProcAttr = as
	if err := trial.Run(); err != nil {
		cannot(t, "no process without root's rights can be made here", err)
	}
	return as
}

// mountsOf names the test that a process was made for, see inOwnMounts.
const mountsOf = "CRASHTEST_OWN_MOUNTS"

// inOwnMounts runs the test once more in a process that may mount what it likes
// where nobody else sees it, and reports true there.
func inOwnMounts(t *testing.T) bool {
	t.Helper()
	if os.Getenv(mountsOf) == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), mountsOf+"="+t.Name(), built+"="+binary(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("in a process with mounts of its own:\n%s", said)
	case err != nil:
		cannot(t, "nothing can be mounted here", err)
	default:
		t.Logf("in a process with mounts of its own:\n%s", said)
	}
	return false
}

// cannot skips a test that this machine does not allow; where CI=true it fails.
func cannot(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("NOT TESTED: %s: %v", what, err)
}
