// Package ssm reads secrets from the Parameter Store of AWS Systems Manager.
package ssm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Read reads all parameters directly below a path such as /callagent/prod,
// decrypted, by their names without the path. There may be none. Requests that
// fail are sent again as the client's retryer says.
func Read(ctx context.Context, client *ssm.Client, path string) (map[string]string, error) {
	return read(ctx, client.GetParametersByPath, path)
}

// page is the one request that is sent. A Cache keeps it in place of the client,
// because a client that can be reached through its type makes the linker keep
// all other requests too.
type page func(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error)

// GetParametersByPath is for the SDK's paginator.
func (p page) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, o ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	return p(ctx, in, o...)
}

func read(ctx context.Context, p page, path string) (map[string]string, error) {
	path = strings.TrimRight(path, "/")
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("ssm: set SECRETS_PATH to the path of the parameters, such as /callagent/prod")
	}
	values := map[string]string{}
	pages := ssm.NewGetParametersByPathPaginator(p, &ssm.GetParametersByPathInput{Path: aws.String(path), WithDecryption: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("ssm: read %s: %w", path, err)
		}
		for _, p := range page.Parameters {
			values[strings.TrimPrefix(aws.ToString(p.Name), path+"/")] = aws.ToString(p.Value)
		}
	}
	return values, nil
}

const (
	maxAge    = 5 * time.Minute
	retryWait = 30 * time.Second
	readLimit = 5 * time.Second
)

// CacheOptions changes how a Cache works. The zero value has the defaults.
type CacheOptions struct {
	// MaxAge is how old values may be; 0 is 5 min.
	MaxAge time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// OnError hears when values that are too old stay in use because they could
	// not be read. nil ignores it.
	OnError func(error)
}

// Cache keeps the parameters below a path. It is safe for concurrent use; who
// comes while they are read waits for that.
type Cache struct {
	CacheOptions
	client page
	path   string

	mu      sync.Mutex
	current Snapshot
	next    time.Time // when to read again
}

// NewCache does no I/O.
func NewCache(client *ssm.Client, path string, o CacheOptions) *Cache {
	if o.MaxAge == 0 {
		o.MaxAge = maxAge
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return &Cache{CacheOptions: o, client: client.GetParametersByPath, path: path}
}

// Snapshot is the parameters as they were read.
type Snapshot struct {
	// Version is 1 for the values that were read first and goes up with every
	// read that finds others: what was built with an older version is to be
	// built anew. 0 is no version.
	Version int
	Values  map[string]string // by name without the path; the caller's own
}

// Get gives the parameters and reads them when they are too old, for at most 5
// s. When that fails it gives the old ones and tries again half a minute later;
// it returns an error only as long as there are none.
func (c *Cache) Get(ctx context.Context) (Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Version == 0 || !c.Now().Before(c.next) {
		if err := c.refresh(ctx); err != nil {
			return Snapshot{}, err
		}
	}
	return Snapshot{Version: c.current.Version, Values: maps.Clone(c.current.Values)}, nil
}

// refresh reads the parameters. Its error is nil when older ones will do.
func (c *Cache) refresh(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	values, err := read(limited, c.client, c.path)
	switch {
	case err == nil:
		c.next = c.Now().Add(c.MaxAge)
	case c.current.Version == 0:
		return err
	default:
		c.next = c.Now().Add(min(retryWait, c.MaxAge))
		c.OnError(err)
		return nil
	}
	if c.current.Version == 0 || !maps.Equal(values, c.current.Values) {
		c.current = Snapshot{Version: c.current.Version + 1, Values: values}
	}
	return nil
}
