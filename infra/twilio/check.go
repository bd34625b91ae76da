package twilio

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"callagent/infra/httpcall"
)

var accountID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)

// IsAccount reports whether a text has the form of an account's id.
func IsAccount(sid string) bool { return accountID.MatchString(sid) }

// Account is what Twilio says of the account.
type Account struct {
	Status string // "active", "suspended" or "closed"
	Trial  bool   // it calls verified numbers only
}

// CheckAccount reads the account. It proves the key.
func (c *Client) CheckAccount(ctx context.Context) (Account, error) {
	var a struct {
		Status string `json:"status"`
		Type   string `json:"type"`
	}
	answer, err := c.read(ctx, c.account+".json", &a)
	if err != nil {
		return Account{}, err
	}
	if a.Status == "" {
		return Account{}, c.classify(answer, readsAccount)
	}
	return Account{Status: httpcall.Clean(a.Status, c.secrets...), Trial: a.Type == "Trial"}, nil
}

// CheckBalance reads what is left to spend; a negative amount is a debt.
// Accounts below another one have none of their own: that is a fault.
func (c *Client) CheckBalance(ctx context.Context) (amount float64, currency string, err error) {
	var b struct {
		Balance  string `json:"balance"`
		Currency string `json:"currency"`
	}
	answer, err := c.read(ctx, c.account+"/Balance.json", &b)
	if err != nil {
		return 0, "", err
	}
	amount, problem := strconv.ParseFloat(b.Balance, 64)
	if problem != nil {
		return 0, "", c.classify(answer, readsAccount)
	}
	return amount, httpcall.Clean(b.Currency, c.secrets...), nil
}

// Caller says what a number is to the account.
type Caller uint8

// What a number can be. Only the last two may call.
const (
	Foreign  Caller = iota // none of the account's
	Mute                   // bought, but without voice
	Verified               // somebody else's, verified for the account
	Owned                  // bought, with voice
)

// CheckCaller looks for a number in E.164 among the account's own, and then
// among those that it verified. Those are two requests at most.
func (c *Client) CheckCaller(ctx context.Context, number string) (Caller, error) {
	owned, err := c.numbers(ctx, "IncomingPhoneNumbers", "incoming_phone_numbers", number)
	if err != nil {
		return Foreign, err
	}
	switch {
	case len(owned) > 0 && owned[0].Capabilities.Voice:
		return Owned, nil
	case len(owned) > 0:
		return Mute, nil
	}
	verified, err := c.numbers(ctx, "OutgoingCallerIds", "outgoing_caller_ids", number)
	if err != nil || len(verified) == 0 {
		return Foreign, err
	}
	return Verified, nil
}

// callerID is a number of the account.
type callerID struct {
	Number       string `json:"phone_number"`
	Capabilities struct {
		Voice bool `json:"voice"`
	} `json:"capabilities"`
}

// numbers lists those entries of a resource that are the number; field is the
// list's name in the answer.
func (c *Client) numbers(ctx context.Context, resource, field, number string) ([]callerID, error) {
	var page map[string]json.RawMessage
	query := url.Values{"PhoneNumber": {number}, "PageSize": {strconv.Itoa(pageSize)}}
	a, err := c.read(ctx, c.account+"/"+resource+".json?"+query.Encode(), &page)
	if err != nil {
		return nil, err
	}
	var list []callerID
	if json.Unmarshal(page[field], &list) != nil {
		return nil, c.classify(a, readsAccount)
	}
	// Twilio takes the number for a pattern.
	return slices.DeleteFunc(list, func(n callerID) bool { return n.Number != number }), nil
}

// read reads JSON from a path.
func (c *Client) read(ctx context.Context, path string, to any) (httpcall.Answer, error) {
	a, err := c.send(ctx, request{http.MethodGet, path, nil, readsAccount})
	if err == nil && json.Unmarshal(a.Body, to) != nil {
		return a, c.classify(a, readsAccount)
	}
	return a, err
}
