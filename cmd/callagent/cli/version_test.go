package cli

import (
	"bytes"
	"regexp"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	build := func(module string, settings ...string) func() (*debug.BuildInfo, bool) {
		info := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: module}}
		for i := 0; i < len(settings); i += 2 {
			info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
		}
		info.Settings = append(info.Settings, debug.BuildSetting{Key: "GOOS", Value: "linux"}, debug.BuildSetting{Key: "GOARCH", Value: "arm64"})
		return func() (*debug.BuildInfo, bool) { return info, true }
	}
	commit := []string{"vcs.revision", "0123456789abcdef0123456789abcdef01234567", "vcs.time", "2026-11-23T04:00:00Z", "vcs.modified"}
	for want, read := range map[string]func() (*debug.BuildInfo, bool){
		"callagent 0123456789ab of 2026-11-23T04:00:00Z, go1.26.0 linux/arm64":                                      build("(devel)", append(commit, "false")...),
		"callagent 0123456789ab of 2026-11-23T04:00:00Z, with changes that are not committed, go1.26.0 linux/arm64": build("v0.0.0-2026", append(commit, "true")...),
		"callagent v1.2.3, go1.26.0 linux/arm64":                                                                    build("v1.2.3"),
		"callagent of no known commit, go1.26.0 linux/arm64":                                                        build("(devel)"),
		"callagent, built without saying from what":                                                                 func() (*debug.BuildInfo, bool) { return nil, false },
	} {
		if got := version(read); got != want {
			t.Errorf("version is %q, want %q", got, want)
		}
	}
}

func TestVersionNeedsNoCommand(t *testing.T) {
	var out bytes.Buffer
	if status := Run([]string{"--version"}, World{Out: &out, Err: &out}); status != ok {
		t.Errorf("exit status %d", status)
	}
	if !regexp.MustCompile(`^callagent .+, go1\.\S+ \w+/\w+\n$`).Match(out.Bytes()) {
		t.Errorf("it prints %q", &out)
	}
}
