package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"callagent/docs/docstest"

	"gopkg.in/yaml.v3"
)

// docs/doctor.md has the whole catalogue.
func TestThePageHasTheCatalogue(t *testing.T) {
	docstest.Part(t, "doctor.md", "catalogue", catalogueTable())
}

func catalogueTable() string {
	var b strings.Builder
	b.WriteString("| service | check | status | what it means | what to do |\n|---|---|---|---|---|\n")
	for _, any := range []bool{false, true} {
		for _, r := range catalogue {
			if (r.service == "") != any {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", orAny(r.service), orAny(r.check), r.status, forReaders(r, r.meaning), forReaders(r, r.remedy))
		}
	}
	return b.String()
}

func orAny(name string) string {
	if name == "" {
		return "any"
	}
	return name
}

var names = regexp.MustCompile(`\{[a-z]+\}`)

// forReaders fills what is known of a text.
func forReaders(r row, text string) string {
	at, known := keys[r.service]
	if known {
		text = strings.NewReplacer("{key}", at.key, "{address}", at.address).Replace(text)
	}
	return strings.ReplaceAll(names.ReplaceAllString(text, "…"), "|", `\|`)
}

// The doctor asks of the queues what the template gives them.
func TestTemplateHasTheTermsOfTheQueues(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Parameters map[string]map[string]any `yaml:"Parameters"`
		Resources  map[string]struct {
			Properties struct {
				Visibility any `yaml:"VisibilityTimeout"`
				Retention  int `yaml:"MessageRetentionPeriod"`
				Redrive    struct {
					Receives int `yaml:"maxReceiveCount"`
				} `yaml:"RedrivePolicy"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(data, &template); err != nil {
		t.Fatal(err)
	}
	for check, resource := range map[string]string{
		"contacts queue": "ContactsQueue", "ticks queue": "TicksQueue", "alerts queue": "AlertsQueue", "journal queue": "JournalQueue",
	} {
		q := template.Resources[resource].Properties
		if name, isParameter := q.Visibility.(string); isParameter {
			q.Visibility = template.Parameters[name]["Default"]
		}
		for _, want := range queueTerms {
			if want.check != check {
				continue
			}
			got := fmt.Sprintf("%vs %s %d", q.Visibility, time.Duration(q.Retention)*time.Second, q.Redrive.Receives)
			if asked := fmt.Sprintf("%vs %s %d", want.least.Visibility.Seconds(), want.least.Retention, want.least.Receives); got != asked {
				t.Errorf("%s has %s, the doctor asks for %s", resource, got, asked)
			}
		}
		dead := template.Resources[strings.TrimSuffix(resource, "Queue")+"DeadLetters"].Properties
		if time.Duration(dead.Retention)*time.Second != deadLetterDays {
			t.Errorf("dead letters of %s are kept for %d s", resource, dead.Retention)
		}
	}
}
