package dashboard

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"time"

	"callagent/infra/operator"
)

// frame is what every page has.
type frame struct {
	Title    string
	Source   string
	Zone     string
	Form     string // token of the page's forms
	May      bool   // the visitor may act
	SignIn   bool   // there is something to sign in to
	Operator string // who signed in, "" for nobody
	Notice   string // what was done just before, "" for nothing
	Version  string // of the files beside the page
	Again    bool   // a browser without scripts asks once more in a second
}

// frame greets the visitor.
func (d *Dashboard) frame(w http.ResponseWriter, r *http.Request, title string) frame {
	v := d.welcome(w, r)
	zone, _ := d.Clock.Now().In(d.Zone).Zone()
	f := frame{
		Title: title, Source: d.Source, Zone: zone, Form: d.formToken(v), May: d.may(v), SignIn: d.Token != "",
		Notice: d.notice(w, r), Version: d.version(),
	}
	if d.may(v) {
		f.Operator = v.Name
	}
	return f
}

// frontPage is the page that is watched all day.
type frontPage struct {
	frame
	standing
	SpanName string
}

// May is the same in both.
func (p frontPage) May() bool { return p.frame.May }

func (d *Dashboard) front(w http.ResponseWriter, r *http.Request) {
	may := d.may(d.visitor(r))
	name := r.URL.Query().Get("span")
	now, err := d.standing(r.Context(), may, false, name)
	if err != nil {
		d.silent(w, r, err)
		return
	}
	frame := d.frame(w, r, "Calls")
	frame.Again = now.Counting
	d.render(w, http.StatusOK, "front.html", frontPage{frame: frame, standing: now, SpanName: name})
}

// version changes with the process, and so with the files beside the pages.
func (d *Dashboard) version() string { return d.sign("version", "")[:8] }

// render writes a page. It is made whole first, so that none is cut off.
func (d *Dashboard) render(w http.ResponseWriter, status int, name string, page any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, page); err != nil {
		http.Error(w, "this page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a browser that is gone needs no page
}

// problemPage says in two sentences what is wrong.
type problemPage struct {
	frame
	Remedy string
}

func (d *Dashboard) problem(w http.ResponseWriter, r *http.Request, status int, what, remedy string) {
	d.render(w, status, "problem.html", problemPage{d.frame(w, r, what), remedy})
}

// silent is the page of a store that does not answer.
func (d *Dashboard) silent(w http.ResponseWriter, r *http.Request, err error) {
	d.problem(w, r, http.StatusServiceUnavailable, "The store does not answer", err.Error()+". Try again in a moment; calls do not depend on this page.")
}

// The notice of what was done travels in a cookie to the page that is shown
// next, so that no link can make a page say something.
const noticeCookie = "callagent_notice"

func (d *Dashboard) done(w http.ResponseWriter, r *http.Request, sentence, to string) {
	body := base64.RawURLEncoding.EncodeToString([]byte(sentence))
	http.SetCookie(w, cookie(r, noticeCookie, body+"."+d.sign("notice", body)))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// notice reads it once.
func (d *Dashboard) notice(w http.ResponseWriter, r *http.Request) string {
	found, err := r.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	over := cookie(r, noticeCookie, "")
	over.MaxAge = -1
	http.SetCookie(w, over)
	body, sum, _ := bytes.Cut([]byte(found.Value), []byte("."))
	text, err := base64.RawURLEncoding.DecodeString(string(body))
	if err != nil || !same(string(sum), d.sign("notice", string(body))) {
		return ""
	}
	return string(text)
}

// operator is who acts.
func (d *Dashboard) operator(who string) operator.Operator {
	return operator.Operator{Name: who, Store: d.Store, Clock: d.Clock}
}

// actLimit is how long an act may take.
const actLimit = 20 * time.Second
