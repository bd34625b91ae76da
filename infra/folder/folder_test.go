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

func TestPutIsPrivateAndMakesNoFileOfItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "media")
	m := open(t, Config{Dir: dir})
	for _, name := range []string{"audio/en/a.mp3", "audio/en/a.mp3", "audio/en/a.mp3/b"} {
		keep(t, m, name, "x")
	}
	var got []fs.FileMode
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		got = append(got, info.Mode())
		return err
	})
	if d := cmp.Diff([]fs.FileMode{fs.ModeDir | 0o700, 0o600}, got); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestReferencesOutliveTheProcess(t *testing.T) {
	c := Config{Dir: t.TempDir()}
	first := open(t, c)
	a, b := keep(t, first, "a.txt", "first"), keep(t, first, "b.txt", "second")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, c)
	third := keep(t, second, "c.txt", "third")
	for ref, want := range map[string]string{a: "first", b: "second", third: "third"} {
		if got, err := second.Get(t.Context(), ref); err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

func TestReferencesThatPutNeverGave(t *testing.T) {
	m := open(t, Config{Dir: t.TempDir()})
	ref := keep(t, m, "a.txt", "12345")
	pack, _, _ := strings.Cut(ref, "/")
	for _, wrong := range []string{
		pack, pack + "/0-5", pack + "/0/a.txt", pack + "/0-6/a.txt", pack + "/1-5/a.txt", pack + "/-1-2/a.txt", pack + "/0--5/a.txt",
		pack + "/99999999999999999999-1/a.txt", pack + "/0-99999999999/a.txt", "another/0-5/a.txt",
	} {
		if data, err := m.Get(t.Context(), wrong); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v", strings.ReplaceAll(wrong, pack, "PACK"), data, err)
		}
	}
}

// keep puts data and gives the reference.
func keep(t *testing.T, m *Media, name, data string) (ref string) {
	t.Helper()
	ref, err := m.Put(t.Context(), name, "", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestNothingLeavesTheDirectory(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "way-out.pack")); err != nil {
		t.Fatal(err)
	}
	m := open(t, Config{Dir: dir, PublicURL: "https://calls.example.com", Key: key})
	if data, err := m.Get(t.Context(), "way-out/0-6/a.txt"); err == nil {
		t.Errorf("Get gives %q", data)
	}
	link, err := m.Link(t.Context(), "way-out/0-6/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code := ask(m, http.MethodGet, link).Code; code != http.StatusNotFound {
		t.Errorf("the handler says %d", code)
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
	aRef, bRef := keep(t, m, "audio/a.mp3", "sound"), keep(t, m, "audio/b.mp3", "sound")
	pack, _, _ := strings.Cut(aRef, "/")
	path, a := "/media/"+aRef, m.token(aRef)
	none := strings.TrimSuffix(aRef, "a.mp3") + "none/../a.mp3"
	for _, c := range []struct {
		method, url string
		want        int
	}{
		{"GET", path + "?token=" + a, 200},
		{"HEAD", path + "?token=" + a, 200},
		{"POST", path + "?token=" + a, 405},
		{"DELETE", path + "?token=" + a, 405},
		{"GET", path, 404},
		{"GET", path + "?token=", 404},
		{"GET", path + "?token=" + a[:42], 404},
		{"GET", path + "?token=" + a + "A", 404},
		{"GET", "/media/" + bRef + "?token=" + a, 404},
		{"GET", "/" + aRef + "?token=" + a, 404},
		{"GET", "/media/none/0-5/a.mp3?token=" + m.token("none/0-5/a.mp3"), 404},
		{"GET", "/media/" + pack + "?token=" + m.token(pack), 404},
		{"GET", "/media/" + pack + "/?token=" + m.token(pack+"/"), 404},
		{"GET", "/media/?token=" + m.token(""), 404},
		{"GET", "/media/" + none + "?token=" + m.token(none), 404},
		{"GET", "/media/" + strings.ReplaceAll(none, "..", "%2e%2e") + "?token=" + m.token(none), 404},
	} {
		w := ask(m, c.method, c.url)
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, strings.NewReplacer(a, "TOKEN", pack, "PACK").Replace(c.url), w.Code, c.want)
		}
		if strings.Contains(w.Body.String(), "sound") != (c.method == "GET" && c.want == 200) {
			t.Errorf("%s answers %q", c.method, w.Body)
		}
	}
}

func TestHandlerWithoutAKeyServesNothing(t *testing.T) {
	m := open(t, Config{Dir: t.TempDir()})
	ref := keep(t, m, "a.mp3", "x")
	if code := ask(m, http.MethodGet, "/media/"+ref+"?token="+m.token(ref)).Code; code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
}

func TestHandlerTellsTheContentType(t *testing.T) {
	m := open(t, Config{Dir: t.TempDir(), PublicURL: "https://calls.example.com", Key: key})
	for name, want := range map[string]string{
		"a.mp3": "audio/mpeg", "a.MP3": "audio/mpeg", "a.wav": "audio/wav", "a.ulaw": "audio/basic", "a.ogg": "audio/ogg",
		"a.txt": "text/plain; charset=utf-8", "a.json": "application/json", "a": "application/octet-stream", "a.html": "application/octet-stream",
	} {
		ref := keep(t, m, name, "<html>")
		h := ask(m, http.MethodGet, "/media/"+ref+"?token="+m.token(ref)).Header()
		if h.Get("Content-Type") != want || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, h)
		}
	}
}
