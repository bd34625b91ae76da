package dashboard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"
)

// visitor is one browser. Its cookie carries all of this, signed.
type visitor struct {
	ID    string    `json:"id"`
	Name  string    `json:"name,omitempty"` // "" when nobody signed in
	Until time.Time `json:"until,omitzero"` // when the sign-in is over
}

// signedInFor is a working day.
const signedInFor = 12 * time.Hour

// may reports whether the visitor may act.
func (d *Dashboard) may(v visitor) bool {
	return d.Token == "" || v.Name != "" && d.Clock.Now().Before(v.Until)
}

// nameOf is who acts, for the journal.
func (d *Dashboard) nameOf(v visitor) string {
	if d.Token == "" {
		return d.User + " (dashboard)"
	}
	return v.Name + " (dashboard)"
}

// visitor reads the cookie; the zero visitor when there is none of ours.
func (d *Dashboard) visitor(r *http.Request) visitor {
	var v visitor
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return v
	}
	body, sum, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(sum), []byte(d.sign("cookie", body))) {
		return v
	}
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(text, &v) != nil {
		return visitor{}
	}
	return v
}

// welcome gives a browser its cookie when it has none.
func (d *Dashboard) welcome(w http.ResponseWriter, r *http.Request) visitor {
	v := d.visitor(r)
	if v.ID == "" {
		v = visitor{ID: rand.Text()}
		d.remember(w, r, v)
	}
	return v
}

// remember sets the cookie. It ends with the browser's session.
func (d *Dashboard) remember(w http.ResponseWriter, r *http.Request, v visitor) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // two texts and a time can be written
	}
	body := base64.RawURLEncoding.EncodeToString(text)
	http.SetCookie(w, cookie(r, cookieName(r), body+"."+d.sign("cookie", body)))
}

func cookie(r *http.Request, name, value string) *http.Cookie {
	secure := r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure}
}

// cookieName has the port in it, because browsers keep one set of cookies for
// all ports of a machine.
func cookieName(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host)
	return "callagent" + port
}

// formToken proves that a form is of a page that this visitor was given.
func (d *Dashboard) formToken(v visitor) string { return d.sign("form", v.ID) }

// ours reports whether the form carries it.
func (d *Dashboard) ours(r *http.Request, v visitor) bool {
	return v.ID != "" && hmac.Equal([]byte(r.PostFormValue("form")), []byte(d.formToken(v)))
}

func (d *Dashboard) sign(what, text string) string {
	sum := hmac.New(sha256.New, d.key)
	sum.Write([]byte(what + "\n" + text))
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}
