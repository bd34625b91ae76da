package smtp

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/fault"
)

// A check logs in like a mail and says nothing of one.
func TestCheckLogin(t *testing.T) {
	serve, trust := certify(t, "mail.example.com")
	auth := plain("ops@example.com", password)
	for _, c := range []struct {
		name, url, host string
		server          *fake
		encrypted       bool
		kind            fault.Kind // Unknown: none
		want            []string
	}{
		{"STARTTLS", "smtp://" + credentials, "mail.example.com", &fake{offers: []string{"STARTTLS", "AUTH PLAIN"}}, true, fault.Unknown,
			[]string{hello, "STARTTLS", "TLS:" + hello, "TLS:" + auth, "TLS:QUIT"}},
		{"encrypted from the beginning", "smtps://" + credentials, "mail.example.com", &fake{offers: []string{"AUTH PLAIN"}, implicit: true}, true, fault.Unknown,
			[]string{"TLS:" + hello, "TLS:" + auth, "TLS:QUIT"}},
		{"in clear text to another machine", "smtp://", "mail.example.com", &fake{}, false, fault.Unknown, []string{hello, "QUIT"}},
		{"in clear text on this machine", "smtp://", "", &fake{}, true, fault.Unknown, []string{hello, "QUIT"}},
		{"a wrong password", "smtp://" + credentials, "", &fake{offers: []string{"AUTH PLAIN"}, script: script{"AUTH": "535 5.7.8 no"}}, true, fault.Authentication,
			[]string{hello, auth, "*", "QUIT"}},
		{"a password that cannot travel safely", "smtp://" + credentials, "mail.example.com", &fake{offers: []string{"AUTH PLAIN"}}, false, fault.Authentication,
			[]string{hello}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.server.tls = serve
			f := c.server.start(t)
			ch := open(t, f, c.url, c.host)
			ch.tls.RootCAs = trust
			encrypted, err := ch.CheckLogin(t.Context())
			if found := fault.From(service, err); found == nil && c.kind != fault.Unknown || found != nil && found.Kind != c.kind || encrypted != c.encrypted {
				t.Errorf("encrypted: %v, %v", encrypted, err)
			}
			commands, mails := f.heard()
			if d := cmp.Diff(c.want, commands); d != "" || len(mails) != 0 {
				t.Errorf("%d mails, %s", len(mails), d)
			}
		})
	}
}
