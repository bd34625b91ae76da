package smtp

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/alert"
)

// read composes a message and reads the mail.
func read(t *testing.T, m alert.Message) (mail.Header, map[string]string) {
	t.Helper()
	letter, err := open(t, (&fake{}).start(t), "smtp://", "").compose(m)
	if err != nil {
		t.Fatal(err)
	}
	return unfold(t, string(letter))
}

// unfold reads a mail like a mail program: its headers and its parts by content
// type.
func unfold(t *testing.T, letter string) (mail.Header, map[string]string) {
	t.Helper()
	for line := range strings.SplitSeq(letter, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line that SMTP forbids: %.60q", line)
		}
	}
	got, err := mail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	kind, options, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%q, %v", kind, err)
	}
	parts, order := map[string]string{}, []string{}
	for r := multipart.NewReader(got.Body, options["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e := p.Header.Get("Content-Transfer-Encoding"); e != "quoted-printable" {
			t.Fatalf("encoded as %q", e)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, p.Header.Get("Content-Type"))
		parts[p.Header.Get("Content-Type")] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	// A mail program shows the last form that it understands.
	if d := cmp.Diff([]string{plainText, htmlText}, order); d != "" {
		t.Error(d)
	}
	return got.Header, parts
}

const (
	plainText = "text/plain; charset=UTF-8"
	htmlText  = "text/html; charset=UTF-8"
)

func TestComposeHeaders(t *testing.T) {
	m := message
	m.Title = "Zähler\r\nBcc: eve@example.net"
	h, _ := read(t, m)
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != "[critical] Zähler Bcc: eve@example.net" {
		t.Errorf("%q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"From": `"Callagent" <agent@example.com>`, "To": `<ada@example.org>, "Bob" <bob@example.org>`, "Bcc": "",
		"Date": "Wed, 04 Mar 2026 05:06:07 +0000", "Message-ID": "<callagent.2f8fe63a6224321de5d0a24cf30067d3@example.com>",
		"Auto-Submitted": "auto-generated", "Importance": "high", "User-Agent": "", "X-Mailer": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOnlyWhatIsCriticalIsImportant(t *testing.T) {
	m := message
	m.Severity = alert.Warning
	if h, _ := read(t, m); h.Get("Importance") != "" {
		t.Errorf("a warning has the importance %q", h.Get("Importance"))
	}
}

func TestComposeText(t *testing.T) {
	m := message
	m.Title = "A & B <down>"
	m.Text = "One <script>alert(1)</script>.\nStill one, für alle.\n\n\n\nTwo.\n.\n" + strings.Repeat("long ", 400) + "\n\nYou: Ring <Ada>."
	_, parts := read(t, m)
	if got := parts[plainText]; got != m.Text+"\n" {
		t.Errorf("plain text: %q", got)
	}
	const next = `<span style="display:block;padding-top:6px">`
	html := parts[htmlText]
	for _, want := range []string{
		"<title>A &amp; B &lt;down&gt;</title>", ">A &amp; B &lt;down&gt;</h1>", ">Critical</p>", "border-left:4px solid #b00020", "prefers-color-scheme:dark",
		"One &lt;script&gt;alert(1)&lt;/script&gt;." + next + "Still one, für alle.</span></p>", ">Two." + next + ".</span>" + next + "long ", `name="viewport"`,
		`<p class="you" style="margin:0 0 14px;padding:10px 12px;border-radius:6px;background:#fff4d6;color:#3d2f00"><b class="label" style="display:block;font-size:14px;color:#59636e">You:</b> Ring &lt;Ada&gt;.</p>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in\n%s", want, html)
		}
	}
	if strings.Contains(html, "<script") || strings.Count(html, "<p ") != 4 {
		t.Errorf("HTML:\n%s", html)
	}
}
