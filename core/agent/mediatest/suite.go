// Package mediatest is the conformance suite of [agent.Media]: what every place
// for scripts and recordings has to do alike.
//
// Two conditions go beyond the port's own words: an unknown reference is a
// fault of the contact that matches [fs.ErrNotExist], and a name that [fs.ValidPath] does not
// accept, or that names the root, is an error.
package mediatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"callagent/core/agent"
	"callagent/core/fault"
)

const mp3 = "audio/mpeg"

// Run runs the suite as subtests. open gives an empty store for each of them
// and registers what closes it with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) agent.Media) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, agent.Media)
	}{
		{"put and get", putAndGet},
		{"the newest reference has the newest data", overwrite},
		{"names are apart", apart},
		{"an unknown reference", unknown},
		{"no data", empty},
		{"large data", large},
		{"data are copied", copied},
		{"bad names", badNames},
		{"an ended context", ended},
		{"concurrent puts leave one whole version", concurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// Links checks that a third party can fetch what Link names, by HTTP. It is
// for stores whose links lead somewhere in a test.
func Links(t *testing.T, open func(t *testing.T) agent.Media) {
	t.Helper()
	m := open(t)
	ref := put(t, m, "audio/ä b%2f.mp3", []byte("0123456789"))
	link, err := m.Link(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, span, want string
		status             int
	}{
		{http.MethodGet, "", "0123456789", http.StatusOK},
		{http.MethodGet, "bytes=2-4", "234", http.StatusPartialContent},
		{http.MethodHead, "", "", http.StatusOK},
	} {
		if got, status, kind := fetch(t, c.method, link, c.span); got != c.want || status != c.status || kind != mp3 {
			t.Errorf("%s %s: %d, %s, %q; want %d, %s, %q", c.method, c.span, status, kind, got, c.status, mp3, c.want)
		}
	}
	ref = put(t, m, "audio/ä b%2f.mp3", []byte("newer"))
	if link, err = m.Link(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := fetch(t, http.MethodGet, link, ""); got != "newer" {
		t.Errorf("after a second put the link gives %q", got)
	}
}

func putAndGet(t *testing.T, m agent.Media) {
	ref := put(t, m, "audio/0a1b.mp3", []byte("\x00sound\xff"))
	wants(t, m, ref, []byte("\x00sound\xff"))
	wants(t, m, ref, []byte("\x00sound\xff"))
}

func overwrite(t *testing.T, m agent.Media) {
	put(t, m, "audio/a.mp3", []byte("a longer first version"))
	second := put(t, m, "audio/a.mp3", []byte("second"))
	wants(t, m, second, []byte("second"))
}

func apart(t *testing.T, m agent.Media) {
	want := map[string]string{}
	for _, name := range []string{"a", "b.txt", "audio/a", "audio/b.mp3", "deep/er/still/a", "with space/ü é.mp3", "audio/%2e%2e", "a..b"} {
		want[put(t, m, name, []byte("for "+name))] = "for " + name
	}
	if len(want) != 8 {
		t.Fatalf("8 names have %d references", len(want))
	}
	for ref, data := range want {
		wants(t, m, ref, []byte(data))
	}
}

func unknown(t *testing.T, m agent.Media) {
	put(t, m, "audio/a.mp3", []byte("x"))
	for _, ref := range []string{"audio/b.mp3", "none/a.mp3", "b"} {
		if data, err := m.Get(t.Context(), ref); !errors.Is(err, fs.ErrNotExist) || data != nil {
			t.Errorf("%q: %q, %v; want fs.ErrNotExist", ref, data, err)
		} else if f := fault.From("media", err); !f.Treatment().FailsCall {
			t.Errorf("%q: %v %v, want a fault of the contact", ref, f.Class, f.Scope)
		}
	}
}

func empty(t *testing.T, m agent.Media) {
	wants(t, m, put(t, m, "nil", nil), []byte{})
	wants(t, m, put(t, m, "none", []byte{}), []byte{})
}

func large(t *testing.T, m agent.Media) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
	wants(t, m, put(t, m, "audio/large.mp3", data), data)
}

func copied(t *testing.T, m agent.Media) {
	data := []byte("mine")
	ref := put(t, m, "a", data)
	data[0] = 'X'
	got, err := m.Get(t.Context(), ref)
	if err != nil || string(got) != "mine" {
		t.Fatalf("%q, %v", got, err)
	}
	got[0] = 'X'
	wants(t, m, ref, []byte("mine"))
}

func badNames(t *testing.T, m agent.Media) {
	for _, name := range []string{"", ".", "..", "/", "/a", "a/", "a//b", "./a", "a/.", "../a", "a/../b", "a/../../b", "a/..", "\xff"} {
		if ref, err := m.Put(t.Context(), name, mp3, []byte("x")); err == nil {
			t.Errorf("Put accepts %q as %q", name, ref)
		}
		if data, err := m.Get(t.Context(), name); err == nil {
			t.Errorf("Get gives %q for %q", data, name)
		}
		if link, err := m.Link(t.Context(), name); err == nil {
			t.Errorf("Link gives %q for %q", link, name)
		}
	}
}

func ended(t *testing.T, m agent.Media) {
	ref := put(t, m, "a", []byte("before"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Put(ctx, "a", mp3, []byte("after")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
	if _, err := m.Get(ctx, ref); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	wants(t, m, ref, []byte("before"))
}

func concurrent(t *testing.T, m agent.Media) {
	const writers = 8
	version := func(i int) []byte { return bytes.Repeat([]byte(strconv.Itoa(i)), 10_000*(i+1)) }
	whole := func(data []byte) error {
		for i := range writers {
			if bytes.Equal(data, version(i)) {
				return nil
			}
		}
		return fmt.Errorf("%d bytes are no version that was put", len(data))
	}
	ref := put(t, m, "audio/a.mp3", version(0))
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			if _, err := m.Put(t.Context(), "audio/a.mp3", mp3, version(i)); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			data, err := m.Get(t.Context(), ref)
			if err == nil {
				err = whole(data)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	data, err := m.Get(t.Context(), ref)
	if err == nil {
		err = whole(data)
	}
	if err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, m agent.Media, name string, data []byte) (ref string) {
	t.Helper()
	ref, err := m.Put(t.Context(), name, mp3, data)
	if err != nil {
		t.Fatalf("Put %q: %v", name, err)
	}
	return ref
}

func wants(t *testing.T, m agent.Media, ref string, want []byte) {
	t.Helper()
	got, err := m.Get(t.Context(), ref)
	if err != nil {
		t.Fatalf("Get %q: %v", ref, err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%q holds %d bytes, want %d: %.40q", ref, len(got), len(want), got)
	}
}

// fetch makes one HTTP request, of a byte range when span is not "".
func fetch(t *testing.T, method, link, span string) (body string, status int, contentType string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	if span != "" {
		r.Header.Set("Range", span)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	return string(data), res.StatusCode, kind
}
