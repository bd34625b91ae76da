package folder

import (
	"crypto/hmac"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
)

// prefix is where Handler serves.
const prefix = "/media/"

// contentTypes goes by a name's ending; the machine's own tables differ.
var contentTypes = map[string]string{
	".json": "application/json",
	".mp3":  "audio/mpeg",
	".ogg":  "audio/ogg",
	".txt":  "text/plain; charset=utf-8",
	".ulaw": "audio/basic",
	".wav":  "audio/wav",
}

// Handler serves what Link names, whole or in ranges, to whoever has
// the link. Everything else is not found: wrong tokens, directories, names
// that Put would refuse.
func (m *Media) Handler() http.Handler { return http.HandlerFunc(m.serve) }

func (m *Media) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, prefix)
	if !ok || !valid(name) || !m.admits(name, r.URL.Query().Get("token")) {
		http.NotFound(w, r)
		return
	}
	f, at, err := m.open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer func() { _ = f.Close() }()
	kind, ok := contentTypes[strings.ToLower(path.Ext(name))]
	if !ok {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, name, time.Time{}, io.NewSectionReader(f, at.offset, at.size))
}

// admits compares a token in constant time. Without a key no token is right.
func (m *Media) admits(name, token string) bool {
	return len(m.key) > 0 && hmac.Equal([]byte(token), []byte(m.token(name)))
}
