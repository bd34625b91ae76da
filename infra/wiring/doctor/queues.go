package doctor

import (
	"context"
	"fmt"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"callagent/infra/sqs"
)

// deadLetterDays is how long dead letters are kept: as long as SQS can.
const deadLetterDays = 14 * 24 * time.Hour

// queueTerms are the least that the queues of template.yaml have.
var queueTerms = []struct {
	check, variable string
	least           sqs.Terms
}{
	{"contacts queue", "CONTACTS_QUEUE_URL", sqs.Terms{Visibility: 12 * time.Minute, Retention: deadLetterDays, Receives: 1000}},
	{"ticks queue", "TICKS_QUEUE_URL", sqs.Terms{Visibility: 12 * time.Minute, Retention: time.Hour, Receives: 3}},
	{"alerts queue", "ALERTS_QUEUE_URL", sqs.Terms{Visibility: 15 * time.Minute, Retention: deadLetterDays, Receives: 1000}},
	{"journal queue", "JOURNAL_QUEUE_URL", sqs.Terms{Visibility: 6 * time.Minute, Retention: deadLetterDays, Receives: 1000}},
}

// planQueues looks at the queues. Without a sheet there need be no journal
// queue.
func (e *exam) planQueues(client *awssqs.Client) {
	n := e.Settings.Providers.AWS
	urls := map[string]string{"CONTACTS_QUEUE_URL": n.ContactsQueue, "TICKS_QUEUE_URL": n.TicksQueue,
		"ALERTS_QUEUE_URL": n.AlertsQueue, "JOURNAL_QUEUE_URL": n.JournalQueue}
	for _, q := range queueTerms {
		url := urls[q.variable]
		if q.variable == "JOURNAL_QUEUE_URL" && url == "" && e.Settings.Providers.Sheets.Spreadsheet == "" {
			continue
		}
		e.part(q.check, q.variable, url, func(ctx context.Context) ([]string, error) {
			is, err := sqs.ReadTerms(ctx, client, url)
			if err != nil {
				return nil, err
			}
			found := below(is, q.least)
			more, err := deadLetters(ctx, client, is)
			return append(found, more...), err
		})
	}
	e.part("dead letters", "CONTACTS_DEAD_LETTERS_URL", n.ContactsDeadLetters, func(ctx context.Context) ([]string, error) {
		return misled(ctx, client, n.ContactsQueue, n.ContactsDeadLetters)
	})
}

// misled says when the contacts queue has other dead letters than the settings
// name. That the contacts queue cannot be read is told elsewhere.
func misled(ctx context.Context, client *awssqs.Client, contacts, letters string) ([]string, error) {
	is, err := sqs.ReadTerms(ctx, client, letters)
	if err != nil {
		return nil, err
	}
	of, err := sqs.ReadTerms(ctx, client, contacts)
	if err == nil && of.DeadLetter != "" && of.DeadLetter != is.Name {
		return []string{"the dead letters of the contacts queue go to " + of.DeadLetter}, nil
	}
	return nil, nil
}

// below says in what a queue has less than it needs.
func below(is, least sqs.Terms) (found []string) {
	if is.Visibility < least.Visibility {
		found = append(found, fmt.Sprintf("a message is hidden for %s, not %s", is.Visibility, least.Visibility))
	}
	if is.Retention < least.Retention {
		found = append(found, fmt.Sprintf("messages are kept for %s, not %s", is.Retention, least.Retention))
	}
	if is.DeadLetter != "" && is.Receives < least.Receives {
		found = append(found, fmt.Sprintf("a message may come %d times, not %d", is.Receives, least.Receives))
	}
	if is.FIFO {
		found = append(found, "it is a FIFO queue")
	}
	return found
}

// deadLetters says what is wrong with where a queue's dead letters go.
func deadLetters(ctx context.Context, client *awssqs.Client, of sqs.Terms) ([]string, error) {
	if of.DeadLetter == "" {
		return []string{"it has no dead-letter queue"}, nil
	}
	is, err := sqs.ReadTermsOf(ctx, client, of.DeadLetter)
	if err != nil {
		return nil, err
	}
	if is.Retention < deadLetterDays {
		return []string{fmt.Sprintf("dead letters are kept for %s, not %s", is.Retention, deadLetterDays)}, nil
	}
	return nil, nil
}
