// Command scale takes callagent through large lists and says how long that
// takes and how much memory: -contacts 1000000 enqueued, or run against the
// provider simulator in a process of its own.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // as the command has it

	"callagent/cmd/callagent/cli"
)

// profileVar makes the process the command itself, with a CPU profile in the
// file that it names.
const profileVar = "CALLAGENT_BENCH_PROFILE"

func main() {
	if path, child := os.LookupEnv(profileVar); child {
		os.Exit(command(path))
	}
	contacts := flag.Int("contacts", 10_000, "how long the list is")
	enqueue := flag.Bool("enqueue", false, "only put the list on the queue")
	profile := flag.String("profile", "cpu.pprof", "file that the CPU profile is written to")
	flag.Parse()
	if err := scale(*contacts, *enqueue, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// command is callagent with a profile.
func command(path string) int {
	f, err := os.Create(path)
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return 1
	}
	status := cli.Run(os.Args[1:], cli.System())
	pprof.StopCPUProfile()
	if f.Close() != nil {
		return 1
	}
	return status
}

// settings lift the bounds that spare the real providers, so that callagent
// itself is what is measured.
const settings = `workers = 64
[services.llm]
at_once = 64
[services.elevenlabs]
at_once = 64
[services.twilio]
at_once = 64
rate = 0
[services.crm]
at_once = 64
[campaign.default]
call_window = "00:00-24:00"
`

func scale(contacts int, enqueue bool, profile string) error {
	profile, err := filepath.Abs(profile)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "callagent-scale-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := errors.Join(writeList(filepath.Join(dir, "contacts.csv"), contacts),
		os.WriteFile(filepath.Join(dir, "callagent.toml"), []byte(settings), 0o600)); err != nil {
		return err
	}
	if enqueue {
		return measure(dir, contacts, append(os.Environ(), profileVar+"="+profile), "enqueue", "contacts.csv")
	}
	environment, stop, err := simulator()
	if err != nil {
		return err
	}
	err = measure(dir, contacts, append(environment, profileVar+"="+profile), "run", "--contacts", "contacts.csv", "--json", "--listen", "127.0.0.1:0")
	return errors.Join(err, stop())
}

// writeList writes contacts from four countries, with two variables each.
func writeList(path string, contacts int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "contact_id,phone,name,time_zone,plan,city")
	for i := range contacts {
		phone := [...]string{"+1415%07d", "+49151%08d", "+4479110%05d", "+336%08d"}[i%4]
		n := [...]int{2_000_000 + i/4, 10_000_000 + i/4, i / 4, 10_000_000 + i/4}[i%4]
		if i%4 == 2 {
			phone, n = "+447%09d", 911_000_000+i/4
		}
		fmt.Fprintf(w, "c-%07d,"+phone+",Ada Lovelace,Europe/Berlin,gold,London\n", i, n)
	}
	return errors.Join(w.Flush(), f.Close())
}

// simulator starts the providers in a process of their own, in which time runs
// a thousand times as fast: what is left is the time that callagent takes.
func simulator() (environment []string, stop func() error, err error) {
	c := exec.Command("go", "run", "callagent/localstack/simulator/cmd/simulator", "-speed", "1000")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := c.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() error {
		err := syscall.Kill(-c.Process.Pid, syscall.SIGINT) // go run and what it runs
		_ = c.Wait()                                        // it ends by the signal
		return err
	}
	environment = os.Environ()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		setting, ok := strings.CutPrefix(lines.Text(), "export ")
		if !ok {
			return environment, stop, nil
		}
		name, value, _ := strings.Cut(setting, "=")
		environment = append(environment, name+"="+strings.Trim(value, "'"))
	}
	return nil, nil, errors.Join(errors.New("the simulator did not start"), lines.Err(), stop())
}

// measure runs the command in dir and prints what it took.
func measure(dir string, contacts int, environment []string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.Command(self, args...)
	c.Dir, c.Env, c.Stderr = dir, environment, os.Stderr
	began := time.Now()
	out, err := c.Output()
	took := time.Since(began)
	fmt.Printf("%s", out)
	if err != nil {
		return fmt.Errorf("callagent %s: %w", args[0], err)
	}
	used := c.ProcessState.SysUsage().(*syscall.Rusage)
	fmt.Printf("callagent %s of %d contacts: %.1f s, %.0f contacts/s, CPU %.1f s, peak memory %d MiB\n", args[0], contacts,
		took.Seconds(), float64(contacts)/took.Seconds(), (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), used.Maxrss>>10)
	return nil
}
