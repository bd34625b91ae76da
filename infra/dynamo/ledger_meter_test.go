//go:build integration

package dynamo_test

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"callagent/core/call"
	"callagent/infra/dynamo"
	"callagent/infra/dynamo/metertest"
)

// metered is a client whose operations are noted.
func metered(t testing.TB, m *metertest.Meter) *dynamodb.Client {
	o := clientAt(endpoint(t), connections).Options()
	o.APIOptions = append(slices.Clone(o.APIOptions), m.Observe)
	return dynamodb.New(o)
}

// told is a ledger whose operations say what they are for.
type told struct{ *dynamo.Calls }

func (l told) Put(ctx context.Context, w call.Write) error {
	return l.Calls.Put(metertest.For(ctx, purposeOf(w)), w)
}

// purposeOf names a write of a call that meets no trouble by what it changes.
func purposeOf(w call.Write) string {
	c := w.Call
	switch {
	case c.Version == 0:
		return "first claim"
	case w.Number == call.TakeNumber:
		return "intent"
	case w.Own != "":
		return "placed"
	case w.Number == call.FreeNumber:
		return "end"
	case c.Recorded == call.Yes:
		return "recorded"
	case !c.Dialled() && c.Speech != "":
		return "speech"
	case !c.Dialled() && c.Script != "":
		return "script"
	}
	return "claim"
}
