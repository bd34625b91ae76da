package sheets

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"cloud.google.com/go/auth"
	api "google.golang.org/api/sheets/v4"

	"callagent/infra/httpcall"
)

// key is a service account's key file, as far as it is used.
type key struct {
	Type     string `json:"type"`
	Email    string `json:"client_email"`
	Private  string `json:"private_key"`
	ID       string `json:"private_key_id"`
	TokenURI string `json:"token_uri"`
}

// readKey reads the key of Config.Credentials.
func readKey(credentials string) (key, error) {
	const remedy = "set GOOGLE_APPLICATION_CREDENTIALS to the JSON key file of a service account"
	data := []byte(credentials)
	if !strings.HasPrefix(strings.TrimSpace(credentials), "{") {
		var err error
		if data, err = os.ReadFile(credentials); err != nil {
			return key{}, fmt.Errorf("sheets: %s: %w", remedy, withoutPath(err))
		}
	}
	var k key
	if json.Unmarshal(data, &k) != nil || k.Type != "service_account" || k.Email == "" {
		return key{}, errors.New("sheets: " + remedy + "; what it names is none")
	}
	if block, _ := pem.Decode([]byte(k.Private)); block == nil {
		return key{}, errors.New("sheets: " + remedy + "; the key in it is damaged")
	}
	if k.TokenURI == "" {
		k.TokenURI = "https://oauth2.googleapis.com/token"
	}
	return k, nil
}

// withoutPath drops the path from an error, because it may be a key that
// somebody put in the wrong form.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// transport carries Google's client library over our HTTP client, so that what
// breaks is classified in the same place as for every other service. With
// tokens it signs requests in the account's name.
type transport struct {
	client *httpcall.Client
	source auth.TokenProvider // asks Google each time; nil for requests that need no token
	tokens auth.TokenProvider // asks source when its token is over
	last   string             // the token that was sent last
}

func newTransport(client *httpcall.Client, k key) (*transport, error) {
	tokens, err := auth.New2LOTokenProvider(&auth.Options2LO{
		Email: k.Email, PrivateKey: []byte(k.Private), PrivateKeyID: k.ID, TokenURL: k.TokenURI,
		Scopes: []string{api.SpreadsheetsScope}, Client: &http.Client{Transport: &transport{client: client}},
	})
	if err != nil {
		return nil, errors.New("sheets: the service account's key file lacks a field: download it again")
	}
	t := &transport{client: client, source: tokens}
	t.forget()
	return t, nil
}

// forget drops the token, so that the next request asks for another.
func (t *transport) forget() {
	t.tokens = auth.NewCachedTokenProvider(t.source, &auth.CachedTokenProviderOptions{DisableAsyncRefresh: true})
}

// RoundTrip makes one request. Its errors are *fault.Fault, or come from the
// request for a token.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	header := r.Header.Clone()
	if t.tokens != nil {
		token, err := t.tokens.Token(r.Context())
		if err != nil {
			return nil, err
		}
		t.last = token.Value
		header.Set("Authorization", "Bearer "+t.last)
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close() // it was in memory
	}
	// Once, because a kept-alive connection does not survive it when a function
	// is frozen between two batches.
	a, f := t.client.Do(r.Context(), httpcall.Request{Method: r.Method, URL: r.URL.String(), Header: header, Body: body, MaxBody: mostAnswer, Once: true})
	if f != nil {
		return nil, f
	}
	if a.Status < http.StatusMultipleChoices && !bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) {
		return nil, noAnswer() // Google's library makes a nil of null
	}
	return &http.Response{
		StatusCode: a.Status, Status: http.StatusText(a.Status), Header: a.Header, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)),
	}, nil
}
