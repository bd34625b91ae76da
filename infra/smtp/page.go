package smtp

import (
	"bytes"
	"html/template"

	"callagent/core/alert"
)

// page is the HTML form of a mail: one column that fits a phone, the severity
// as a coloured edge, what the reader has to do in a box. The plain text says
// the same. Colours stand in the elements, for mail programs that drop style
// sheets; the style sheet has those of the dark, and nothing is loaded.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>{{.Title}}</title>
<style>
:root{color-scheme:light dark}
@media (prefers-color-scheme:dark){
body,.page{background:#16181b!important;color:#e8eaed!important}
.label{color:#a9b0b8!important}
.you{background:#2b2718!important;color:#f3ead0!important}.you .label{color:#e0c98a!important}
.critical{color:#ff8f88!important;border-color:#ff8f88!important}
.warning{color:#ffb95c!important;border-color:#ffb95c!important}
.info{color:#84cf8a!important;border-color:#84cf8a!important}
}
</style></head>
<body class="page" style="margin:0;padding:16px;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1f2328;background:#fff;overflow-wrap:anywhere">
<div class="{{.Severity}}" style="max-width:36em;margin:0 auto;padding-left:12px;border-left:4px solid {{.Color}}">
<p class="{{.Severity}}" style="margin:0;font-size:14px;font-weight:bold;color:{{.Color}}">{{.Word}}</p>
<div class="page" style="color:#1f2328">
<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3">{{.Title}}</h1>
{{range .Paragraphs}}<p{{if .You}} class="you" style="margin:0 0 14px;padding:10px 12px;border-radius:6px;background:#fff4d6;color:#3d2f00"{{else}} style="margin:0 0 14px"{{end}}>
{{- with .Label}}<b class="label" style="display:block;font-size:14px;color:#59636e">{{.}}</b> {{end}}
{{- range $i, $line := .Lines}}{{if $i}}<span style="display:block;padding-top:6px">{{$line}}</span>{{else}}{{$line}}{{end}}{{end}}</p>
{{end}}</div></div>
</body>
</html>
`))

// looks are the word and the colour of a severity.
var looks = map[alert.Severity]struct{ word, color string }{
	alert.Info:     {"Good to know", "#1b6e20"},
	alert.Warning:  {"Warning", "#8a5200"},
	alert.Critical: {"Critical", "#b00020"},
}

// write makes the HTML form of a message.
func write(title string, m alert.Message) (string, error) {
	look := looks[m.Severity]
	var html bytes.Buffer
	err := page.Execute(&html, struct {
		Title, Severity, Word, Color string
		Paragraphs                   []alert.Paragraph
	}{title, m.Severity.String(), look.word, look.color, m.Paragraphs()})
	return html.String(), err
}
