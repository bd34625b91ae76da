//go:build integration

package cli

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"callagent/infra/wiring/doctor"
	"callagent/localstack/simulator"
)

// In the cloud the secrets are in SSM and the rest in the environment, and only
// both together are a set-up. This account's queues are bare.
func TestDoctorLooksWhereTheFunctionsLook(t *testing.T) {
	a := newAccount(t)
	sim, err := simulator.Start(simulator.Config{})
	must(t, err)
	t.Cleanup(sim.Close)
	c, err := config.LoadDefaultConfig(t.Context())
	must(t, err)
	path := "/cli-" + strings.ToLower(rand.Text()[:10])
	env := map[string]string{"SECRETS_PATH": path}
	for _, line := range sim.Env() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	for _, secret := range []string{"TWILIO_AUTH_TOKEN", "OPENAI_API_KEY", "TELEGRAM_BOT_TOKEN", "SMTP_URL"} {
		_, err := ssm.NewFromConfig(c).PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: aws.String(path + "/" + secret), Value: aws.String(env[secret]), Type: types.ParameterTypeSecureString})
		must(t, err)
		delete(env, secret)
	}
	maps.Copy(a.env, env)
	var d struct{ Checks []doctor.Finding }
	must(t, json.Unmarshal([]byte(a.does(failed, "doctor", "--json")), &d))
	status := map[string]doctor.Status{}
	for _, f := range d.Checks {
		status[f.Service+" "+f.Check] = f.Status
	}
	for check, want := range map[string]doctor.Status{
		"twilio account": doctor.OK, "llm model": doctor.OK, "telegram chat": doctor.OK, "email login": doctor.OK, "aws secrets": doctor.OK,
		"aws contacts queue": doctor.Error, "aws calls table": doctor.Error, "aws audio bucket": doctor.Error,
	} {
		if status[check] != want {
			t.Errorf("%s is %q, want %q", check, status[check], want)
		}
	}
}
