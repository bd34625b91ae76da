package sheets

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"

	api "google.golang.org/api/sheets/v4"

	"callagent/core/journal"
)

// The keys of our developer metadata.
const (
	markKey = "callagent.mark"
	pinKey  = "callagent.column"

	// documentVisible lets a service account of another project find it too.
	documentVisible = "DOCUMENT"
)

// firstMark is where the numbers of marks begin. They go up by one with each
// write; a number is good for 30 years of writing every second.
const firstMark = 1_000_000_000

// The marks that stay are the newest of which both bounds hold. Google keeps
// 30,000 characters of metadata for a spreadsheet, ours and others'.
const (
	mostMarks      = 300
	mostCharacters = 20_000
)

// mark is what a write left about itself.
type mark struct {
	number int64
	size   int // characters
	markValue
}

// markValue is the text of a mark: the messages whose rows the write added,
// how far each store had been written by then, and how many rows the Log had.
type markValue struct {
	Messages []string `json:"m,omitempty"` // see short
	Places   []place  `json:"p,omitempty"` // the one that was written last comes last
	Rows     int      `json:"r"`
}

// place is the Seq of the last event of a store.
type place struct {
	Origin string `json:"o"`
	Seq    int64  `json:"s"`
}

// mostPlaces is how many stores' places are carried on.
const mostPlaces = 8

// short stands for a message's id in a mark: 72 bits of its hash.
func short(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// state is what the sheet says about itself.
type state struct {
	marks []mark // by number
	pins  pins
	known map[string]bool // messages, by their short ids
}

// last is the newest mark; a state without marks has a zero one before the
// first.
func (s state) last() mark {
	if len(s.marks) == 0 {
		return mark{number: firstMark - 1}
	}
	return s.marks[len(s.marks)-1]
}

func (s state) place(origin string) int64 {
	for _, p := range s.last().Places {
		if p.Origin == origin {
			return p.Seq
		}
	}
	return 0
}

// look reads the marks and where the columns are, after it made what is
// missing.
func (b *Book) look(ctx context.Context) (state, error) {
	if err := b.prepare(ctx); err != nil {
		return state{}, err
	}
	s, err := b.search(ctx)
	if err != nil || tabsPinned(s.pins) {
		return s, err
	}
	b.ready = false // a tab is gone
	if err := b.prepare(ctx); err != nil {
		return state{}, err
	}
	return b.search(ctx)
}

func tabsPinned(p pins) bool {
	return !slices.ContainsFunc(tables, func(t *table) bool { return !t.pinned(p) })
}

// search reads our developer metadata.
func (b *Book) search(ctx context.Context) (state, error) {
	s := state{pins: pins{}, known: map[string]bool{}}
	r := &api.SearchDeveloperMetadataRequest{}
	for _, key := range []string{markKey, pinKey} {
		r.DataFilters = append(r.DataFilters, &api.DataFilter{DeveloperMetadataLookup: &api.DeveloperMetadataLookup{MetadataKey: key}})
	}
	err := b.read(ctx, func(ctx context.Context) error {
		answer, err := b.api.Spreadsheets.DeveloperMetadata.Search(b.id, r).Context(ctx).Do()
		if err != nil {
			return err
		}
		for _, m := range answer.MatchedDeveloperMetadata {
			if m != nil && m.DeveloperMetadata != nil {
				s.add(m.DeveloperMetadata)
			}
		}
		return nil
	})
	slices.SortFunc(s.marks, func(a, b mark) int { return int(a.number - b.number) })
	return s, err
}

// mostColumns is how many columns a tab can have.
const mostColumns = 18_278

// add takes one piece of metadata. One that cannot be read is left out.
func (s *state) add(m *api.DeveloperMetadata) {
	if at := m.Location; m.MetadataKey == pinKey && at != nil && at.DimensionRange != nil && at.DimensionRange.StartIndex < mostColumns {
		s.pins[pin{at.DimensionRange.SheetId, m.MetadataValue}] = at.DimensionRange.StartIndex
		return
	}
	found := mark{number: m.MetadataId, size: len(m.MetadataKey) + len(m.MetadataValue)}
	if m.MetadataKey != markKey || json.Unmarshal([]byte(m.MetadataValue), &found.markValue) != nil {
		return
	}
	s.marks = append(s.marks, found)
	for _, id := range found.Messages {
		s.known[id] = true
	}
}

// addition is what one write adds to the Log.
type addition struct {
	messages []string // their short ids
	place    place    // Origin is "" for messages
	entries  []journal.Entry
}

func (a addition) empty() bool { return len(a.entries) == 0 }

// withoutKnown leaves out the messages that are in the sheet, and all but the
// first of those that come twice.
func (s state) withoutKnown(messages []Message) addition {
	var a addition
	for _, m := range messages {
		if id := short(m.ID); len(m.Entries) > 0 && !s.known[id] && !slices.Contains(a.messages, id) {
			a.messages = append(a.messages, id)
			a.entries = append(a.entries, m.Entries...)
		}
	}
	return a
}

// after leaves out the events up to the store's place.
func (s state) after(origin string, events []journal.Stored) addition {
	a := addition{place: place{Origin: origin, Seq: s.place(origin)}}
	for _, e := range events {
		if e.Seq > a.place.Seq {
			a.place.Seq = e.Seq
			a.entries = append(a.entries, e.Entry)
		}
	}
	return a
}

// next is the mark of a write on top of the state.
func (s state) next(a addition, rows int) mark {
	m := mark{number: s.last().number + 1, markValue: markValue{Messages: a.messages, Places: s.last().Places, Rows: rows}}
	if a.place.Origin != "" {
		others := slices.DeleteFunc(slices.Clone(m.Places), func(p place) bool { return p.Origin == a.place.Origin })
		m.Places = append(others[max(0, len(others)+1-mostPlaces):], a.place)
	}
	return m
}

// requests write the mark and delete those that are too old.
func (m mark) requests(older []mark) []*api.Request {
	text, _ := json.Marshal(m.markValue) // texts and numbers can be written
	requests := []*api.Request{{CreateDeveloperMetadata: &api.CreateDeveloperMetadataRequest{DeveloperMetadata: &api.DeveloperMetadata{
		MetadataId: m.number, MetadataKey: markKey, MetadataValue: string(text), Visibility: documentVisible,
		Location: &api.DeveloperMetadataLocation{Spreadsheet: true},
	}}}}
	characters, count := len(markKey)+len(text), 1
	for i := len(older) - 1; i >= 0; i-- {
		characters += older[i].size
		count++
		if characters > mostCharacters || count > mostMarks {
			requests = append(requests, &api.Request{DeleteDeveloperMetadata: &api.DeleteDeveloperMetadataRequest{DataFilter: &api.DataFilter{
				DeveloperMetadataLookup: &api.DeveloperMetadataLookup{MetadataId: older[i].number},
			}}})
		}
	}
	return requests
}
