package smtp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"callagent/core/alert"
)

// compose writes the mail as it goes over the wire.
func (c *Channel) compose(m alert.Message) ([]byte, error) {
	title := strings.Join(strings.Fields(m.Title), " ")
	html, err := write(title, m)
	if err != nil {
		return nil, err
	}
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	letter.FromMailAddress(&c.from)
	for i := range c.to {
		letter.AddToMailAddress(&c.to[i])
	}
	letter.Subject("[" + m.Severity.String() + "] " + title)
	letter.SetDateWithValue(c.now())
	letter.SetMessageIDWithValue(c.messageID(m.ID))
	// Tells vacation programs not to answer.
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Severity == alert.Critical {
		letter.SetImportance(gomail.ImportanceHigh)
	}
	letter.SetBodyString(gomail.TypeTextPlain, m.Text+"\n")
	letter.AddAlternativeString(gomail.TypeTextHTML, html)
	var out bytes.Buffer
	_, err = letter.WriteTo(&out)
	return out.Bytes(), err
}

// messageID derives the Message-ID from the alert's: a digest, because an
// alert's id may hold what a Message-ID may not.
func (c *Channel) messageID(id string) string {
	sum := sha256.Sum256([]byte(id))
	domain := c.from.Address[strings.LastIndexByte(c.from.Address, '@')+1:]
	return "callagent." + hex.EncodeToString(sum[:16]) + "@" + domain
}
