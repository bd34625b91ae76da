package main

import (
	"testing"
	"time"

	"callagent/core/alert"
)

// asks has one process ask once, and waits for the end of that.
func asks(r *rig, process int) (sent bool) {
	before := r.service.sent
	r.after(0, func() { r.breakers.arrive(process) })
	r.until(r.at+time.Second, never)
	return r.service.sent > before
}

func waits(r *rig, d time.Duration) {
	r.after(d, func() {})
	r.until(r.at+d, never)
}

// opened is a port of Powertools whose process 0 has opened the circuit.
func opened(t *testing.T) (*rig, *powertools) {
	r := newRig(place{Processes: 3}, 1, powertoolsPort)
	t.Cleanup(r.close)
	r.service.fails = 1
	for range ptFailures - 1 {
		asks(r, 0)
		asks(r, 1)
	}
	if r.seen.open != 0 {
		t.Fatal("eight failures of two processes opened it")
	}
	asks(r, 0)
	if r.seen.open != 1 || r.seen.told[alert.CircuitOpened] != 1 {
		t.Fatalf("five failures in a row: %+v", r.seen)
	}
	return r, r.breakers.(*powertools)
}

func TestPowertoolsTrustsWhatItReadForFiveSeconds(t *testing.T) {
	r, p := opened(t)
	if asks(r, 0) {
		t.Error("the process that opened it lets a call through")
	}
	p.processes[1].until = p.seconds() + 2
	if !asks(r, 1) {
		t.Error("a process that read CLOSED a moment ago refuses a call")
	}
	if r.seen.told[alert.CircuitOpened] != 2 {
		t.Errorf("told %v: the fifth failure of an old reader opens it once more", r.seen.told)
	}
	waits(r, 5*time.Second)
	if asks(r, 2) {
		t.Error("a process that has to read lets a call through")
	}
}

func TestPowertoolsIsTestedByOneProcess(t *testing.T) {
	r, _ := opened(t)
	r.service.fails = 0
	waits(r, ptRecovery*time.Second)
	for i := range ptSuccesses {
		if !asks(r, 1) || asks(r, 2) || asks(r, 0) {
			t.Errorf("test %d: not process 1 alone may send", i+1)
		}
	}
	if r.seen.open != 0 {
		t.Error("three good tests have not closed it")
	}
	waits(r, ptCache*time.Second)
	if !asks(r, 2) {
		t.Error("closed, and nothing passes")
	}
}

func TestPowertoolsReopensAfterABadTest(t *testing.T) {
	r, _ := opened(t)
	waits(r, ptRecovery*time.Second)
	if !asks(r, 1) {
		t.Fatal("no test after 30 s")
	}
	r.service.fails = 0
	waits(r, (ptRecovery-2)*time.Second)
	if asks(r, 1) || asks(r, 2) {
		t.Error("tested again before another 30 s are over")
	}
	waits(r, 3*time.Second)
	if !asks(r, 2) {
		t.Error("nobody tests it any more")
	}
}

func TestPowertoolsTestIsTakenOverAfterThirtySeconds(t *testing.T) {
	r, _ := opened(t)
	r.service.fails = 0
	waits(r, ptRecovery*time.Second)
	if !asks(r, 1) || asks(r, 2) {
		t.Fatal("not one process tests it")
	}
	waits(r, ptRecovery*time.Second)
	if !asks(r, 2) || asks(r, 1) {
		t.Error("a silent prober keeps the test")
	}
}

func TestCountersKnowEveryResultAtOnce(t *testing.T) {
	r := newRig(place{Processes: 3}, 1, exact)
	defer r.close()
	r.service.fails = 1
	for process := range counterFailures {
		asks(r, process)
	}
	if asks(r, 0) || r.seen.open != 1 {
		t.Error("three failures in a row have not opened it")
	}
	r.service.fails = 0
	waits(r, counterRecovery)
	if !asks(r, 2) || r.seen.open != 0 || !asks(r, 0) {
		t.Error("one good test has not closed it")
	}
}

func TestCountersOfProcessesKnowNothingOfEachOther(t *testing.T) {
	r := newRig(place{Processes: 2}, 1, perProcess)
	defer r.close()
	r.service.fails = 1
	for range counterFailures {
		asks(r, 0)
	}
	if asks(r, 0) || !asks(r, 1) {
		t.Error("process 1 does not go on alone")
	}
	r.until(r.at+time.Hour, never)
	if share := r.seen.share(); share <= 0 || share > 0.5 {
		t.Errorf("half of the circuits are shut, share %v", share)
	}
}
