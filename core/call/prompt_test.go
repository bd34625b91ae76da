package call_test

import (
	"strings"
	"testing"

	"callagent/core/call"
)

func TestPrompts(t *testing.T) {
	values := map[string]string{"name": "Ada", "plan": "gold", "first visit": "2024", "none": ""}
	for text, want := range map[string]string{
		"":                                     "",
		"Say hello.":                           "Say hello.",
		"{{.name}}":                            "Ada",
		"{{ .name }}, {{.plan}}!":              "Ada, gold!",
		"since {{.first visit}}":               "since 2024",
		"[{{.none}}]":                          "[]",
		"a } b { c }} d":                       "a } b { c }} d",
		"{{if .name}}yes{{end}}":               "yes",
		"{{if .none}}yes{{end}}":               "",
		"{{if .nobody}}yes{{end}}":             "",
		"{{ if .none }}a{{ else }}b{{ end }}c": "bc",
		"{{if .name}}{{if .none}}1{{else}}2 {{.plan}}{{end}}{{else}}3{{end}}": "2 gold",
	} {
		p, err := call.ParsePrompt(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := p.Render(values); got != want || err != nil {
			t.Errorf("%s is %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestPromptsThatCannotBeRead(t *testing.T) {
	for text, want := range map[string]string{
		"Hi\n{{.name":                            "in its line 2: a placeholder has no }} at its end",
		"{{name}}":                               "{{name}} is not known: write {{.name}}",
		"{{}}":                                   "{{}} is not known",
		"{{.}}":                                  "{{.}} is not known",
		"{{shout .name}}":                        "{{shout .name}} is not known",
		"{{.name | upper}}":                      "{{.name | upper}} is not known",
		`{{if .plan eq "gold"}}x{{end}}`:         "is not known",
		"{{if .a or .b}}x{{end}}":                "is not known",
		"\n\n{{if .name}}yes":                    "in its line 3: {{if .name}} has no {{end}}",
		"{{if .name}}a{{else}}b":                 "{{if .name}} has no {{end}}",
		"{{if .name}}a{{else}}b{{else}}c{{end}}": "{{if .name}} has no {{end}}",
		"a{{end}}":                               "{{end}} has no {{if}} before it",
		"a{{else}}b":                             "{{else}} has no {{if}} before it",
	} {
		_, err := call.ParsePrompt(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func FuzzPrompt(f *testing.F) {
	for _, text := range []string{"Hi {{.name}}", "{{if .a}}{{.a}}{{else}}{{end}}", "{{", "}}", "{{if .a}}{{if .b}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := call.ParsePrompt(text)
		if err != nil {
			return
		}
		if got, err := p.Render(nil); err == nil && !strings.Contains(text, "{{") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
