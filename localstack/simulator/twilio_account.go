package simulator

import (
	"net/http"
	"strings"
)

// Account is the state of the Twilio account. The zero Account is active, pays
// and owns the number of Keys.TwilioFrom.
type Account struct {
	Status   string   // "" is active; suspended or closed accounts place no calls
	Trial    bool     // shown, not enforced
	Balance  string   // in USD; "" is 25.00
	Mute     bool     // the number has no voice
	Verified []string // numbers of others that may be called from
}

func (a Account) active() bool { return a.Status == "" || a.Status == "active" }

func (p *phoneAPI) account(in inbound) answer {
	sid, a := p.sim.cfg.Keys.TwilioAccount, p.sim.cfg.Account
	status, kind := a.Status, "Full"
	if a.active() {
		status = "active"
	}
	if a.Trial {
		kind = "Trial"
	}
	return jsonAnswer(http.StatusOK, map[string]any{"sid": sid, "friendly_name": "Simulated account", "status": status,
		"type": kind, "owner_account_sid": sid, "uri": in.URL.Path})
}

func (p *phoneAPI) balance(inbound) answer {
	amount := p.sim.cfg.Account.Balance
	if amount == "" {
		amount = "25.00"
	}
	return jsonAnswer(http.StatusOK, map[string]any{"account_sid": p.sim.cfg.Keys.TwilioAccount, "balance": amount, "currency": "USD"})
}

// owned lists the account's number.
func (p *phoneAPI) owned(in inbound) answer {
	voice := !p.sim.cfg.Account.Mute
	return p.numbers(in, "incoming_phone_numbers", []string{p.sim.cfg.Keys.TwilioFrom}, map[string]any{
		"voice": voice, "sms": true, "mms": false, "fax": false})
}

// verified lists the numbers of others.
func (p *phoneAPI) verified(in inbound) answer {
	return p.numbers(in, "outgoing_caller_ids", p.sim.cfg.Account.Verified, nil)
}

// numbers is a list in one page. The filter matches any part of a number.
func (p *phoneAPI) numbers(in inbound, field string, all []string, capabilities map[string]any) answer {
	list := []any{}
	for _, n := range all {
		if !strings.Contains(n, strings.Trim(in.URL.Query().Get("PhoneNumber"), "*")) {
			continue
		}
		entry := map[string]any{"sid": "PN" + p.sim.cfg.Keys.TwilioAccount[2:], "account_sid": p.sim.cfg.Keys.TwilioAccount,
			"phone_number": n, "friendly_name": formatted(n)}
		if capabilities != nil {
			entry["capabilities"] = capabilities
		}
		list = append(list, entry)
	}
	return jsonAnswer(http.StatusOK, map[string]any{field: list, "page": 0, "page_size": 50, "start": 0, "end": max(len(list)-1, 0),
		"uri": in.URL.RequestURI(), "first_page_uri": in.URL.RequestURI(), "previous_page_uri": nil, "next_page_uri": nil})
}
