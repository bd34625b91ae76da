package simulator

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// Email is one message that the mail server took.
type Email struct {
	At      time.Time           `json:"at"`
	From    string              `json:"from"` // of the envelope, as are the recipients
	To      []string            `json:"to"`
	Subject string              `json:"subject"` // decoded
	Header  map[string][]string `json:"header"`
	Text    string              `json:"text"`   // decoded; the plain part when there are several
	Source  string              `json:"source"` // as it came, with lines that end in LF
}

// readEmail reads a message as far as it can: what is not a message has its
// bytes as its text.
func readEmail(at time.Time, from string, to []string, raw []byte) Email {
	e := Email{At: at, From: from, To: slices.Clone(to), Text: string(raw), Source: string(raw)}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return e
	}
	e.Header = m.Header
	e.Subject = m.Header.Get("Subject")
	if s, err := new(mime.WordDecoder).DecodeHeader(e.Subject); err == nil {
		e.Subject = s
	}
	e.Text = plainText(textproto.MIMEHeader(m.Header), m.Body)
	return e
}

// plainText finds the first part of type text/plain, within parts of parts
// too; "" when there is none.
func plainText(header textproto.MIMEHeader, body io.Reader) string {
	kind, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, parameters["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return ""
			}
			if text := plainText(part.Header, part); text != "" {
				return text
			}
		}
	}
	if kind != "text/plain" {
		return ""
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, _ := io.ReadAll(body) // as much as can be decoded
	return string(text)
}
