package dashboard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// goodName is a name for the journal. Seven digits would be a phone number.
var (
	goodName  = regexp.MustCompile(`^\pL[\pL\pM\pN ._'@-]{0,39}$`)
	manyDigit = regexp.MustCompile(`(\pN[^\pN]*){7}`)
)

// signInPage is the form and what was wrong with it.
type signInPage struct {
	frame
	Wrong string
}

func (d *Dashboard) showSignIn(w http.ResponseWriter, r *http.Request) {
	if d.Token == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	d.render(w, http.StatusOK, "sign-in.html", signInPage{frame: d.frame(w, r, "Sign in")})
}

// signIn checks the operator token and remembers who came with it.
func (d *Dashboard) signIn(w http.ResponseWriter, r *http.Request) {
	v := d.visitor(r)
	if !d.ours(r, v) {
		d.outdated(w, r)
		return
	}
	name := strings.TrimSpace(r.PostFormValue("name"))
	status, wrong := d.check(name, r.PostFormValue("token"))
	if wrong != "" {
		d.render(w, status, "sign-in.html", signInPage{d.frame(w, r, "Sign in"), wrong})
		return
	}
	v.Name, v.Until = name, d.Clock.Now().Add(signedInFor)
	d.remember(w, r, v)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// check says what is wrong with a name and a token; "" for nothing.
func (d *Dashboard) check(name, token string) (status int, wrong string) {
	switch {
	case d.wrong.tooMany():
		return http.StatusTooManyRequests, "Too many wrong tokens: wait a minute and try again."
	case !same(token, d.Token) || d.Token == "":
		d.wrong.add()
		return http.StatusForbidden, "That is not the operator token. It is in OPERATOR_TOKEN where the dashboard was started."
	case !goodName.MatchString(name) || manyDigit.MatchString(name):
		return http.StatusUnprocessableEntity, "Write a name of at most 40 letters: the journal says who did what."
	}
	return http.StatusOK, ""
}

// same compares in a time that does not tell how much was right.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (d *Dashboard) signOut(w http.ResponseWriter, r *http.Request) {
	v := d.visitor(r)
	if !d.ours(r, v) {
		d.outdated(w, r)
		return
	}
	d.remember(w, r, visitor{ID: v.ID})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// tries counts wrong tokens, so that nobody can guess for long.
type tries struct {
	now   func() time.Time
	mu    sync.Mutex
	since time.Time
	wrong int
}

const mostWrong = 10 // in a minute

func (t *tries) tooMany() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now().Sub(t.since) > time.Minute {
		t.since, t.wrong = t.now(), 0
	}
	return t.wrong >= mostWrong
}

func (t *tries) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong++
}
