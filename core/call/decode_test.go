package call_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"callagent/core/call"
)

// documented is the message that the contract shows.
const documented = `{"campaign":"spring","contact_id":"c-001","phone":"+15005550006","name":"Ada","variables":{"plan":"gold"},"time_zone":"Europe/Berlin","expires_at":"2026-12-01T18:00:00Z"}`

func TestDecode(t *testing.T) {
	for body, want := range map[string]call.Contact{
		documented: {
			Campaign: "spring", ID: "c-001", Phone: "+15005550006", Name: "Ada", Variables: map[string]string{"plan": "gold"},
			TimeZone: "Europe/Berlin", ExpiresAt: time.Date(2026, time.December, 1, 18, 0, 0, 0, time.UTC),
		},
		" {\"campaign\":\"s\",\"contact_id\":\"1\",\"phone\":\"+4930123456\"}\r\n ":        {Campaign: "s", ID: "1", Phone: "+4930123456"},
		`{"phone":"+15005550006","contact_id":"a.b_c-d:e@f+g","campaign":"S.1","name":""}`: {Campaign: "S.1", ID: "a.b_c-d:e@f+g", Phone: "+15005550006"},
		`{"campaign":"s","contact_id":"1","phone":"+4930123456","variables":null}`:         {Campaign: "s", ID: "1", Phone: "+4930123456"},
	} {
		got, err := call.Decode([]byte(body))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, %v; want %+v", body, got, err, want)
		}
	}
}

// with is the shortest good message with one field more, or another value for
// one of its fields.
func with(field, value string) string {
	fields := map[string]string{"campaign": `"spring"`, "contact_id": `"c-001"`, "phone": `"+15005550006"`}
	fields[field] = value
	var parts []string
	for _, k := range []string{"campaign", "contact_id", "phone"} {
		if fields[k] != "" {
			parts = append(parts, `"`+k+`":`+fields[k])
		}
		delete(fields, k)
	}
	for k, v := range fields {
		parts = append(parts, `"`+k+`":`+v)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

const (
	notAContact = "the message is no JSON object with a contact in it"
	tooMuch     = "the message goes on after its JSON object: send one contact a message"
	badID       = `has characters that no id may have: use letters, digits and . _ - : @ +, at most 128`
	badPhone    = `field "phone" is no E.164 number: write a plus sign, the country code and the number, digits only, like +14155550100`
	badTime     = `field "expires_at" is no time: write it like 2026-12-01T18:00:00Z`
	badMap      = `field "variables" is not as it should be: write an object whose values are strings`
)

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"", notAContact},
		{"hello", notAContact},
		{"{", notAContact},
		{`"+15005550006"`, notAContact},
		{`+15005550006`, notAContact},
		{"[" + documented + "]", notAContact},
		{"17", notAContact},
		{"null", `field "campaign" is missing: name the campaign that the contact belongs to`},
		{documented + documented, tooMuch},
		{documented + "}", tooMuch},
		{documented + "]", tooMuch},
		{documented + " +15005550006", tooMuch},
		{strings.Repeat(" ", call.MaxBody+1), "the message has 65537 bytes: at most 65536 are read"},
		{with("campaign", ""), `field "campaign" is missing: name the campaign that the contact belongs to`},
		{with("campaign", `""`), `field "campaign" is missing: name the campaign that the contact belongs to`},
		{with("contact_id", ""), `field "contact_id" is missing: give every contact an id of its own`},
		{with("contact_id", `"1-500-555-0006"`), `field "contact_id" is the phone number: ids are shown in logs, sheets and alerts, so give the contact another one`},
		{with("phone", ""), `field "phone" is missing: write it like +14155550100`},
		{with("campaign", `"spring/2026"`), `field "campaign" ` + badID},
		{with("campaign", `"frühling"`), `field "campaign" ` + badID},
		{with("contact_id", `"c 001"`), `field "contact_id" ` + badID},
		{with("contact_id", `"`+strings.Repeat("c", 129)+`"`), `field "contact_id" ` + badID},
		{with("phone", `"15005550006"`), badPhone},
		{with("phone", `"+1 500 555 0006"`), badPhone},
		{with("phone", `"+1-500-555-0006"`), badPhone},
		{with("phone", `"+05005550006"`), badPhone},
		{with("phone", `"+150055"`), badPhone},
		{with("phone", `"+1500555000600060"`), badPhone},
		{with("phone", `"++15005550006"`), badPhone},
		{with("phone", `"+١٥٠٠٥٥٥٠٠٠٦"`), badPhone},
		{with("phone", `"anonymous"`), badPhone},
		{with("phone", "15005550006"), `field "phone" is a JSON number: it has to be a string`},
		{with("contact_id", "17"), `field "contact_id" is a JSON number: it has to be a string`},
		{with("campaign", "true"), `field "campaign" is a JSON bool: it has to be a string`},
		{with("name", `["Ada"]`), `field "name" is a JSON array: it has to be a string`},
		{with("name", `{"first":"Ada"}`), `field "name" is a JSON object: it has to be a string`},
		{with("variables", `{"age":30}`), badMap},
		{with("variables", `"gold"`), badMap},
		{with("expires_at", `"tomorrow"`), badTime},
		{with("expires_at", `"2026-12-01"`), badTime},
		{with("expires_at", "1796148000"), badTime},
		{with("plan", `"gold"`), `field "plan" is not known: put data of your own under "variables"`},
		{with("phone_number", `"+15005550006"`), `field "phone_number" is not known: put data of your own under "variables"`},
		{with("+15005550006", `"Ada"`), `a field is not known: put data of your own under "variables"`},
		{with("0049 30 123456", `"Ada"`), `a field is not known: put data of your own under "variables"`},
		{with("ünknown", `1`), `a field is not known: put data of your own under "variables"`},
	} {
		_, err := call.Decode([]byte(c.body))
		if err == nil || err.Error() != c.want {
			t.Errorf("%.120s\n got %v\nwant %s", c.body, err, c.want)
		}
		assertNoPhone(t, err)
	}
}

var digits = regexp.MustCompile(`[0-9][0-9 .()/-]{5,}[0-9]`)

// assertNoPhone: the only number that an error may show is the example.
func assertNoPhone(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := strings.NewReplacer("+14155550100", "", "2026-12-01T18:00:00Z", "").Replace(err.Error())
	if found := digits.FindString(text); found != "" {
		t.Errorf("a number shows in %q", err)
	}
}

func TestE164(t *testing.T) {
	for phone, want := range map[string]bool{
		"+15005550006": true, "+1234567": true, "+123456789012345": true, // 7 to 15 digits
		"+123456": false, "+1234567890123456": false, "": false, "+": false,
		"15005550006": false, "+1500555000x": false, "+0123456789": false, " +15005550006": false,
	} {
		if got := call.E164(phone); got != want {
			t.Errorf("E164(%q) = %t", phone, got)
		}
	}
}

func TestAnIDOf128CharactersIsTheLongest(t *testing.T) {
	c := call.Contact{Campaign: "s", ID: strings.Repeat("c", 128), Phone: "+15005550006"}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestKey(t *testing.T) {
	k := call.Contact{Campaign: "spring", ID: "c-001"}.Key()
	if k != (call.Key{Campaign: "spring", Contact: "c-001"}) || k.String() != "spring/c-001" {
		t.Errorf("the key is %+v, %s", k, k)
	}
}

// remedied is how a refusal reads: what is wrong, a colon and what to do, unless
// nothing of the message can be named.
var remedied = regexp.MustCompile(`^(a |the )?(field|message)( "[a-z_]*")? .*: .|^` + notAContact + `$`)

// FuzzDecode: whatever is sent, a contact that is taken is a good one that can
// be sent again, and an error shows no number.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		documented, "", "null", "{", documented + "}", with("phone", "15005550006"), with("+15005550006", "1"),
		with("variables", `{"+15005550006":1}`), with("variables", `{"a":{"b":"c"}}`), with("expires_at", `"+15005550006"`),
		with("phone", `"+1500555000६"`), with("expires_at", `"9999-12-31T23:59:59.999999999+23:59"`), "\xff\xfe{}",
		with("Phone", `"+15005550006"`), with("name", `"\ud800"`), `{"campaign":"a","campaign":"b"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := call.Decode(body)
		if err != nil {
			assertNoPhone(t, err)
			if !remedied.MatchString(err.Error()) {
				t.Errorf("%q names no field and no remedy", err)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("taken, but: %v", err)
		}
		again, err := json.Marshal(c)
		if err != nil {
			return // its end has a zone that JSON cannot write
		}
		d, err := call.Decode(again)
		if err != nil || !reflect.DeepEqual(c.Key(), d.Key()) || c.Phone != d.Phone || !c.ExpiresAt.Equal(d.ExpiresAt) {
			t.Fatalf("%s comes back as %+v, %v", again, d, err)
		}
	})
}
