package folder

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/agent"
	"callagent/core/agent/mediatest"
)

var key = []byte("0123456789abcdef")

func open(t *testing.T, c Config) *Media {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// serve opens a store that is reached under a path of a server on loopback.
func serve(t *testing.T) *Media {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, Config{Dir: t.TempDir(), PublicURL: "http://" + l.Addr().String() + "/calls/", Key: key})
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.StripPrefix("/calls", m.Handler())}}
	s.Start()
	t.Cleanup(s.Close)
	return m
}

func TestMedia(t *testing.T) {
	mediatest.Run(t, func(t *testing.T) agent.Media {
		return open(t, Config{Dir: t.TempDir(), PublicURL: "https://calls.example.com", Key: key})
	})
}

func TestLinks(t *testing.T) {
	mediatest.Links(t, func(t *testing.T) agent.Media { return serve(t) })
}

func TestNewNamesTheRemedy(t *testing.T) {
	const badURL = "folder: set PUBLIC_URL to the whole address from outside, such as https://calls.example.com"
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, "folder: name a directory for recordings"},
		{Config{Dir: "x", PublicURL: "calls.example.com", Key: key}, badURL},
		{Config{Dir: "x", PublicURL: "https://", Key: key}, badURL},
		{Config{Dir: "x", PublicURL: "https://calls.example.com/?a=b", Key: key}, badURL},
		{Config{Dir: "x", PublicURL: "https://calls.example.com", Key: key[1:]},
			"folder: with PUBLIC_URL a key of at least 16 bytes is needed to make links"},
	} {
		if _, err := New(c.config); err == nil || err.Error() != c.want {
			t.Errorf("%+v: %v", c.config, err)
		}
	}
	if _, err := New(Config{Dir: filepath.Join(t.TempDir(), "file\x00")}); err == nil {
		t.Error("a directory that cannot be created is accepted")
	}
}

func TestLinkNeedsAPublicURL(t *testing.T) {
	_, err := open(t, Config{Dir: t.TempDir(), Key: key}).Link(t.Context(), "a.mp3")
	if want := "media: invalid_request: nobody outside can fetch the audio: set PUBLIC_URL to the address where this process is reached"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestPutIsPrivateAndLeavesNothingBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "media")
	m := open(t, Config{Dir: dir})
	for range 2 {
		if _, err := m.Put(t.Context(), "audio/en/a.mp3", "audio/mpeg", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Put(t.Context(), "taken", "audio/mpeg", []byte("x")); err == nil {
		t.Error("a directory was replaced")
	}
	if _, err := m.Put(t.Context(), "audio/en/a.mp3/b", "audio/mpeg", []byte("x")); err == nil {
		t.Error("a file was used as a directory")
	}
	got := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		name, _ := filepath.Rel(dir, path)
		got[name] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{".": fs.ModeDir | 0o700, "audio": fs.ModeDir | 0o700, "audio/en": fs.ModeDir | 0o700,
		"audio/en/a.mp3": 0o600, "taken": fs.ModeDir | 0o700}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNothingLeavesTheDirectory(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "way-out")); err != nil {
		t.Fatal(err)
	}
	m := open(t, Config{Dir: dir, PublicURL: "https://calls.example.com", Key: key})
	if data, err := m.Get(t.Context(), "way-out/secret"); err == nil {
		t.Errorf("Get gives %q", data)
	}
	if _, err := m.Put(t.Context(), "way-out/new", "", []byte("x")); err == nil {
		t.Error("Put writes through a symbolic link")
	}
	link, err := m.Link(t.Context(), "way-out/secret")
	if err != nil {
		t.Fatal(err)
	}
	if code := ask(m, http.MethodGet, link).Code; code != http.StatusNotFound {
		t.Errorf("the handler says %d", code)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files outside, %v", len(entries), err)
	}
}

func TestNames(t *testing.T) {
	m := open(t, Config{Dir: t.TempDir(), PublicURL: "https://calls.example.com", Key: key})
	for _, name := range []string{".hidden", "a/.hidden", `a\b`, "a\x00b", "a\nb", "\x7f"} {
		if _, err := m.Put(t.Context(), name, "", nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Put %q: %v", name, err)
		}
		if _, err := m.Get(t.Context(), name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Get %q: %v", name, err)
		}
	}
}

func TestLinksOutliveTheProcess(t *testing.T) {
	c := Config{Dir: t.TempDir(), PublicURL: "https://calls.example.com/base/", Key: key}
	first, err := open(t, c).Link(t.Context(), "audio/0a.mp3")
	if err != nil {
		t.Fatal(err)
	}
	second, err := open(t, c).Link(t.Context(), "audio/0a.mp3")
	if err != nil || first != second {
		t.Errorf("%v, then another link", err)
	}
	address, token, _ := strings.Cut(first, "?token=")
	if address != "https://calls.example.com/base/media/audio/0a.mp3" || len(token) != 43 {
		t.Errorf("%s with a token of %d characters", address, len(token))
	}
	c.Key = []byte("another key that is long enough")
	if third, err := open(t, c).Link(t.Context(), "audio/0a.mp3"); err != nil || third == first {
		t.Errorf("another key makes the same link, %v", err)
	}
}

// ask puts one request to the handler.
func ask(m *Media, method, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(method, url, nil))
	return w
}

func TestHandlerFindsOnlyWhatALinkNames(t *testing.T) {
	m := open(t, Config{Dir: t.TempDir(), PublicURL: "https://calls.example.com", Key: key})
	for _, name := range []string{"audio/a.mp3", "audio/b.mp3"} {
		if _, err := m.Put(t.Context(), name, "audio/mpeg", []byte("sound")); err != nil {
			t.Fatal(err)
		}
	}
	a, dir, none := m.token("audio/a.mp3"), m.token("audio"), m.token("audio/none.mp3")
	for _, c := range []struct {
		method, url string
		want        int
	}{
		{"GET", "/media/audio/a.mp3?token=" + a, 200},
		{"HEAD", "/media/audio/a.mp3?token=" + a, 200},
		{"POST", "/media/audio/a.mp3?token=" + a, 405},
		{"DELETE", "/media/audio/a.mp3?token=" + a, 405},
		{"GET", "/media/audio/a.mp3", 404},
		{"GET", "/media/audio/a.mp3?token=", 404},
		{"GET", "/media/audio/a.mp3?token=" + a[:42], 404},
		{"GET", "/media/audio/a.mp3?token=" + a + "A", 404},
		{"GET", "/media/audio/b.mp3?token=" + a, 404},
		{"GET", "/audio/a.mp3?token=" + a, 404},
		{"GET", "/media/audio/none.mp3?token=" + none, 404},
		{"GET", "/media/audio?token=" + dir, 404},
		{"GET", "/media/audio/?token=" + m.token("audio/"), 404},
		{"GET", "/media/?token=" + m.token(""), 404},
		{"GET", "/media/audio/../audio/a.mp3?token=" + a, 404},
		{"GET", "/media/audio/%2e%2e/audio/a.mp3?token=" + a, 404},
	} {
		w := ask(m, c.method, c.url)
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, strings.ReplaceAll(c.url, a, "TOKEN"), w.Code, c.want)
		}
		if strings.Contains(w.Body.String(), "sound") != (c.method == "GET" && c.want == 200) {
			t.Errorf("%s answers %q", c.method, w.Body)
		}
	}
}

func TestHandlerWithoutAKeyServesNothing(t *testing.T) {
	m := open(t, Config{Dir: t.TempDir()})
	if _, err := m.Put(t.Context(), "a.mp3", "audio/mpeg", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if code := ask(m, http.MethodGet, "/media/a.mp3?token="+m.token("a.mp3")).Code; code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
}

func TestHandlerTellsTheContentType(t *testing.T) {
	m := open(t, Config{Dir: t.TempDir(), PublicURL: "https://calls.example.com", Key: key})
	for name, want := range map[string]string{
		"a.mp3": "audio/mpeg", "a.MP3": "audio/mpeg", "a.wav": "audio/wav", "a.ulaw": "audio/basic", "a.ogg": "audio/ogg",
		"a.txt": "text/plain; charset=utf-8", "a.json": "application/json", "a": "application/octet-stream", "a.html": "application/octet-stream",
	} {
		if _, err := m.Put(t.Context(), name, "", []byte("<html>")); err != nil {
			t.Fatal(err)
		}
		h := ask(m, http.MethodGet, "/media/"+name+"?token="+m.token(name)).Header()
		if h.Get("Content-Type") != want || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, h)
		}
	}
}
