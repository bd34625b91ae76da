package contactlist

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The columns that mean something by themselves.
const (
	campaignColumn = "campaign"
	idColumn       = "contact_id"
	phoneColumn    = "phone"
	nameColumn     = "name"
	zoneColumn     = "time_zone"
	expiryColumn   = "expires_at"
)

var meaningful = []string{campaignColumn, idColumn, phoneColumn, nameColumn, zoneColumn, expiryColumn}

// column is one column of the list; one without a name has to stay empty.
type column struct {
	name     string
	variable bool
}

// header reads the names of the columns.
func header(names []string, campaignGiven bool) ([]column, error) {
	columns := make([]column, len(names))
	seen := map[string]int{}
	for i, name := range names {
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("the name of column %d is not UTF-8: save the list again as CSV in UTF-8", i+1)
		}
		name = strings.TrimSpace(name)
		lower := strings.ToLower(name)
		known := slices.Contains(meaningful, lower)
		if known {
			name = lower
		}
		if first, twice := seen[name]; twice && name != "" {
			return nil, fmt.Errorf("columns %d and %d are both called %s: rename or remove one", first, i+1, shown("", name))
		}
		seen[name] = i + 1
		columns[i] = column{name: name, variable: !known}
	}
	if len(names) == 1 {
		for separator, called := range map[string]string{";": "semicolons", "\t": "tabs"} {
			if strings.Contains(names[0], separator) {
				return nil, fmt.Errorf("the columns are separated with %s: save the list again with commas", called)
			}
		}
	}
	for _, need := range []string{idColumn, phoneColumn} {
		if _, ok := seen[need]; !ok {
			return nil, fmt.Errorf("there is no column %s: the first line has to name the columns, contact_id and phone at least", need)
		}
	}
	if _, ok := seen[campaignColumn]; !ok && !campaignGiven {
		return nil, errors.New("there is no column campaign: add it, or name one campaign for the whole list")
	}
	return columns, nil
}
