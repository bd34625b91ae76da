// Package folder keeps scripts and recordings in one directory and serves them
// over HTTP under links that cannot be guessed.
//
// They do not get a file each: a file of its own costs the disk several times
// what its data do. They are appended to packs, large files that are only ever
// appended to, and all that are put at the same time share one flush to the
// disk. A reference says where in which pack the data lie, so there is no index
// that could be lost, and what a reference stands for never changes.
package folder

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"callagent/core/fault"
)

// Config says where the files are and how others reach them.
type Config struct {
	Dir string // created with mode 0700 when missing
	// PublicURL is where the outside world reaches Handler, a path prefix
	// included; "" means nowhere, and there are no links.
	PublicURL string
	// Key makes the tokens of links, 16 bytes or more. Links stay good for as
	// long as it stays the same. Without it nothing is served.
	Key []byte
}

// Media is a directory of recordings. It is safe for concurrent use, and
// several processes may use one directory.
type Media struct {
	root   *os.Root
	public string
	key    []byte
	packer packer
}

// New opens the directory. Its errors name the setting to change.
func New(c Config) (*Media, error) {
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("folder: set PUBLIC_URL to the whole address from outside, such as https://calls.example.com")
		}
		if len(c.Key) < 16 {
			return nil, errors.New("folder: with PUBLIC_URL a key of at least 16 bytes is needed to make links")
		}
	}
	if c.Dir == "" {
		return nil, errors.New("folder: name a directory for recordings")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder: create the directory for recordings: %w", err)
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("folder: open the directory for recordings: %w", err)
	}
	return &Media{root: root, public: strings.TrimRight(c.PublicURL, "/"), key: bytes.Clone(c.Key), packer: packer{root: root}}, nil
}

// Close ends the use of the directory. Nothing may be put any more.
func (m *Media) Close() error { return errors.Join(m.packer.close(), m.root.Close()) }

// Put keeps data and returns their reference, which ends with the name. What
// Put returned for survives a crash. The content type that is served follows
// from the name's ending.
//
// A name is a relative path with slashes. No part of it may begin with a dot
// or hold a backslash or a control character.
func (m *Media) Put(ctx context.Context, name, _ string, data []byte) (ref string, err error) {
	if err := check(ctx, name); err != nil {
		return "", err
	}
	at, err := m.packer.add(data)
	if err != nil {
		return "", trouble("put", err)
	}
	return at.String() + "/" + name, nil
}

// Get reads what a reference stands for. An unknown one is fs.ErrNotExist.
func (m *Media) Get(ctx context.Context, ref string) ([]byte, error) {
	if err := check(ctx, ref); err != nil {
		return nil, err
	}
	f, at, err := m.open(ref)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Contact, Service: "media",
			Message: "get: there is no such file", Cause: fs.ErrNotExist}
	case err != nil:
		return nil, trouble("get", err)
	}
	data := make([]byte, at.size)
	_, err = f.ReadAt(data, at.offset)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, trouble("get", err)
	}
	return data, nil
}

// open opens the pack that holds what a reference stands for.
func (m *Media) open(ref string) (*os.File, place, error) {
	at, ok := placeOf(ref)
	if !ok {
		return nil, at, fs.ErrNotExist
	}
	f, err := m.root.Open(at.pack)
	if err != nil {
		return nil, at, err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || at.offset+at.size > info.Size()) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, at, errors.Join(err, f.Close())
	}
	return f, at, nil
}

// Link gives the URL of what a reference stands for, whether or not there is
// such a thing. It does not expire.
func (m *Media) Link(ctx context.Context, ref string) (string, error) {
	if err := check(ctx, ref); err != nil {
		return "", err
	}
	if m.public == "" {
		return "", &fault.Fault{
			Class: fault.Permanent, Kind: fault.InvalidRequest, Scope: fault.Account, Service: "media",
			Message: "nobody outside can fetch the audio: set PUBLIC_URL to the address where this process is reached",
		}
	}
	return m.public + (&url.URL{Path: prefix + ref}).EscapedPath() + "?token=" + m.token(ref), nil
}

// trouble is a failure of the disk as a fault that names no path.
func trouble(op string, err error) *fault.Fault {
	why := "the disk failed"
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		why = p.Err.Error()
	} else if l, ok := errors.AsType[*os.LinkError](err); ok {
		why = l.Err.Error()
	}
	return &fault.Fault{Service: "media", Message: op + ": " + why, Cause: err}
}

// token is the proof that a link was made by Link.
func (m *Media) token(name string) string {
	mac := hmac.New(sha256.New, m.key)
	mac.Write([]byte("callagent media link\x00" + name))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// check refuses ended contexts and bad names.
func check(ctx context.Context, name string) error {
	if !valid(name) {
		return fmt.Errorf("folder: media name %q: %w", name, fs.ErrInvalid)
	}
	return ctx.Err()
}

// valid reports a name that Put may use.
func valid(name string) bool {
	return fs.ValidPath(name) && name[0] != '.' && !strings.Contains(name, "/.") &&
		strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) < 0
}
