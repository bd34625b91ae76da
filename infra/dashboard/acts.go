package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"callagent/core/agent"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/operator"
)

// rules are those of a service's circuit; false when there is no such service.
func (d *Dashboard) rules(service string) (breaker.Config, bool) {
	i := slices.IndexFunc(d.Services, func(s Service) bool { return s.Name == service })
	if i < 0 {
		return breaker.Config{}, false
	}
	return d.Services[i].Circuit, true
}

// override forces a circuit, or gives it back to its rules.
func (d *Dashboard) override(w http.ResponseWriter, r *http.Request, who string) {
	service, action := r.PathValue("service"), operator.Action(r.PathValue("action"))
	rules, known := d.rules(service)
	if !known || !slices.Contains(operator.Actions(), action) {
		d.problem(w, r, http.StatusNotFound, "Nothing was done", "There is no such service or action.")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actLimit)
	defer cancel()
	done, err := d.operator(who).Override(ctx, service, action, rules)
	if err != nil {
		d.silent(w, r, err)
		return
	}
	d.circuits.expire()
	d.events.expire()
	d.done(w, r, overridden(title(service), action, done), "/")
}

func overridden(service string, a operator.Action, done operator.Overridden) string {
	says := fmt.Sprintf("%s is %s now: %s.", service, a.Makes(), map[operator.Action]string{
		operator.Open:  "no request is sent there until somebody sets it to automatic",
		operator.Close: "every request is sent, however many fail, until somebody sets it to automatic",
		operator.Auto:  "its own rules decide when it opens and closes",
	}[a])
	if !done.Changed {
		says = fmt.Sprintf("%s was %s already.", service, a.Makes())
	}
	return says + unnoted(done.Unnoted)
}

// unnoted adds that the journal does not know.
func unnoted(err error) string {
	if err == nil {
		return ""
	}
	return " But the journal does not say so: " + err.Error() + "."
}

// resolve settles a call that ended unknown.
func (d *Dashboard) resolve(w http.ResponseWriter, r *http.Request, who string) {
	answer := operator.Answer(r.PathValue("answer"))
	key, ok := keyOf(r.PostFormValue("id"))
	if !ok || !slices.Contains(operator.Answers(), answer) {
		d.problem(w, r, http.StatusNotFound, "Nothing was done", "There is no such call or answer.")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actLimit)
	defer cancel()
	done, err := d.operator(who).Resolve(ctx, key, answer)
	notUnknown, settled := errors.AsType[*operator.NotUnknownError](err)
	switch {
	case settled:
		d.problem(w, r, http.StatusConflict, "Nothing was done", "The call is "+notUnknown.How+" and no longer unknown: somebody else settled it, or the provider answered.")
		return
	case errors.Is(err, agent.ErrNotFound):
		d.problem(w, r, http.StatusNotFound, "Nothing was done", "There is no such call.")
		return
	case err != nil:
		d.silent(w, r, err)
		return
	}
	d.tallies.expire()
	d.events.expire()
	d.done(w, r, resolved(key, answer, done), "/call?id="+url.QueryEscape(key.String()))
}

func resolved(k call.Key, a operator.Answer, done operator.Resolved) string {
	says := fmt.Sprintf("%s %s.", k, map[operator.Answer]string{
		operator.Rang:   "is completed now, and the CRM is told",
		operator.Redial: "is on the queue again: the phone rings once more",
		operator.Drop:   "is failed now: nobody is called again",
	}[a])
	if done.Unwoken != nil {
		says += " But the queue did not take its message: it is found within minutes."
	}
	return says + unnoted(done.Unnoted)
}

// keyOf reads "campaign/contact_id".
func keyOf(id string) (call.Key, bool) {
	campaign, contact, whole := strings.Cut(id, "/")
	return call.Key{Campaign: campaign, Contact: contact}, whole
}
