//go:build integration

package cli

import (
	"crypto/rand"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"callagent/infra/s3"
)

// settingsObject makes the object that SETTINGS_OBJECT names.
func (a *cloudOffice) settingsObject(text string) {
	a.t.Helper()
	c, err := config.LoadDefaultConfig(a.t.Context())
	must(a.t, err)
	client, bucket := s3.NewClient(c), "cli-"+strings.ToLower(rand.Text()[:10])
	_, err = client.CreateBucket(a.t.Context(), &awss3.CreateBucketInput{Bucket: &bucket})
	must(a.t, err)
	_, err = client.PutObject(a.t.Context(), &awss3.PutObjectInput{Bucket: &bucket, Key: aws.String("prod/callagent.toml"), Body: strings.NewReader(text)})
	must(a.t, err)
	a.env["SETTINGS_OBJECT"] = "s3://" + bucket + "/prod/callagent.toml"
}

// The functions know nothing of an operator's own file, and operators need no
// secrets.
func TestCommandsHaveTheSettingsOfTheFunctions(t *testing.T) {
	a := newAccount(t)
	a.file("list.csv", "contact_id,phone\nn-1,+15005550123\n")
	a.file("callagent.toml", "store = \"aws\"\n[campaign.local]\n[services.twilio]\nrate = 7\n")
	a.settingsObject("store = \"sqlite:of-somebody.db\"\n[campaign.spring]\n")
	maps.Copy(a.env, map[string]string{"SECRETS_PATH": "/cli", "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
		"TELEGRAM_CHAT_ID": "-100", "ALERT_EMAIL_FROM": "a@example.com", "ALERT_EMAIL_TO": "b@example.com"})
	enqueue := func(status int, campaign string, flags ...string) string {
		t.Helper()
		return a.does(status, append([]string{"enqueue", "list.csv", "--campaign", campaign}, flags...)...)
	}
	contains(t, enqueue(ok, "spring"), "1 contact enqueued")
	contains(t, enqueue(ok, "spring", "--store", "aws"), "1 contact enqueued")
	contains(t, enqueue(usage, "local"), `"local"`)
	contains(t, enqueue(ok, "local", "--settings", "callagent.toml"), "1 contact enqueued")
	contains(t, enqueue(usage, "spring", "--settings", "callagent.toml"), `"spring"`)

	if text := a.does(ok, "config"); !strings.Contains(text, "[campaign.spring]") || strings.Contains(text, "[campaign.local]") || !strings.Contains(text, "= \"aws\"") {
		t.Errorf("the effective settings are\n%s", text)
	}
	if text := a.does(ok, "config", "--store", "sqlite:here.db"); !strings.Contains(text, "[campaign.local]") {
		t.Errorf("on one machine the effective settings are\n%s", text)
	}
	var now status
	if a.reads(&now, "status"); now.Store != inAWS || now.Queue.Visible != 3 {
		t.Errorf("status %+v", now)
	}
}

func TestWhatIsWrongWithTheSettingsObjectIsSaid(t *testing.T) {
	a := newAccount(t)
	a.settingsObject("[retry]\nmax_retires = 3\n")
	contains(t, a.does(usage, "status"), a.env["SETTINGS_OBJECT"], "max_retires")
	a.env["SETTINGS_OBJECT"] += ".gone"
	contains(t, a.does(failed, "status"), "SETTINGS_OBJECT", "callagent.toml.gone", "--settings FILE")
	a.does(ok, "status", "--settings", "callagent.toml")
}
