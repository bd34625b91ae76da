// Package s3 keeps scripts and recordings as objects of Amazon S3, and reads
// single objects such as the settings.
//
// Encryption, life cycle and access are the bucket's own settings. Reading
// needs s3:ListBucket beside s3:GetObject: without it S3 does not say of an
// object that it is not there, only that access is denied.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"callagent/core/agent"
	"callagent/core/fault"
	"callagent/infra/httpcall"
)

// linkLasts is how long a link is good. One that was signed with a role's
// credentials ends with them if that is earlier.
const linkLasts = time.Hour

// Config says where the objects are.
type Config struct {
	Bucket string
	Prefix string // of all keys, such as "media/"; "" for none
}

// Media is a bucket of recordings. It is safe for concurrent use.
//
// Put and Get make one request, whatever the client's retryer says, because the
// agent tries again itself; their time limit is that of the context.
type Media struct {
	put  request[s3.PutObjectInput, s3.PutObjectOutput]
	get  request[s3.GetObjectInput, s3.GetObjectOutput]
	sign func(context.Context, *s3.GetObjectInput, ...func(*s3.PresignOptions)) (*v4.PresignedHTTPRequest, error)
	Config
}

// request is a method of the client. They are kept in place of it, because a
// client that can be reached through the type of a Media makes the linker keep
// its other hundred requests too.
type request[In, Out any] func(context.Context, *In, ...func(*s3.Options)) (*Out, error)

var _ agent.Media = (*Media)(nil)

// New does no I/O.
func New(client *s3.Client, c Config) *Media {
	return &Media{put: client.PutObject, get: client.GetObject, sign: s3.NewPresignClient(client).PresignGetObject, Config: c}
}

// NewClient makes a client of S3 itself, or of an emulator: that has one host
// name for all buckets.
func NewClient(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

// once switches the SDK's own retries off.
func once(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// Put stores data as an object. The reference is the name, a relative path with
// slashes.
func (m *Media) Put(ctx context.Context, name, contentType string, data []byte) (ref string, err error) {
	if err := check(ctx, name); err != nil {
		return "", err
	}
	_, err = m.put(ctx, &s3.PutObjectInput{
		Bucket: aws.String(m.Bucket), Key: aws.String(m.Prefix + name), ContentType: aws.String(contentType), Body: bytes.NewReader(data),
	}, once)
	if err != nil {
		return "", trouble("put", err)
	}
	return name, nil
}

// Get reads an object. An unknown reference is fs.ErrNotExist.
func (m *Media) Get(ctx context.Context, ref string) ([]byte, error) {
	if err := check(ctx, ref); err != nil {
		return nil, err
	}
	data, err := read(ctx, m.get, m.Bucket, m.Prefix+ref, once)
	if err != nil {
		return nil, trouble("get", err)
	}
	return data, nil
}

// Link gives a URL that reads the object with GET for one hour, whether or not
// there is such an object. It sends no request.
func (m *Media) Link(ctx context.Context, ref string) (string, error) {
	if err := check(ctx, ref); err != nil {
		return "", err
	}
	signed, err := m.sign(ctx, &s3.GetObjectInput{Bucket: aws.String(m.Bucket), Key: aws.String(m.Prefix + ref)},
		s3.WithPresignExpires(linkLasts))
	if err != nil {
		return "", trouble("link", err)
	}
	return signed.URL, nil
}

// check refuses ended contexts, and names that are no relative path.
func check(ctx context.Context, name string) error {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("s3: media name %q: %w", name, fs.ErrInvalid)
	}
	return ctx.Err()
}

// read reads one object whole.
func read(ctx context.Context, get request[s3.GetObjectInput, s3.GetObjectOutput], bucket, key string, options ...func(*s3.Options)) ([]byte, error) {
	out, err := get(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}, options...)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return nil, err
	}
	return data, nil
}

// trouble is a failed request as a fault.
func trouble(op string, err error) *fault.Fault {
	var (
		f      fault.Fault
		answer *smithyhttp.ResponseError
		api    smithy.APIError
	)
	switch {
	case isMissing(err):
		f.Class, f.Kind, f.Scope, f.Message = fault.Permanent, fault.NotFound, fault.Contact, "there is no such object"
		err = fs.ErrNotExist
	case errors.As(err, &answer) && answer.HTTPStatusCode() != 0:
		f = httpcall.FromStatus(answer.HTTPStatusCode())
	case errors.Is(err, context.DeadlineExceeded):
		f.Kind, f.Message = fault.Timeout, "no answer within the time limit"
	default:
		f.Kind, f.Message = fault.Network, "the request did not get through"
	}
	if errors.As(err, &api) {
		f.Code, f.Message = api.ErrorCode(), api.ErrorMessage()
	}
	f.Service, f.Cause = "media", err
	f.Message = strings.TrimSuffix(op+": "+f.Message, ": ")
	return &f
}

func isMissing(err error) bool {
	_, missing := errors.AsType[*types.NoSuchKey](err)
	return missing
}

// ReadObject reads the small object that an address names: s3://bucket/key.
// Requests that fail are sent again as the client's retryer says. An object
// that is not there is fs.ErrNotExist.
func ReadObject(ctx context.Context, client *s3.Client, address string) ([]byte, error) {
	rest, ok := strings.CutPrefix(address, "s3://")
	bucket, key, slash := strings.Cut(rest, "/")
	if !ok || !slash || bucket == "" || key == "" {
		return nil, fmt.Errorf("s3: %q is no address of an object such as s3://bucket/callagent.toml", address)
	}
	data, err := read(ctx, client.GetObject, bucket, key)
	switch {
	case isMissing(err):
		return nil, fmt.Errorf("s3: there is no object %s: %w", address, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("s3: read %s: %w", address, err)
	}
	return data, nil
}
