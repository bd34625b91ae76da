package settings

import (
	"fmt"
	"slices"
	"strings"

	"callagent/core/alert"
)

// Alerts says which channel hears of what.
type Alerts struct {
	Email, Telegram, Webhook Subscription
}

// Subscription lists what a channel wants to hear of, one rule a text:
//
//	WORD            a kind of alert, a severity (that one and worse), or "all"
//	SERVICE         every alert about that service
//	SERVICE:WORD    those of them that WORD names
//	not RULE        leaves out what the rule names, whatever else is listed
//
// An empty one hears nothing.
type Subscription []string

// Takes reports whether the channel wants an alert.
func (s Subscription) Takes(a alert.Alert) bool {
	wanted := false
	for _, text := range s {
		r, _ := parseRule(text) // was checked when it was set
		switch named := r.names(a); {
		case named && r.not:
			return false
		case named:
			wanted = true
		}
	}
	return wanted
}

// rule is one text of a Subscription.
type rule struct {
	not     bool
	service string // "" for any, and for alerts about none
	word    string
}

const all = "all"

var severities = map[string]alert.Severity{
	alert.Info.String():     alert.Info,
	alert.Warning.String():  alert.Warning,
	alert.Critical.String(): alert.Critical,
}

// subscriptionWords lists what a rule may have for a word.
func subscriptionWords() []string {
	words := []string{all, alert.Info.String(), alert.Warning.String(), alert.Critical.String()}
	for _, k := range alert.Kinds() {
		words = append(words, string(k))
	}
	return words
}

// parseRule reads one text. Its error continues the key to a sentence.
func parseRule(text string) (rule, error) {
	rest, not := strings.CutPrefix(text, "not ")
	service, word, both := strings.Cut(rest, ":")
	switch {
	case !both && slices.Contains(ServiceNames(), rest):
		service, word = rest, all
	case !both:
		service, word = "", rest
	}
	r := rule{not, service, word}
	switch {
	case both && !slices.Contains(ServiceNames(), service):
		return r, fmt.Errorf("has %s, which begins with no service: %s", describe(text), choice(service, ServiceNames()))
	case !slices.Contains(subscriptionWords(), word):
		return r, fmt.Errorf("has %s, which names no alert: %s", describe(text), choice(word, append(subscriptionWords(), ServiceNames()...)))
	case service != "" && slices.Contains(alert.Kinds(), alert.Kind(word)) && !alert.Kind(word).AboutService():
		return r, fmt.Errorf("has %s, but %s is about calls and no service: leave out %q", describe(text), word, service+":")
	}
	return r, nil
}

// names reports whether the rule is about an alert, whatever it wants.
func (r rule) names(a alert.Alert) bool {
	least, isSeverity := severities[r.word]
	about := r.word == all || r.word == string(a.Kind) || isSeverity && a.Severity >= least
	return about && (r.service == "" || r.service == a.Service)
}

// subscription is a list of rules.
type subscription struct{ to *Subscription }

func (s subscription) set(v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf(`is %s: write a list, like ["critical"], or [] for nothing`, describe(v))
	}
	rules := make(Subscription, 0, len(list))
	for _, v := range list {
		text, ok := v.(string)
		if !ok {
			return fmt.Errorf(`has %s: write each rule as a text in quotes, like "critical"`, describe(v))
		}
		if _, err := parseRule(text); err != nil {
			return err
		}
		rules = append(rules, text)
	}
	if len(rules) > 0 && !slices.ContainsFunc(rules, func(r string) bool { return !strings.HasPrefix(r, "not ") }) {
		return fmt.Errorf(`only leaves things out, so nothing is left: put "all" before %s, or write [] for nothing`, describe(rules[0]))
	}
	*s.to = rules
	return nil
}

func (s subscription) get() any { return []string(*s.to) }
