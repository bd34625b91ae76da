//go:build integration

package dynamo_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"callagent/infra/dynamo"
)

// endpoint is where the tests' DynamoDB listens.
func endpoint(t testing.TB) string {
	t.Helper()
	url := os.Getenv("AWS_ENDPOINT_URL")
	if url == "" {
		t.Fatal("AWS_ENDPOINT_URL is not set: make integration starts a DynamoDB and says where it is")
	}
	return url
}

// clientAt is a client of the DynamoDB at url whose requests go over the wire.
func clientAt(url string, w http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), HTTPClient: &http.Client{Transport: w},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// connections are shared by all clients of the tests.
var connections = &http.Transport{MaxIdleConnsPerHost: 100}

// wire counts the requests of one process by operation.
type wire struct {
	// trip sends a request that op names; nil: it is sent as it is.
	trip func(op string, r *http.Request) (*http.Response, error)

	mu  sync.Mutex
	ops map[string]int
}

// RoundTrip counts a request and sends it.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	if w.ops == nil {
		w.ops = map[string]int{}
	}
	w.ops[op]++
	w.mu.Unlock()
	if w.trip != nil {
		return w.trip(op, r)
	}
	return connections.RoundTrip(r)
}

// counted gives the reads and writes since the last time it was asked.
func (w *wire) counted() (reads, writes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for op, n := range w.ops {
		if op == "GetItem" {
			reads += n
		} else {
			writes += n
		}
	}
	w.ops = nil
	return reads, writes
}

// circuitsTable makes a table for one test.
func circuitsTable(t testing.TB) string {
	t.Helper()
	return madeTable(t, dynamo.CircuitsTable("circuits-"+rand.Text()))
}
