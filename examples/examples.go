// Package examples holds the contact list and the scenarios that the command
// carries with it. They are files to read and to copy.
package examples

import "embed"

// Files has the lists of contacts and scenarios/NAME.toml.
//
//go:embed *.csv scenarios/*.toml
var Files embed.FS
