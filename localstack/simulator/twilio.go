package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// phoneAPI is Twilio's REST interface. What the calls do is in twilio_call.go.
type phoneAPI struct {
	sim *Simulator
	out *http.Client // for what Twilio itself requests

	mu      sync.Mutex
	calls   []*call // oldest first
	bySID   map[string]*call
	rings   map[string]int // by number
	fetched int            // recordings
	next    time.Time      // when the next call may leave the queue
}

func newPhoneAPI(s *Simulator) *phoneAPI {
	return &phoneAPI{
		sim: s, bySID: map[string]*call{}, rings: map[string]int{},
		out: &http.Client{Transport: &http.Transport{DialContext: reaching(s.cfg.Reach), MaxIdleConnsPerHost: 16}, Timeout: 15 * time.Second},
	}
}

func (*phoneAPI) name() string { return twilio }

func (p *phoneAPI) routes() []route {
	const account = "/2010-04-01/Accounts/{account}"
	return []route{
		{name: "create", pattern: "POST " + account + "/Calls.json", paid: true, serve: p.authorized(p.create)},
		{name: "list", pattern: "GET " + account + "/Calls.json", serve: p.authorized(p.list)},
		{name: "fetch", pattern: "GET " + account + "/Calls/{sid}", serve: p.authorized(p.fetch)},
		{name: "update", pattern: "POST " + account + "/Calls/{sid}", serve: p.authorized(p.update)},
		{name: "account", pattern: "GET /2010-04-01/Accounts/{account}", serve: p.authorized(p.account)},
		{name: "balance", pattern: "GET " + account + "/Balance.json", serve: p.authorized(p.balance)},
		{name: "numbers", pattern: "GET " + account + "/IncomingPhoneNumbers.json", serve: p.authorized(p.owned)},
		{name: "callerids", pattern: "GET " + account + "/OutgoingCallerIds.json", serve: p.authorized(p.verified)},
	}
}

func (p *phoneAPI) stamp(h http.Header) {
	setAbsent(h, "Twilio-Request-Id", "RQ"+p.sim.ids.hex())
	setAbsent(h, "Twilio-Request-Duration", "0.052")
	setAbsent(h, "Twilio-Concurrent-Requests", "1")
	setAbsent(h, "X-Home-Region", "us1")
}

var twilioErrors = map[int]string{
	10001: "Account is not active", 10002: "Trial accounts do not support the feature you tried to use",
	10004: "Call concurrency limit exceeded", 13223: "Dial: Invalid phone number format",
	13224: "Dial: Twilio does not support calling this number or the number is invalid",
	13225: "Dial: Call blocked by Twilio blocklist", 13226: "Dial: Invalid country code",
	13227: "Geo Permission configuration is not permitting call", 20001: "A parameter is invalid",
	20003: "Authenticate", 20005: "Account not active", 20006: "Access Denied", 20404: "The requested resource was not found",
	20429: "Too Many Requests", 20500: "Internal Server Error", 20503: "Service unavailable",
	21201: "No 'To' number is specified", 21202: "'To' number is a premium number", 21203: "International calling not enabled",
	21205: "Url is not a valid URL", 21210: "The source phone number provided is not yet verified for your account",
	21211: "Invalid 'To' Phone Number", 21212: "Invalid 'From' Phone Number", 21213: "Caller phone number is required",
	21214: "'To' phone number cannot be reached", 21215: "Account not authorized to call this number: Geo Permission",
	21216: "Account not allowed to call this number", 21217: "Phone number does not appear to be valid",
	21219: "'To' number is not verified", 21220: "Call is not in a state that allows this", 21609: "Invalid 'StatusCallback' URL",
	21626: "Invalid 'StatusCallbackEvent'", 22005: "Call queue is full", 90010: "Account is not active",
}

var usualTwilioErrors = map[int]int{400: 20001, 401: 20003, 403: 20005, 404: 20404, 429: 20429, 500: 20500, 503: 20503}

func (p *phoneAPI) fail(f Fault) answer { return p.refuse(f.status(), f.Code) }

func (p *phoneAPI) refuse(status int, code string) answer {
	n, err := strconv.Atoi(code)
	if err != nil {
		n = usualTwilioErrors[status]
	}
	message := twilioErrors[n]
	if message == "" {
		n, message = max(n, 20000), "The request was refused"
	}
	return jsonAnswer(status, map[string]any{"code": n, "message": message, "status": status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", n)})
}

func (p *phoneAPI) badRequest(code int) answer {
	return p.refuse(http.StatusBadRequest, strconv.Itoa(code))
}

func (p *phoneAPI) authorized(serve func(inbound) answer) func(inbound) answer {
	return func(in inbound) answer {
		k := p.sim.cfg.Keys
		user, token, _ := in.BasicAuth()
		switch {
		case !same(user, k.TwilioAccount) || !same(token, k.TwilioToken):
			return p.refuse(http.StatusUnauthorized, "")
		case strings.TrimSuffix(in.PathValue("account"), ".json") != k.TwilioAccount:
			return p.refuse(http.StatusNotFound, "")
		}
		return serve(in)
	}
}

// refusals are the words of Config.Numbers for numbers that Twilio does not
// accept.
var refusals = map[string]int{
	"invalid": 21211, "unreachable": 21214, "geo": 21215, "blocked": 21216, "unverified": 21219, "premium": 21202,
}

// The words of Config.Numbers for how a call goes.
const (
	outcomeAnswered  = "answered"
	outcomeBusy      = "busy"
	outcomeNoAnswer  = "no-answer"
	outcomeVoicemail = "voicemail"
	outcomeFax       = "fax"
	outcomeFailed    = "failed"
	outcomeStuck     = "stuck"
)

var outcomes = []string{outcomeAnswered, outcomeBusy, outcomeNoAnswer, outcomeVoicemail, outcomeFax, outcomeFailed, outcomeStuck}

func checkNumbers(numbers map[string]string) error {
	for _, word := range numbers {
		if _, refused := refusals[word]; !refused && !slices.Contains(outcomes, word) {
			known := slices.Concat(outcomes, slices.Sorted(maps.Keys(refusals)))
			return fmt.Errorf("simulator: %q is no behaviour of a number, only %s", word, strings.Join(known, ", "))
		}
	}
	return nil
}

// magic are the numbers that Twilio reserves for tests of refusals.
var magic = map[string]int{"+15005550001": 21211, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// create accepts a call. The order of the checks is Twilio's.
func (p *phoneAPI) create(in inbound) answer {
	form, err := in.form()
	if err != nil {
		return p.badRequest(20001)
	}
	to, from := form.Get("To"), form.Get("From")
	behaviour, listed := p.sim.cfg.Numbers[to]
	if !listed {
		behaviour = outcomeAnswered
	}
	switch {
	case !p.sim.cfg.Account.active():
		return p.refuse(http.StatusForbidden, "20005")
	case to == "":
		return p.badRequest(21201)
	case from == "":
		return p.badRequest(21213)
	case !e164.MatchString(to):
		return p.badRequest(21211)
	case !e164.MatchString(from), from == "+15005550001":
		return p.badRequest(21212)
	case from != p.sim.cfg.Keys.TwilioFrom && !slices.Contains(p.sim.cfg.Account.Verified, from):
		return p.badRequest(21210)
	case magic[to] != 0:
		return p.badRequest(magic[to])
	case refusals[behaviour] != 0:
		return p.badRequest(refusals[behaviour])
	}
	plan, code := readPlan(form)
	if code != 0 {
		return p.badRequest(code)
	}
	return jsonAnswer(http.StatusCreated, p.accept(to, from, behaviour, plan))
}

// plan is what a create request asks for beside the two numbers.
type plan struct {
	twiml, url  string
	ring, talk  time.Duration // upper bounds; a talk of 0 has none
	detect      string        // MachineDetection
	callback    string
	events      []string
	callbackGet bool
}

var callbackEvents = []string{"initiated", "ringing", "answered", "completed"}

// readPlan returns the code of what is wrong, or 0.
func readPlan(form url.Values) (plan, int) {
	pl := plan{twiml: form.Get("Twiml"), url: form.Get("Url"), callback: form.Get("StatusCallback"),
		detect: form.Get("MachineDetection"), callbackGet: form.Get("StatusCallbackMethod") == http.MethodGet,
		ring: 60 * time.Second, events: []string{"completed"}}
	if pl.twiml == "" && !absolute(pl.url) {
		return plan{}, 21205
	}
	if len(pl.twiml) > 4000 {
		return plan{}, 20001
	}
	if pl.callback != "" && !absolute(pl.callback) {
		return plan{}, 21609
	}
	// A client may repeat the key or put all events into one value.
	if asked := strings.Fields(strings.Join(form["StatusCallbackEvent"], " ")); len(asked) > 0 {
		pl.events = asked
	}
	for _, e := range pl.events {
		if !slices.Contains(callbackEvents, e) {
			return plan{}, 21626
		}
	}
	for key, field := range map[string]*time.Duration{"Timeout": &pl.ring, "TimeLimit": &pl.talk} {
		if v := form.Get(key); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return plan{}, 20001
			}
			*field = time.Duration(n) * time.Second
		}
	}
	return pl, 0
}

func absolute(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// find gives the call that a path names, or nil.
func (p *phoneAPI) find(in inbound) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bySID[strings.TrimSuffix(in.PathValue("sid"), ".json")]
}

func (p *phoneAPI) fetch(in inbound) answer {
	c := p.find(in)
	if c == nil {
		return p.refuse(http.StatusNotFound, "")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return jsonAnswer(http.StatusOK, p.resource(c))
}

// update ends a call: canceled withdraws it before it is answered, completed
// hangs up whatever it does.
func (p *phoneAPI) update(in inbound) answer {
	c := p.find(in)
	if c == nil {
		return p.refuse(http.StatusNotFound, "")
	}
	form, err := in.form()
	status := form.Get("Status")
	if err != nil || status != statusCanceled && status != statusCompleted {
		return p.badRequest(20001)
	}
	if !p.end(c, status, 487) {
		return p.badRequest(21220)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return jsonAnswer(http.StatusOK, p.resource(c))
}
