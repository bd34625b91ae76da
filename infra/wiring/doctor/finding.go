package doctor

import (
	"fmt"
	"maps"
	"strings"

	"callagent/core/fault"
)

// Status says how a check ended.
type Status string

// The statuses. A service that is switched off is OK unless calls need it.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Error   Status = "error"
)

// Finding is what one check found. It holds no secret and no full phone number.
type Finding struct {
	Service string `json:"service"`
	Check   string `json:"check"`
	Status  Status `json:"status"`
	Meaning string `json:"meaning"`
	Remedy  string `json:"remedy"` // "" when there is nothing to do
}

// verdict is the outcome of a check before it is worded.
type verdict struct {
	result string // names a row of the catalogue
	words  words
}

// words fill the places in the texts of the catalogue, by name.
type words map[string]string

// The results that the catalogue knows for any check.
const (
	fine        = "ok"
	off         = "off"
	badSettings = "settings"
	key         = "key"
	permission  = "permission"
	quota       = "quota"
	missing     = "missing"
	busy        = "busy"
	slow        = "slow"
	unreachable = "unreachable"
	down        = "down"
	strange     = "strange"
	inactive    = "inactive"
)

// wholeService are the results that every check of a service would share.
var wholeService = []string{key, quota, busy, slow, unreachable, down, inactive}

// byKind is what a fault means for a set-up. Other kinds are strange.
var byKind = map[fault.Kind]string{
	fault.Authentication:     key,
	fault.Permission:         permission,
	fault.QuotaExceeded:      quota,
	fault.NotFound:           missing,
	fault.Throttled:          busy,
	fault.Timeout:            slow,
	fault.Network:            unreachable,
	fault.ServiceUnavailable: down,
}

// judged turns the end of a request into a verdict; w are words for either.
func judged(err error, w words) verdict {
	if err == nil {
		return verdict{fine, w}
	}
	f := fault.From("", err)
	result, known := byKind[f.Kind]
	if !known {
		result = strange
	}
	all := words{"why": why(f)}
	maps.Copy(all, w)
	return verdict{result, all}
}

// why is what the service said.
func why(f *fault.Fault) string {
	var parts []string
	if f.Status != 0 {
		parts = append(parts, fmt.Sprint(f.Status))
	}
	if f.Code != "" {
		parts = append(parts, f.Code)
	}
	said := strings.Join(parts, " ")
	switch {
	case f.Message == "":
		return said
	case said == "":
		return strings.TrimRight(f.Message, ".")
	}
	return said + ": " + strings.TrimRight(f.Message, ".")
}

// sentence begins with a capital letter.
func sentence(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// word finds the row of a verdict and fills its places.
func word(c check, v verdict) Finding {
	r := rowOf(c.service, c.name, v.result)
	pairs := []string{"{key}", keys[c.service].key, "{address}", keys[c.service].address}
	for name, value := range v.words {
		pairs = append(pairs, "{"+name+"}", value)
	}
	fill := strings.NewReplacer(pairs...)
	return Finding{Service: c.service, Check: c.name, Status: r.status, Meaning: fill.Replace(r.meaning), Remedy: fill.Replace(r.remedy)}
}
