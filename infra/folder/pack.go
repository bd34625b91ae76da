package folder

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

const (
	packEnding  = ".pack"
	largestPack = 1 << 30 // bytes after which a new pack is begun, roughly
)

// place is where data lie.
type place struct {
	pack         string // the file's name
	offset, size int64
}

// String is the place as references begin with it.
func (p place) String() string {
	return fmt.Sprintf("%s/%d-%d", strings.TrimSuffix(p.pack, packEnding), p.offset, p.size)
}

// placeOf reads the place that a reference begins with.
func placeOf(ref string) (place, bool) {
	pack, rest, _ := strings.Cut(ref, "/")
	span, _, named := strings.Cut(rest, "/")
	from, length, _ := strings.Cut(span, "-")
	offset, err := strconv.ParseUint(from, 10, 48)
	size, err2 := strconv.ParseUint(length, 10, 32)
	return place{pack: pack + packEnding, offset: int64(offset), size: int64(size)}, named && err == nil && err2 == nil
}

// packer appends to one pack after the other. Several processes may each have
// one in the same directory, because nobody appends to the pack of another.
type packer struct {
	root *os.Root

	mu      sync.Mutex
	waiting []*entry
	writing bool // a goroutine is writing, and takes what is waiting next

	// Only the goroutine that writes uses these.
	file *os.File // nil: the next entry begins a new pack
	name string
	end  int64
}

// entry is data that wait to be written.
type entry struct {
	data []byte
	at   place
	err  error
	done chan struct{}
}

// add appends data and returns when they are on the disk.
func (p *packer) add(data []byte) (place, error) {
	e := &entry{data: data, done: make(chan struct{})}
	p.mu.Lock()
	p.waiting = append(p.waiting, e)
	if !p.writing {
		p.writing = true
		go p.write()
	}
	p.mu.Unlock()
	<-e.done
	return e.at, e.err
}

// write writes what is waiting until nothing is.
func (p *packer) write() {
	for {
		p.mu.Lock()
		batch := p.waiting
		p.waiting = nil
		p.writing = len(batch) > 0
		p.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		err := p.append(batch)
		for _, e := range batch {
			e.err = err
			close(e.done)
		}
	}
}

// append writes a batch and flushes it once. What it wrote before it failed is
// written over by the next batch, because nobody was told of it.
func (p *packer) append(batch []*entry) error {
	if p.file == nil {
		if err := p.begin(); err != nil {
			return err
		}
	}
	end := p.end
	for _, e := range batch {
		e.at = place{pack: p.name, offset: end, size: int64(len(e.data))}
		if _, err := p.file.WriteAt(e.data, end); err != nil {
			return err
		}
		end += e.at.size
	}
	if err := p.file.Sync(); err != nil {
		// Nobody can say what of it is on the disk: this pack is not trusted with more.
		return errors.Join(err, p.finish())
	}
	if p.end = end; p.end >= largestPack {
		return p.finish()
	}
	return nil
}

// begin makes a new pack, durably.
func (p *packer) begin() error {
	name := strings.ToLower(rand.Text()) + packEnding
	f, err := p.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := p.syncDir(); err != nil {
		return errors.Join(err, f.Close())
	}
	p.file, p.name, p.end = f, name, 0
	return nil
}

// syncDir waits until the directory's entries are on the disk.
func (p *packer) syncDir() error {
	d, err := p.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// finish closes the pack; the next entry begins a new one.
func (p *packer) finish() error {
	f := p.file
	p.file = nil
	return f.Close()
}

func (p *packer) close() error {
	if p.file == nil {
		return nil
	}
	return p.finish()
}
