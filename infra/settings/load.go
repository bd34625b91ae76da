package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"callagent/core/backoff"
	"callagent/core/breaker"
	"callagent/core/call"
)

// The limits that come from the services themselves.
const (
	shortestTimeout = 100 * time.Millisecond
	longestCall     = 4 * 60 * 60 // seconds; Twilio cuts a call there
	shortestRing    = 5 * time.Second
	longestRing     = 10 * time.Minute
	fewestRows      = 100
	mostRows        = 500_000 // of 15 columns; Google keeps ten million cells in a spreadsheet
)

// Source says where the settings come from.
type Source struct {
	File     string                           // path of callagent.toml; "" reads none
	Required bool                             // an absent file is an error instead of no file
	Env      func(name string) (string, bool) // usually os.LookupEnv; nil: an empty environment
	Over     []Layer                          // laid over the file, the last one on top
}

// Load reads and checks everything. The error lists every mistake, an *Error
// each, one a line.
func Load(from Source) (Settings, error) {
	var layers []Layer
	if from.File != "" {
		l, err := readFile(from.File, from.Required)
		if err != nil {
			return Settings{}, err
		}
		layers = append(layers, l)
	}
	s, err := resolve(stack(append(layers, from.Over...)...))
	providers, envErr := readEnvironment(from.Env)
	if err := errors.Join(err, envErr); err != nil {
		return Settings{}, err
	}
	s.Providers = providers
	return s, nil
}

func readFile(name string, required bool) (Layer, error) {
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !required:
		return Layer{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return Layer{}, &Error{File: name, Problem: "there is no such file: check the path, or leave it out to run with the defaults"}
	case err != nil:
		reason := err
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			reason = e.Err
		}
		return Layer{}, &Error{File: name, Problem: fmt.Sprintf("the file cannot be read (%v): check that it is a file and who may read it", reason)}
	}
	return ParseLayer(name, data)
}

// resolve turns what was written into settings: general tables first, then
// the special ones on top of them.
func resolve(l Layer) (Settings, error) {
	s := builtIn()
	r := reader{layer: l, known: map[string]bool{}}
	policy, circuit := backoff.Default(), breaker.DefaultConfig()
	r.read(policies(nil, &policy, &circuit))
	inGeneral := r.check(nil, policy, circuit, "")
	for _, name := range ServiceNames() {
		service := builtInService(name)
		service.Retry, service.Circuit = policy, circuit
		r.read(serviceEntries(name, &service))
		r.check([]string{"services", name}, service.Retry, service.Circuit, inGeneral)
		s.Services[name] = service
	}
	base := builtInCampaign()
	r.read(campaignEntries(DefaultCampaign, &base))
	s.Campaigns[DefaultCampaign] = base
	for _, name := range l.names("campaign") {
		if name == DefaultCampaign {
			continue
		}
		c := base
		c.Name = name
		r.checkName(name)
		r.read(campaignEntries(name, &c))
		s.Campaigns[name] = c
	}
	r.read(s.general())
	r.unknown()
	return s, joined(r.problems)
}

// reader fills entries from a layer and gathers what is wrong.
type reader struct {
	layer    Layer
	known    map[string]bool // keys that exist, and the tables around them
	problems []error
}

func (r *reader) read(entries []entry) {
	for _, e := range entries {
		for n := range len(e.path) {
			r.known[dotted(e.path[:n+1])] = n+1 == len(e.path)
		}
		if s, ok := r.layer.set[dotted(e.path)]; ok {
			if err := e.set(s.value); err != nil {
				r.problems = append(r.problems, s.blame(err.Error()))
			}
		}
	}
}

// check reports what the policies of a table say about themselves, unless the
// general ones were said to have the same problem, and returns it.
func (r *reader) check(path []string, p backoff.Policy, c breaker.Config, said string) string {
	err := p.Validate()
	if err == nil {
		err = c.Validate()
	}
	if err == nil || err.Error() == said {
		return said
	}
	// The sentence begins with the key's name. When that key has its default,
	// another one that the sentence names is to blame.
	words := strings.Fields(err.Error())
	for _, name := range words {
		for _, at := range [][]string{path, nil} {
			for _, t := range []string{"retry", "circuit_breaker", "health_check"} {
				if s, ok := r.layer.set[dotted(append(slices.Clone(at), t, name))]; ok {
					problem := strings.TrimPrefix(err.Error(), name+" ")
					if name != words[0] {
						problem = "does not fit: " + err.Error()
					}
					r.problems = append(r.problems, s.blame(problem))
					return err.Error()
				}
			}
		}
	}
	return said
}

// unknown reports keys and tables that nothing asked for.
func (r *reader) unknown() {
	for _, s := range r.layer.set {
		isKey, known := r.known[dotted(s.path)]
		parent := s.path[:len(s.path)-1]
		parentIsKey, parentKnown := r.known[dotted(parent)]
		switch {
		case known && !isKey && !s.table():
			r.problems = append(r.problems, s.blame(fmt.Sprintf("is %s, but it is the name of a table: write [%s] and its keys below", describe(s.value), s.key)))
		case !known && (len(parent) == 0 || parentKnown && !parentIsKey):
			r.problems = append(r.problems, s.blame(r.hint(s.path, s.table())))
		}
	}
}

// hint says what an unknown name was probably meant to be.
func (r *reader) hint(path []string, isTable bool) string {
	parent, name := dotted(path[:len(path)-1]), path[len(path)-1]
	var siblings []string
	elsewhere := ""
	for known, isKey := range r.known {
		last := known[strings.LastIndexByte(known, '.')+1:]
		if strings.TrimSuffix(strings.TrimSuffix(known, last), ".") == parent {
			siblings = append(siblings, last)
		}
		if isKey && last == name && !isTable && (elsewhere == "" || len(known) < len(elsewhere) || len(known) == len(elsewhere) && known < elsewhere) {
			elsewhere = known
		}
	}
	slices.Sort(siblings)
	switch near := closest(name, siblings); {
	case near != "":
		return fmt.Sprintf("is not known: did you mean %s?", near)
	case elsewhere != "":
		return fmt.Sprintf("is not known here: did you mean %s?", elsewhere)
	case parent == "":
		return "is not known: the names at the top are " + strings.Join(siblings, ", ")
	default:
		return fmt.Sprintf("is not known: what [%s] may have is %s", parent, strings.Join(siblings, ", "))
	}
}

var campaignName = regexp.MustCompile(`^[A-Za-z0-9._:@+-]{1,128}$`)

func (r *reader) checkName(name string) {
	if s := r.layer.set[dotted([]string{"campaign", name})]; !campaignName.MatchString(name) {
		r.problems = append(r.problems, s.blame("is no name for a campaign: use letters, digits and . _ - : @ +, at most 128"))
	}
}

func checkStore(s string) error {
	if path, ok := strings.CutPrefix(s, "sqlite:"); s == "aws" || ok && path != "" {
		return nil
	}
	return fmt.Errorf(`is %s: use "sqlite:PATH" for one machine, or "aws"`, describe(s))
}

func checkPrompt(s string) error {
	if err := notEmpty(s); err != nil {
		return err
	}
	if _, err := call.ParsePrompt(s); err != nil {
		return errors.New("has a placeholder that cannot be read: write them like {{.name}}, and name only what every contact of the campaign has")
	}
	return nil
}

var languageCode = regexp.MustCompile(`^([a-z]{2})?$`)

func checkLanguage(s string) error {
	if !languageCode.MatchString(s) {
		return fmt.Errorf(`is %s: write the two letters of the language, like "en", or "" to let the voice decide`, describe(s))
	}
	return nil
}
