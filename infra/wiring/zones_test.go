package wiring

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"callagent/core/call"
)

func TestZonesOf(t *testing.T) {
	for _, c := range []struct {
		contact call.Contact
		want    []string
	}{
		{call.Contact{Phone: "+493023125004", TimeZone: "America/New_York"}, []string{"America/New_York"}},
		{call.Contact{Phone: "+493023125004"}, []string{"Europe/Berlin"}},
		{call.Contact{Phone: "+493023125004", TimeZone: "Nowhere/At_All"}, []string{"Europe/Berlin"}},
		{call.Contact{Phone: "nonsense"}, nil},
	} {
		var got []string
		for _, z := range zonesOf(c.contact) {
			got = append(got, z.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("zones %v, want %v", got, c.want)
		}
	}
	if n := len(zonesOf(call.Contact{Phone: "+18005551212"})); n < 2 {
		t.Errorf("a number that may be anywhere has %d zones", n)
	}
}

var update = flag.Bool("update", false, "write zones.txt, and what alerts look like, as they are now; read the difference before keeping it")

// walked asks the library for every prefix of up to five digits, and for longer
// ones where the table goes further; with all for every one there can be.
func walked(t *testing.T, all bool) string {
	deeper := map[string]bool{} // a longer prefix is in the table
	for prefix := range zonesByPrefix() {
		for n := range len(prefix) {
			deeper[prefix[:n]] = true
		}
	}
	var table strings.Builder
	var walk func(prefix, above string)
	walk = func(prefix, above string) {
		names, err := phonenumbers.GetTimezonesForPrefix(prefix)
		if err != nil {
			t.Fatal(err)
		}
		zones := strings.Join(names, " ")
		if zones != above {
			fmt.Fprintln(&table, prefix, zones)
		}
		if n := len(prefix); n == longestPrefix || n >= 5 && !all && !deeper[prefix] {
			return
		}
		for digit := '0'; digit <= '9'; digit++ {
			walk(prefix+string(digit), zones)
		}
	}
	for digit := '1'; digit <= '9'; digit++ {
		walk(string(digit), "Etc/Unknown")
	}
	return table.String()
}

func TestTheTableOfZonesIsThatOfTheLibrary(t *testing.T) {
	if *update {
		if err := os.WriteFile("zones.txt", []byte(walked(t, true)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if walked(t, false) != zoneTable {
		t.Error("zones.txt is not what the library says: run go test ./infra/wiring -update")
	}
}
