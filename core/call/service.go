package call

import "time"

// Step is one stage of a call. The zero Step is NoStep.
type Step uint8

// The steps in their order. A finished step is never repeated.
const (
	NoStep      Step = iota
	ScriptStep       // the LLM writes the script
	SpeechStep       // ElevenLabs turns the script into speech
	DialStep         // the telephony provider accepts the call
	OutcomeStep      // how the call ended
	RecordStep       // the CRM keeps it
)

// String gives the step's name in journals and histories.
func (s Step) String() string {
	return [...]string{"", "script", "speech", "dial", "outcome", "record"}[min(s, RecordStep)]
}

// ScriptRequest asks the LLM for what is to be said.
type ScriptRequest struct {
	System    string // instructions of the campaign, rendered
	User      string // what is known of the contact
	MaxTokens int    // upper bound on the answer; 0 leaves it to the service
}

// SpeechRequest asks for one recording.
type SpeechRequest struct {
	Text     string
	Voice    string // "" takes the adapter's default
	Language string // ISO 639-1, "" lets the model decide
}

// Audio is a finished recording.
type Audio struct {
	Data        []byte
	ContentType string // "audio/mpeg"
}

// DialRequest asks the telephony provider to ring a number once.
type DialRequest struct {
	Attempt          string        // id of the intent; comes back in every callback
	To, From         string        // E.164
	AudioURL         string        // what the provider plays when somebody answers
	CallbackURL      string        // where it reports progress; "" for no callbacks
	RingTimeout      time.Duration // how long it may ring
	MaxLength        time.Duration // how long the conversation may last
	MachineDetection bool
}

// Result is how the provider says a call ended.
type Result string

// The results. A call with any of them is completed: there is a final answer,
// of the provider but for the last of them, whether or not anybody picked up.
const (
	Answered     Result = "answered"
	Voicemail    Result = "voicemail"
	Fax          Result = "fax"
	Busy         Result = "busy"
	NoAnswer     Result = "no-answer"
	NotConnected Result = "not-connected" // the network could not reach the number
	Canceled     Result = "canceled"      // withdrawn before anybody answered
	Rang         Result = "rang"          // a person says so, nobody knows how it ended
)

// Results lists the results.
func Results() []Result {
	return []Result{Answered, Voicemail, Fax, Busy, NoAnswer, NotConnected, Canceled, Rang}
}

// Look is one reading of a call at the provider.
type Look struct {
	SID      string
	Status   string // the provider's own word, for the history
	To, From string
	Created  time.Time
	Queued   bool   // accepted but not yet ringing
	Result   Result // "" while the call is not over
	Duration time.Duration
	Detail   string // a SIP or error code, "" when there is none
}

// Final reports whether the call is over.
func (l Look) Final() bool { return l.Result != "" }

// Entry is what the CRM is told about a finished call. Writing the same Key
// again changes the existing entry instead of adding one.
type Entry struct {
	Key      Key
	Contact  Contact
	SID      string
	From     string
	Result   Result
	Started  time.Time
	Duration time.Duration
	Script   string
}
