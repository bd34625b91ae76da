// Package hubspot keeps the outcomes of calls in HubSpot.
//
// Nothing is ever recorded twice, because both records are found by properties
// of our own with unique values. Users create them once in HubSpot, both as
// single-line text with "require unique values", under these internal names:
//
//	object    property             holds
//	contact   callagent_contact    the contact id of the queue message
//	call      callagent_call       campaign/contact id
//
// A contact that is in HubSpot already is found, not doubled, when its
// callagent_contact is filled in. The token is that of a private app with the
// scopes crm.objects.contacts.read and crm.objects.contacts.write, which cover
// calls, too.
package hubspot

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"callagent/core/call"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

const (
	service = "crm"
	origin  = "https://api.hubapi.com"
)

// object is a kind of record and the unique property by which ours are found.
type object struct{ name, key string }

var (
	contacts = object{"contacts", "callagent_contact"}
	calls    = object{"calls", "callagent_call"}
)

// Config says whose CRM it is and where it is reached.
type Config struct {
	Token   string           // of a private app
	BaseURL string           // "" means https://api.hubapi.com
	Connect time.Duration    // bounds dialling and TLS; 0 means 5 s
	Now     func() time.Time // reads Retry-After dates and dates calls without a start; nil means time.Now
}

// Client writes to one CRM account. It is safe for concurrent use.
type Client struct {
	http   *httpcall.Client
	base   string
	token  string
	now    func() time.Time
	header http.Header
}

// New returns a client; it sends nothing yet.
func New(c Config) *Client {
	if c.BaseURL == "" {
		c.BaseURL = origin
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{
		http:  httpcall.New(service, c.Connect),
		base:  strings.TrimRight(c.BaseURL, "/"),
		token: c.Token,
		now:   c.Now,
		header: http.Header{
			"Authorization": {"Bearer " + c.Token},
			"Accept":        {"application/json"},
			"Content-Type":  {"application/json"},
		},
	}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.Close() }

// Record writes the contact, then the call, then joins the two, and returns
// HubSpot's id of the call. Those are three requests, four or five when
// somebody writes the same record at the same moment; each of them may be sent
// again, none is retried here, and the first that fails ends the sequence.
// Recording the same key again overwrites every property that Record writes.
func (c *Client) Record(ctx context.Context, e call.Entry) (string, error) {
	contact, err := c.upsert(ctx, contacts, e.Contact.ID, contactProperties(e.Contact))
	if err != nil {
		return "", err
	}
	id, err := c.upsert(ctx, calls, e.Key.String(), callProperties(e, c.now))
	if err != nil {
		return "", err
	}
	if err := c.join(ctx, id, contact); err != nil {
		return "", err
	}
	return id, nil
}

// Probe reads one contact. That proves the key and the service, not that a
// write would be accepted.
func (c *Client) Probe(ctx context.Context, _ *fault.Fault) error {
	a, err := c.send(ctx, http.MethodGet, "/crm/v3/objects/contacts?limit=1", nil)
	if err != nil {
		return err
	}
	var page struct {
		Results *[]json.RawMessage `json:"results"`
	}
	if json.Unmarshal(a.Body, &page) != nil || page.Results == nil {
		return c.classify(a)
	}
	return nil
}

// input names one record by the value of its unique property.
type input struct {
	ID         string            `json:"id"`
	IDProperty string            `json:"idProperty,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

// upsert creates or changes the record whose key has the given value. A
// conflict means that somebody else created it a moment ago.
func (c *Client) upsert(ctx context.Context, o object, value string, properties map[string]string) (string, error) {
	body := map[string]any{"inputs": []input{{ID: value, IDProperty: o.key, Properties: properties}}}
	id, err := c.one(ctx, "/crm/v3/objects/"+o.name+"/batch/upsert", body)
	if f := fault.From(service, err); f != nil && f.Kind == fault.Conflict {
		return c.find(ctx, o, value, err)
	}
	return id, err
}

// find looks a record up after a conflict. If ours is not there either, the
// conflict was about something else and stands.
func (c *Client) find(ctx context.Context, o object, value string, conflict error) (string, error) {
	body := map[string]any{
		"idProperty":            o.key,
		"inputs":                []input{{ID: value}},
		"properties":            []string{o.key},
		"propertiesWithHistory": []string{},
	}
	id, err := c.one(ctx, "/crm/v3/objects/"+o.name+"/batch/read", body)
	if f := fault.From(service, err); f != nil && f.Kind == fault.NotFound {
		return "", conflict
	}
	return id, err
}

// recordID is an id that can be kept and shown. HubSpot's are digits.
var recordID = regexp.MustCompile(`^[\w-]{1,64}$`)

// one sends a batch of one and returns the id of the one record in the answer.
func (c *Client) one(ctx context.Context, path string, body any) (string, error) {
	a, err := c.send(ctx, http.MethodPost, path, body)
	if err != nil {
		return "", err
	}
	var batch struct {
		Results []struct {
			ID string `json:"id"`
		} `json:"results"`
	}
	if json.Unmarshal(a.Body, &batch) != nil || len(batch.Results) != 1 || !recordID.MatchString(batch.Results[0].ID) {
		return "", c.classify(a)
	}
	return batch.Results[0].ID, nil
}

// join associates a call with a contact. They may be joined already.
func (c *Client) join(ctx context.Context, id, contact string) error {
	a, err := c.send(ctx, http.MethodPut, "/crm/v4/objects/calls/"+url.PathEscape(id)+
		"/associations/default/contacts/"+url.PathEscape(contact), nil)
	if f := fault.From(service, err); f != nil && f.Kind == fault.Conflict {
		return nil
	}
	if err != nil {
		return err
	}
	if len(reason(a.Body).Errors) > 0 {
		return c.classify(a)
	}
	return nil
}

// send makes one request and returns its answer if that is a 2xx; a nil body
// sends none.
func (c *Client) send(ctx context.Context, method, path string, body any) (httpcall.Answer, error) {
	r := httpcall.Request{Method: method, URL: c.base + path, Header: c.header}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return httpcall.Answer{}, &fault.Fault{Class: fault.Permanent, Kind: fault.InvalidRequest,
				Scope: fault.Contact, Service: service, Message: "the record cannot be written as JSON", Cause: err}
		}
		r.Body = data
	}
	a, f := c.http.Do(ctx, r)
	if f != nil {
		return a, f
	}
	if a.Status < 200 || a.Status > 299 {
		return a, c.classify(a)
	}
	return a, nil
}
