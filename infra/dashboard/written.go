package dashboard

import (
	"bytes"
	"html/template"
	"sync"
	"time"
)

// written keeps the parts of the page that are the same for all who look: each
// is made once for what was read, however many look. The zero value is ready
// and safe for concurrent use.
type written struct {
	mu    sync.Mutex
	parts map[string]writtenPart
}

type writtenPart struct {
	of   time.Time // when that was read which it shows
	html template.HTML
}

// part gives a template's text about what was read at a time; zero when that
// is still being counted. Variants of one template are kept apart.
func (w *written) part(name, variant string, of time.Time, about func() any) (template.HTML, error) {
	if of.IsZero() {
		return render("counting", nil)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := name + " " + variant
	if p, known := w.parts[key]; known && p.of.Equal(of) {
		return p.html, nil
	}
	html, err := render(name, about())
	if err != nil {
		return "", err
	}
	if w.parts == nil {
		w.parts = map[string]writtenPart{}
	}
	w.parts[key] = writtenPart{of, html}
	return html, nil
}

// render is a template's text, which html/template has made safe.
func render(name string, about any) (template.HTML, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, about)
	return template.HTML(b.String()), err
}
