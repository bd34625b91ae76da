package smtp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"callagent/core/alert"
)

// page is the HTML form of a mail: one column that fits a phone, the severity
// as a coloured edge. The plain text says the same.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Title}}</title></head>
<body style="margin:0;padding:16px;font:16px/1.5 sans-serif;color:#222;background:#fff">
<div style="max-width:36em;margin:0 auto;padding-left:12px;border-left:4px solid {{.Color}}">
<p style="margin:0;font-size:14px;color:{{.Color}}">{{.Severity}}</p>
<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3">{{.Title}}</h1>
{{range .Paragraphs}}<p style="margin:0 0 12px">{{range $i, $line := .}}{{if $i}}<br>{{end}}{{$line}}{{end}}</p>
{{end}}</div>
</body>
</html>
`))

var colors = map[alert.Severity]string{alert.Info: "#2e7d32", alert.Warning: "#b26a00", alert.Critical: "#b00020"}

// compose writes the mail as it goes over the wire.
func (c *Channel) compose(m alert.Message) ([]byte, error) {
	title := strings.Join(strings.Fields(m.Title), " ")
	var html bytes.Buffer
	err := page.Execute(&html, struct {
		Title, Severity, Color string
		Paragraphs             [][]string
	}{title, m.Severity.String(), colors[m.Severity], paragraphs(m.Text)})
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
	letter.AddAlternativeString(gomail.TypeTextHTML, html.String())
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

// paragraphs splits text at blank lines, and each paragraph into its lines.
func paragraphs(text string) [][]string {
	var all [][]string
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			all = append(all, strings.Split(p, "\n"))
		}
	}
	return all
}
