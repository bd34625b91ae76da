//go:build integration

package ssm

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
)

// emulator is a client of the server that AWS_ENDPOINT_URL names.
func emulator(t *testing.T) *ssm.Client {
	t.Helper()
	if os.Getenv("AWS_ENDPOINT_URL") == "" {
		t.Fatal("set AWS_ENDPOINT_URL to the emulator's address, or run: make integration")
	}
	c, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return ssm.NewFromConfig(c)
}

func put(t *testing.T, client *ssm.Client, name, value string, kind types.ParameterType) {
	t.Helper()
	_, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String(name), Value: aws.String(value), Type: kind, Overwrite: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestParametersOfARealServer(t *testing.T) {
	client := emulator(t)
	path := fmt.Sprintf("/callagent/test-%x", rand.Uint64())
	want := map[string]string{}
	for i := range 23 { // SSM gives at most ten in one answer
		want[fmt.Sprintf("KEY_%d", i)] = fmt.Sprintf("value %d", i)
	}
	for name, value := range want {
		put(t, client, path+"/"+name, value, types.ParameterTypeSecureString)
	}
	put(t, client, path+"/PLAIN", "in clear", types.ParameterTypeString)
	want["PLAIN"] = "in clear"
	put(t, client, path+"/below/KEY", "of another", types.ParameterTypeString)
	put(t, client, path+"2/KEY", "of another", types.ParameterTypeString)

	now := time.Now()
	c := NewCache(client, path, CacheOptions{Now: func() time.Time { return now }})
	first, err := c.Get(t.Context())
	if d := cmp.Diff(Snapshot{Version: 1, Values: want}, first); err != nil || d != "" {
		t.Fatalf("error %v, snapshot (-want +got):\n%s", err, d)
	}
	put(t, client, path+"/KEY_0", "rotated", types.ParameterTypeSecureString)
	if s, err := c.Get(t.Context()); err != nil || s.Version != 1 {
		t.Errorf("read before its time: version %d, %v", s.Version, err)
	}
	now = now.Add(maxAge)
	second := maps.Clone(want)
	second["KEY_0"] = "rotated"
	got, err := c.Get(t.Context())
	if d := cmp.Diff(Snapshot{Version: 2, Values: second}, got); err != nil || d != "" {
		t.Errorf("error %v, snapshot (-want +got):\n%s", err, d)
	}
}

func TestAPathWithNothingBelow(t *testing.T) {
	if got, err := Read(t.Context(), emulator(t), fmt.Sprintf("/callagent/none-%x", rand.Uint64())); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
