package cloud

import (
	"context"
	"time"

	"callagent/core/journal"
	"callagent/infra/cloudlog"
	"callagent/infra/sqs"
)

// sendJournal sends the events of one invocation to the journal queue, from
// where they go into the sheet. The log has them in any case.
func (s *set) sendJournal(ctx context.Context) {
	entries := s.journal.Take()
	if s.events == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalTimeout)
	defer cancel()
	if err := sendEvents(ctx, s.events.Sender, entries); err != nil {
		s.write(journal.Warning, "sheet_behind", "Events could not be sent to the journal queue and will be missing in the sheet: "+err.Error())
	}
}

// journalTimeout bounds what the journal queue may cost an event.
const journalTimeout = time.Second

// sendEvents sends entries to the journal queue, as few messages as they fit
// into.
func sendEvents(ctx context.Context, q *sqs.Sender, entries []journal.Entry) error {
	return q.Send(ctx, 0, cloudlog.Messages(entries)...)
}
