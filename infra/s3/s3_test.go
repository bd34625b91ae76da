package s3

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"callagent/core/fault"
)

const secret = "wJalrXUtnFEMI-secret"

// wire answers requests of the real client as S3 does.
type wire func(r *http.Request) (status int, body string, err error)

// Do answers one request.
func (w wire) Do(r *http.Request) (*http.Response, error) {
	status, body, err := w(r)
	if err != nil {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: err}
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
}

func (w wire) client() *s3.Client {
	return s3.New(s3.Options{Region: "eu-central-1", HTTPClient: w, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", secret, "")})
}

func answer(code, message string) string {
	return "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>"
}

func TestFaults(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		name   string
		status int
		body   string
		err    error
		class  fault.Class
		kind   fault.Kind
		says   string
	}{
		{"busy", 503, answer("SlowDown", "Please reduce your request rate."), nil, fault.Transient, fault.ServiceUnavailable,
			"media: service_unavailable (503) SlowDown: put: Please reduce your request rate."},
		{"not allowed", 403, answer("AccessDenied", "Access Denied"), nil, fault.Permanent, fault.Permission,
			"media: permission (403) AccessDenied: put: Access Denied"},
		{"no bucket", 404, answer("NoSuchBucket", "The specified bucket does not exist"), nil, fault.Permanent, fault.NotFound,
			"media: not_found (404) NoSuchBucket: put: The specified bucket does not exist"},
		{"down", 0, "", refused, fault.Transient, fault.Network, "media: network: put: the request did not get through"},
		{"silent", 0, "", context.DeadlineExceeded, fault.Transient, fault.Timeout, "media: timeout: put: no answer within the time limit"},
	} {
		requests := 0
		m := New(wire(func(*http.Request) (int, string, error) {
			requests++
			return c.status, c.body, c.err
		}).client(), Config{Bucket: "audio"})
		_, err := m.Put(t.Context(), "a.mp3", "audio/mpeg", []byte("sound"))
		f, ok := errors.AsType[*fault.Fault](err)
		if !ok || f.Class != c.class || f.Kind != c.kind || err.Error() != c.says {
			t.Errorf("%s: %v, want %s", c.name, err, c.says)
		}
		if _, err := m.Get(t.Context(), "a.mp3"); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Get gives %v", c.name, err)
		}
		if requests != 2 {
			t.Errorf("%s: %d requests for two attempts", c.name, requests)
		}
	}
}

func TestAnAnswerThatBreaksOff(t *testing.T) {
	m := New(brokenBody{}.client(), Config{Bucket: "audio"})
	data, err := m.Get(t.Context(), "a.mp3")
	if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Kind != fault.Network || data != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", data, err)
	}
}

// brokenBody answers with a body that ends too early.
type brokenBody struct{}

// Do answers one request.
func (brokenBody) Do(r *http.Request) (*http.Response, error) {
	body := io.NopCloser(io.MultiReader(strings.NewReader("half"), errorReader{}))
	return &http.Response{StatusCode: http.StatusOK, Body: body, ContentLength: 8, Header: http.Header{}, Request: r}, nil
}

func (b brokenBody) client() *s3.Client {
	o := wire(nil).client().Options()
	o.HTTPClient = b
	return s3.New(o)
}

type errorReader struct{}

// Read fails.
func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestALinkIsGoodForAnHour(t *testing.T) {
	m := New(wire(func(*http.Request) (int, string, error) {
		t.Error("a request was sent")
		return 0, "", io.EOF
	}).client(), Config{Bucket: "audio", Prefix: "media/"})
	link, err := m.Link(t.Context(), "audio/ä b.mp3")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "https" || u.Host != "audio.s3.eu-central-1.amazonaws.com" || u.Path != "/media/audio/ä b.mp3" {
		t.Errorf("the link is %s", link)
	}
	if got := u.Query().Get("X-Amz-Expires"); got != "3600" || strings.Contains(link, secret) {
		t.Errorf("it is good for %s s: %s", got, link)
	}
}

func TestAddressesOfObjects(t *testing.T) {
	var asked string
	client := wire(func(r *http.Request) (int, string, error) {
		asked = r.URL.String()
		return http.StatusOK, "[retry]", nil
	}).client()
	for _, address := range []string{"", "callagent.toml", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "https://bucket/key"} {
		if _, err := ReadObject(t.Context(), client, address); err == nil || !strings.HasSuffix(err.Error(), "is no address of an object such as s3://bucket/callagent.toml") {
			t.Errorf("%q: %v", address, err)
		}
	}
	data, err := ReadObject(t.Context(), client, "s3://bucket/a/callagent.toml")
	if want := "https://bucket.s3.eu-central-1.amazonaws.com/a/callagent.toml?x-id=GetObject"; err != nil || string(data) != "[retry]" || asked != want {
		t.Errorf("%q from %s, %v", data, asked, err)
	}
}
