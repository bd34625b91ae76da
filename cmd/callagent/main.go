// Command callagent walks a list of contacts and calls each one, whatever
// fails on the way. `callagent --help` lists its commands.
package main

import (
	"os"
	_ "time/tzdata" // zones of contacts, also where the system has none

	"callagent/cmd/callagent/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.System()))
}
