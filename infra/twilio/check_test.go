package twilio_test

import (
	"strings"
	"testing"

	"callagent/core/fault"
	"callagent/infra/twilio"
)

func TestIsAccount(t *testing.T) {
	for sid, want := range map[string]bool{
		account: true, "AC" + strings.Repeat("aF", 16): true,
		"": false, "SK" + account[2:]: false, account[1:]: false, account + "0": false, "AC" + strings.Repeat("g", 32): false,
	} {
		if got := twilio.IsAccount(sid); got != want {
			t.Errorf("%q: %v, want %v", sid, got, want)
		}
	}
}

func TestCheckCaller(t *testing.T) {
	const none, noneVerified = `{"incoming_phone_numbers":[]}`, `{"outgoing_caller_ids":[]}`
	list := func(field, entries string) string { return `{"` + field + `":[` + entries + `]}` }
	for _, c := range []struct {
		name    string
		answers []string
		want    twilio.Caller
	}{
		{"ours", []string{list("incoming_phone_numbers", `{"phone_number":"`+from+`","capabilities":{"voice":true}}`)}, twilio.Owned},
		{"ours for texts only", []string{list("incoming_phone_numbers", `{"phone_number":"`+from+`","capabilities":{"voice":false,"sms":true}}`)}, twilio.Mute},
		{"another that matches", []string{list("incoming_phone_numbers", `{"phone_number":"`+from+`7","capabilities":{"voice":true}}`), noneVerified}, twilio.Foreign},
		{"verified", []string{none, list("outgoing_caller_ids", `{"phone_number":"`+from+`"}`)}, twilio.Verified},
		{"nobody's", []string{none, noneVerified}, twilio.Foreign},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, says(200, c.answers[0]), says(200, c.answers[len(c.answers)-1]))
			got, err := s.client(t).CheckCaller(t.Context(), from)
			if err != nil || got != c.want {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
			if n := len(s.got()); n != len(c.answers) {
				t.Errorf("%d requests", n)
			}
			for _, r := range s.got() {
				if r.Method != "GET" || !strings.Contains(r.Target, "PhoneNumber=%2B15005550006") {
					t.Errorf("asked %s %s", r.Method, r.Target)
				}
			}
		})
	}
}

func TestChecksThatFail(t *testing.T) {
	for name, check := range map[string]func(c *twilio.Client) error{
		"account": func(c *twilio.Client) error { _, err := c.CheckAccount(t.Context()); return err },
		"balance": func(c *twilio.Client) error { _, _, err := c.CheckBalance(t.Context()); return err },
		"caller":  func(c *twilio.Client) error { _, err := c.CheckCaller(t.Context(), from); return err },
	} {
		for body, want := range map[string]struct {
			status int
			kind   fault.Kind
		}{
			`{"code":20003}`: {401, fault.Authentication}, `{"code":20404}`: {404, fault.NotFound}, `{"code":20005}`: {403, fault.Permission},
			`<html>`: {200, fault.BadResponse}, `{}`: {200, fault.BadResponse},
		} {
			f := fault.From("twilio", check(serve(t, says(want.status, body)).client(t)))
			if f == nil || f.Kind != want.kind || strings.Contains(f.Error(), token) {
				t.Errorf("%s with %s: %v, want %s", name, body, f, want.kind)
			}
		}
	}
}

func TestCheckBalance(t *testing.T) {
	s := serve(t, says(200, `{"account_sid":"`+account+`","balance":"-1.5","currency":"EUR"}`))
	amount, currency, err := s.client(t).CheckBalance(t.Context())
	if err != nil || amount != -1.5 || currency != "EUR" {
		t.Errorf("%v %s, %v", amount, currency, err)
	}
	if got := s.onlyRequest(t).Target; got != prefix+"/Balance.json" {
		t.Errorf("asked %s", got)
	}
}
