package dynamo

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/call"
)

// noon is when the calls in these tests are made, as exact as clocks are.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 234567891, time.UTC)

// after is a moment that is no round number of seconds after noon.
func after(seconds int) time.Time {
	return noon.Add(time.Duration(seconds)*time.Second + time.Duration(seconds)*7_654_321)
}

// ordinary is a call at its end as most are: nothing failed, it was looked at
// once.
func ordinary() call.Call {
	c := call.Call{
		Key: call.Key{Campaign: "spring-renewals", Contact: "customer-004711"},
		Contact: call.Contact{
			Campaign: "spring-renewals", ID: "customer-004711", Phone: "+15005550006", Name: "Ada Lovelace",
			Variables: map[string]string{"plan": "gold", "renewal_date": "2026-12-01"}, TimeZone: "America/New_York",
		},
		ContactAt: noon.Add(-time.Minute), CreatedAt: noon,
		Number: "9f86d081884c7d659a2feaa0c55ad015", Version: 7, State: call.Completed, Result: call.Answered, Talk: 37 * time.Second,
		Script: "scripts/a3bf4f1b2b0b822cd15d6c15b0f00a08.txt", Speech: "audio/a3bf4f1b2b0b822cd15d6c15b0f00a08.mp3",
		SID: "CA0a44e75af9f3a1e1cf1b1ad4f0b4c0d2", CRMID: "41870993215", Recorded: call.Yes,
		Intent:     &call.Intent{Attempt: "k5tfsbqvmnq2xg7dzp4w3yl6ha", At: after(5), Deadline: after(35), From: "+15005550001"},
		FinishedAt: after(22), Takeovers: 0,
	}
	for i, line := range []string{"script stored", "speech stored", "dialled", "completed", "in the CRM: yes"} {
		c.History = append(c.History, call.Event{At: after(2 + 5*i), What: line})
	}
	return c
}

// called is the ordinary call with the provider's callback beside it.
func called() call.Call {
	c := ordinary()
	c.Answer = &call.Answer{SID: c.SID, Result: call.Answered, Duration: c.Talk, At: after(21)}
	return c
}

// troubled is one that had three retries and a park behind it.
func troubled() call.Call {
	c := called()
	c.Retries, c.SpentParks, c.Park.Number = 3, 1, 1
	for i, line := range []string{
		"elevenlabs: service_unavailable (503)", "elevenlabs: service_unavailable (503)", "elevenlabs: service_unavailable (503)",
		"set aside: retries spent: elevenlabs: service_unavailable (503)",
	} {
		c.History = append(c.History, call.Event{At: after(40 + 7*i), What: line})
	}
	return c
}

// stored is the item as the writes of the call's life leave it.
func stored(t *testing.T, c call.Call) item {
	t.Helper()
	to := changing(callKey(c.Key))
	if err := (&Calls{now: time.Now}).write(to, c, newNonce()); err != nil {
		t.Fatal(err)
	}
	i := item{PartitionKey: to.key[PartitionKey]}
	for _, set := range to.sets {
		name, value, _ := strings.Cut(set, " = ")
		i[to.names[name]] = to.values[strings.TrimSuffix(value[strings.Index(value, ":"):], ")")]
	}
	if c.SID != "" {
		i[attrSIDs] = textsOrNone(c.SID)
	}
	if a := answerValue(c.Answer); a != nil {
		i[attrAnswer] = a
	}
	return i
}

// sizeOfCall is sizeOf for an item with bytes and sets.
func sizeOfCall(i item) int {
	n := 0
	for name, v := range i {
		switch v := v.(type) {
		case *types.AttributeValueMemberB:
			n += len(name) + len(v.Value)
		case *types.AttributeValueMemberSS:
			n += len(name) + 3 + len(strings.Join(v.Value, ":"))
		default:
			n += sizeOf(item{name: v})
		}
	}
	return n
}

func TestAnOrdinaryCallCostsOneWriteUnit(t *testing.T) {
	const unit = 1024 // bytes
	for _, tc := range []struct {
		says string
		call call.Call
	}{{"without trouble", ordinary()}, {"with a callback", called()}, {"with three retries and a park", troubled()}} {
		i := stored(t, tc.call)
		body, err := json.Marshal(tc.call)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := pack(tc.call)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: JSON %d bytes, packed %d, item %d", tc.says, len(body), len(packed), sizeOfCall(i))
		if size := sizeOfCall(i); size > unit {
			t.Errorf("%s: the item has %d bytes, want at most %d", tc.says, size, unit)
		}
	}
}

func TestARecordComesBack(t *testing.T) {
	for _, c := range []call.Call{ordinary(), called(), troubled(), {Key: call.Key{Campaign: "a", Contact: "b"}}} {
		r, err := read(stored(t, c))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, r.Call); diff != "" {
			t.Errorf("call (-want +got):\n%s", diff)
		}
	}
}

func TestARecordOfAnotherPackingIsRefused(t *testing.T) {
	packed, err := pack(ordinary())
	if err != nil {
		t.Fatal(err)
	}
	packed[0]++
	for _, bad := range [][]byte{nil, packed, packed[:1], append([]byte{packing}, packed[2:]...)} {
		if _, err := unpack(bad); err == nil {
			t.Errorf("%d bytes were read without an error", len(bad))
		}
	}
}

func TestKeysOfDifferentCallsDiffer(t *testing.T) {
	seen := map[string]call.Key{}
	for _, k := range []call.Key{
		{Campaign: "a", Contact: "b"}, {Campaign: "a/b", Contact: "c"}, {Campaign: "a", Contact: "b/c"},
		{Campaign: "a%2Fb", Contact: "c"}, {Campaign: "a%", Contact: "2Fb/c"}, {Campaign: "", Contact: "a/b"}, {Campaign: "a", Contact: "b#1"},
	} {
		s := keyText(k)
		if other, taken := seen[s]; taken {
			t.Errorf("%q stands for %#v and %#v", s, other, k)
		}
		seen[s] = k
		if got := keyFrom(s); got != k {
			t.Errorf("%q reads as %#v, want %#v", s, got, k)
		}
	}
}

func TestPlaceInTheDueIndex(t *testing.T) {
	made := noon.UnixMilli()
	for _, tc := range []struct {
		says string
		call call.Call
		want int64
	}{
		{"when it is claimed first", call.Call{Due: noon}, made},
		{"while it is looked at", call.Call{Due: noon.Add(59 * time.Minute)}, made},
		{"an hour later", call.Call{Due: noon.Add(61 * time.Minute)}, made + dueStep.Milliseconds()},
		{"the next day", call.Call{Due: noon.Add(23*time.Hour + 59*time.Minute)}, made + 23*dueStep.Milliseconds()},
		{"before it was made", call.Call{Due: noon.Add(-time.Minute)}, made - 60_000},
		{"set aside", call.Call{Due: noon.Add(16 * time.Minute), Park: call.Park{Since: noon}}, made + 16*60_000},
	} {
		tc.call.CreatedAt = noon
		if got := dueKey(tc.call); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.says, got, tc.want)
		}
		if at := tc.call.Due.UnixMilli() - dueKey(tc.call); at < 0 || at >= dueStep.Milliseconds() {
			t.Errorf("%s: it stands %d ms before its time, want less than an hour", tc.says, at)
		}
	}
}

func TestServicesArePacked(t *testing.T) {
	bare, err := pack(call.Call{})
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range agent.Services() {
		packed, err := pack(call.Call{Park: call.Park{Service: service}})
		if err != nil {
			t.Fatal(err)
		}
		if more := len(packed) - len(bare); more > 12 {
			t.Errorf("%s costs %d bytes: it is not among the words", service, more)
		}
	}
}
