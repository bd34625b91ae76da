package doctor

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"callagent/infra/dynamo"
	"callagent/infra/httpcall"
	"callagent/infra/s3"
	"callagent/infra/settings"
	"callagent/infra/ssm"
)

// Cloud is what of the settings lies in AWS, as the functions read it at their
// start.
type Cloud struct {
	Values   map[string]string // the secrets, by the names of variables
	Settings *settings.Layer   // the settings object; nil if there is none

	config            aws.Config
	secrets, settings verdict
}

// Read reads secrets and settings from where SECRETS_PATH and SETTINGS_OBJECT
// say. What cannot be read is a finding later.
func Read(ctx context.Context, env func(string) (string, bool)) *Cloud {
	ctx, cancel := context.WithTimeout(ctx, DefaultLimit)
	defer cancel()
	c := &Cloud{}
	var err error
	if c.config, err = config.LoadDefaultConfig(ctx); err != nil {
		c.secrets = verdict{key, words{"why": "the AWS settings cannot be read"}}
		return c
	}
	path, _ := env(settings.SecretsPath)
	c.secrets = c.readSecrets(ctx, path)
	if object, _ := env("SETTINGS_OBJECT"); object != "" {
		c.settings = c.readSettings(ctx, object)
	}
	return c
}

func (c *Cloud) readSecrets(ctx context.Context, path string) verdict {
	w := words{"what": path, "variable": settings.SecretsPath}
	if path == "" {
		return verdict{off, w}
	}
	var err error
	if c.Values, err = ssm.Read(ctx, awsssm.NewFromConfig(c.config), path); err == nil && len(c.Values) == 0 {
		return verdict{missing, w}
	}
	return cloudJudged(err, w)
}

func (c *Cloud) readSettings(ctx context.Context, object string) verdict {
	w := words{"what": object, "variable": "SETTINGS_OBJECT"}
	data, err := s3.ReadObject(ctx, s3.NewClient(c.config), object)
	if err != nil {
		return cloudJudged(err, w)
	}
	layer, err := settings.ParseLayer(object, data)
	if err != nil {
		w["why"] = err.Error()
		return verdict{"different", w}
	}
	c.Settings = &layer
	return verdict{fine, w}
}

// Env is an environment with the secrets above it.
func (c *Cloud) Env(env func(string) (string, bool)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if v, ok := c.Values[name]; ok {
			return v, true
		}
		return env(name)
	}
}

// planCloud looks at what the stack consists of.
func (e *exam) planCloud() {
	c, n := e.Cloud, e.Settings.Providers.AWS
	e.found(amazon, "secrets", c.secrets)
	if c.settings.result != "" {
		e.found(amazon, "settings", c.settings)
	}
	tables := dynamodb.NewFromConfig(c.config)
	for _, t := range []struct {
		check, variable, name string
		like                  func(string) *dynamodb.CreateTableInput
	}{
		{"calls table", "CALLS_TABLE", n.CallsTable, dynamo.CallsTable},
		{"circuits table", "CIRCUITS_TABLE", n.CircuitsTable, dynamo.CircuitsTable},
	} {
		e.part(t.check, t.variable, t.name, func(ctx context.Context) ([]string, error) {
			return dynamo.Differences(ctx, tables, t.like(t.name))
		})
	}
	e.planQueues(awssqs.NewFromConfig(c.config))
	e.part("audio bucket", "AUDIO_BUCKET", n.AudioBucket, func(ctx context.Context) ([]string, error) {
		return nil, s3.CheckBucket(ctx, s3.NewClient(c.config), n.AudioBucket)
	})
}

// part adds the check of a part of the stack that a variable names.
func (e *exam) part(name, variable, value string, differences func(context.Context) ([]string, error)) {
	w := words{"what": value[strings.LastIndexByte(value, '/')+1:], "variable": variable} // a queue's name, not its URL
	if value == "" {
		e.found(amazon, name, verdict{off, w})
		return
	}
	e.add(amazon, name, func(ctx context.Context) verdict {
		found, err := differences(ctx)
		if len(found) > 0 {
			return verdict{"different", words{"what": w["what"], "why": strings.Join(found, "; ")}}
		}
		return cloudJudged(err, w)
	})
}

// cloudJudged is judged for the errors of the AWS SDK.
func cloudJudged(err error, w words) verdict {
	if err == nil {
		return verdict{fine, w}
	}
	v := verdict{unreachable, words{"what": w["what"], "variable": w["variable"], "why": "no connection"}}
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		v.result, v.words["why"] = byCode(api.ErrorCode()), httpcall.Clean(api.ErrorCode()+": "+api.ErrorMessage())
	case errors.Is(err, fs.ErrNotExist):
		v.result, v.words["why"] = missing, "there is no such object"
	case errors.Is(err, context.DeadlineExceeded):
		v.result = slow
	case strings.Contains(err.Error(), "get credentials"):
		v.result, v.words["why"] = key, "there are none"
	}
	return v
}

// byCode reads the codes of AWS. They end in Exception in some of its
// protocols.
func byCode(code string) string {
	code = strings.TrimSuffix(code[strings.LastIndexByte(code, '.')+1:], "Exception")
	for result, codes := range map[string][]string{
		permission: {"AccessDenied", "Forbidden", "UnauthorizedOperation", "AuthorizationError"},
		missing:    {"ResourceNotFound", "QueueDoesNotExist", "NonExistentQueue", "NotFound", "NoSuchBucket", "NoSuchKey"},
		key: {"UnrecognizedClient", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignature",
			"ExpiredToken", "MissingAuthenticationToken", "IncompleteSignature"},
		busy: {"Throttling", "ThrottledException", "RequestLimitExceeded", "SlowDown", "RequestThrottled"},
	} {
		for _, c := range codes {
			if c == code {
				return result
			}
		}
	}
	return strange
}
