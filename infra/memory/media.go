package memory

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"sync"

	"callagent/core/fault"
)

// Media keeps scripts and recordings in this process, by name. It is the
// reference for agent.Media, and safe for concurrent use. Its links have the
// right form but lead nowhere.
type Media struct {
	mu    sync.RWMutex
	files map[string][]byte
}

// NewMedia returns an empty store.
func NewMedia() *Media { return &Media{files: map[string][]byte{}} }

// Put keeps a copy of data. The reference is the name, a relative path with
// slashes; the content type is not kept.
func (m *Media) Put(ctx context.Context, name, _ string, data []byte) (ref string, err error) {
	if err := check(ctx, name); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = append([]byte{}, data...)
	return name, nil
}

// Get returns a copy of the newest data. An unknown reference is
// fs.ErrNotExist.
func (m *Media) Get(ctx context.Context, ref string) ([]byte, error) {
	if err := check(ctx, ref); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	data, ok := m.files[ref]
	if !ok {
		return nil, &fault.Fault{Class: fault.Permanent, Kind: fault.NotFound, Scope: fault.Contact, Service: "media",
			Message: "there is no such file", Cause: fs.ErrNotExist}
	}
	return bytes.Clone(data), nil
}

// Link gives a URL under media.invalid, a host that never exists.
func (m *Media) Link(ctx context.Context, ref string) (string, error) {
	if err := check(ctx, ref); err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "https", Host: "media.invalid", Path: "/" + ref}).String(), nil
}

// check refuses ended contexts, and names that are no relative path.
func check(ctx context.Context, name string) error {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("memory: media name %q: %w", name, fs.ErrInvalid)
	}
	return ctx.Err()
}
