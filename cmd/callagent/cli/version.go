package cli

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// version says what this build was made from, in one line. read is
// [debug.ReadBuildInfo].
func version(read func() (*debug.BuildInfo, bool)) string {
	info, known := read()
	if !known {
		return "callagent, built without saying from what"
	}
	with := map[string]string{}
	for _, s := range info.Settings {
		with[s.Key] = s.Value
	}
	parts := []string{"callagent " + source(info.Main.Version, with)}
	if with["vcs.modified"] == "true" {
		parts = append(parts, "with changes that are not committed")
	}
	return strings.Join(append(parts, fmt.Sprintf("%s %s/%s", info.GoVersion, with["GOOS"], with["GOARCH"])), ", ")
}

// source is the commit, or the version of a module that was downloaded.
func source(module string, with map[string]string) string {
	commit := with["vcs.revision"]
	switch {
	case commit != "":
		return fmt.Sprintf("%.12s of %s", commit, with["vcs.time"])
	case module != "" && module != "(devel)":
		return module
	}
	return "of no known commit"
}
