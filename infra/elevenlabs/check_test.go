package elevenlabs

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"callagent/core/fault"
)

func says(status int, body string) answer { return answer{status, "application/json", []byte(body)} }

func TestCheckModel(t *testing.T) {
	list := says(200, `[{"model_id":"hears","can_do_text_to_speech":false},{"model_id":"speaks","can_do_text_to_speech":true}]`)
	for model, want := range map[string]bool{"speaks": true, "hears": false, "nobody": false} {
		c, log := answering(t, model, map[string]answer{"/v1/models": list})
		f := fault.From(service, c.CheckModel(t.Context()))
		if (f == nil) != want || f != nil && f.Kind != fault.NotFound {
			t.Errorf("%s: %v", model, f)
		}
		if len(*log) != 1 || (*log)[0].method != "GET" || (*log)[0].key != planted {
			t.Errorf("requests: %+v", *log)
		}
	}
}

func TestCheckVoice(t *testing.T) {
	for _, c := range []struct {
		answer answer
		name   string
		kind   fault.Kind
		fine   bool
	}{
		{says(200, `{"voice_id":"Voice1","name":"Rachel"}`), "Rachel", 0, true},
		{says(404, `{"detail":{"code":"voice_not_found"}}`), "", fault.NotFound, false},
		{says(400, `{"detail":{"status":"voice_not_found"}}`), "", fault.NotFound, false},
		{says(400, `{"detail":{"status":"invalid_uid"}}`), "", fault.NotFound, false},
		{says(401, `{"detail":{"status":"missing_permissions"}}`), "", fault.Permission, false},
		{says(200, `[]`), "", fault.BadResponse, false},
	} {
		client, _ := answering(t, "", map[string]answer{"/v1/voices/Voice1": c.answer})
		name, err := client.CheckVoice(t.Context(), "")
		if f := fault.From(service, err); (f == nil) != c.fine || f != nil && f.Kind != c.kind || name != c.name {
			t.Errorf("%s: %q, %v", c.answer.body, name, f)
		}
	}
}

func TestCheckCredit(t *testing.T) {
	for body, want := range map[string]Credit{
		`{"tier":"free","status":"free","character_count":9000,"character_limit":10000}`: {Plan: "free", Left: 1000, Limit: 10000},
		`{"tier":"pro","status":"past_due","character_count":0,"character_limit":10}`:    {Plan: "pro", Left: 10, Limit: 10, Unpaid: true},
		`{"tier":"pro","status":"active","character_count":11,"character_limit":10,"can_extend_character_limit":true,"max_character_limit_extension":5}`: {
			Plan: "pro", Left: 4, Limit: 15},
		`{"tier":"pro","status":"active","character_count":11,"character_limit":10,"can_extend_character_limit":true,"max_character_limit_extension":null}`: {
			Plan: "pro", Left: -1, Limit: 10, Unbounded: true},
	} {
		c, _ := answering(t, "", map[string]answer{"/v1/user/subscription": says(200, body)})
		got, err := c.CheckCredit(t.Context())
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", body, err, d)
		}
	}
}
