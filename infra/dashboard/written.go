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
		return "<p class=\"lead\">The calls are being counted.</p>", nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	key := name + " " + variant
	if p, known := w.parts[key]; known && p.of.Equal(of) {
		return p.html, nil
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, about()); err != nil {
		return "", err
	}
	if w.parts == nil {
		w.parts = map[string]writtenPart{}
	}
	p := writtenPart{of, template.HTML(b.String())} // written by html/template
	w.parts[key] = p
	return p.html, nil
}
