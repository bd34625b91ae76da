//go:build integration

package dynamo_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"callagent/core/agent/ledgertest"
	"callagent/infra/dynamo"
)

func TestLedger(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		return ledgertest.Harness{Store: newCalls(t, connections), Now: time.Now}
	})
}

// newCalls is a ledger over the connection, in a table of its own.
func newCalls(t testing.TB, w http.RoundTripper) *dynamo.Calls {
	t.Helper()
	return dynamo.NewCalls(clientAt(endpoint(t), w), callsTable(t), time.Now)
}

// callsTable makes a table for one test.
func callsTable(t testing.TB) string {
	t.Helper()
	return madeTable(t, dynamo.CallsTable("calls-"+rand.Text()))
}

// madeTable makes a table, and deletes it when the test ends.
func madeTable(t testing.TB, in *dynamodb.CreateTableInput) string {
	t.Helper()
	client := clientAt(endpoint(t), connections)
	if _, err := client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: in.TableName}); err != nil {
			t.Error(err)
		}
	})
	err := dynamodb.NewTableExistsWaiter(client).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return *in.TableName
}
