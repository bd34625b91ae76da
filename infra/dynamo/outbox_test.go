//go:build integration

package dynamo_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"callagent/core/agent/outboxtest"
	"callagent/core/alert"
	"callagent/infra/dynamo"
	"callagent/infra/dynamo/metertest"
)

func TestOutbox(t *testing.T) {
	outboxtest.Run(t, func(t *testing.T) outboxtest.Harness {
		return outboxtest.Harness{Outbox: dynamo.NewOutbox(clientAt(endpoint(t), &wire{}), circuitsTable(t), time.Now)}
	})
}

// raised fills an outbox with alerts of one group and gives their ids.
func raised(t *testing.T, o *dynamo.Outbox, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("a-%03d", i)
		err := o.Raise(t.Context(), []string{"email"}, alert.Alert{ID: ids[i], Kind: alert.CallFailed, Campaign: "spring", CallID: "spring/ada", At: midday})
		if err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// waiting counts what a channel has to deliver.
func waiting(t *testing.T, o *dynamo.Outbox) int {
	t.Helper()
	alerts, err := o.Undelivered(t.Context(), "email", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(alerts)
}

func TestADigestThatIsCutOffRepeatsAndLosesNothing(t *testing.T) {
	w := &wire{}
	o := dynamo.NewOutbox(clientAt(endpoint(t), w), circuitsTable(t), time.Now)
	ids, want := raised(t, o, 60), alert.Group{LastSent: midday, Sent: 1}
	sent := 0
	w.trip = func(op string, r *http.Request) (*http.Response, error) {
		if op == "TransactWriteItems" {
			sent++
		}
		if sent > 1 {
			return nil, errors.New("the process is gone")
		}
		return connections.RoundTrip(r)
	}
	if err := o.Delivered(t.Context(), "email", ids, "group", want); err == nil {
		t.Fatal("no error")
	}
	w.trip = nil
	if n := waiting(t, o); n != 11 {
		t.Errorf("%d of 60 are still to be told, want 11", n)
	}
	if groups, err := o.Groups(t.Context(), "email"); err != nil || groups["group"] != want {
		t.Errorf("%v, %v", groups, err)
	}
	if err := o.Delivered(t.Context(), "email", ids, "group", want); err != nil {
		t.Fatal(err)
	}
	if n := waiting(t, o); n != 0 {
		t.Errorf("%d are still to be told", n)
	}
}

func TestADigestOfFortyNineIsOneTransaction(t *testing.T) {
	w := &wire{}
	o := dynamo.NewOutbox(clientAt(endpoint(t), w), circuitsTable(t), time.Now)
	ids := raised(t, o, 49)
	w.counted()
	if err := o.Delivered(t.Context(), "email", ids, "group", alert.Group{Sent: 1}); err != nil {
		t.Fatal(err)
	}
	if got := w.ops["TransactWriteItems"]; got != 1 {
		t.Errorf("%d transactions", got)
	}
}

// What waits is never forgotten; what was told is, when no copy can come any
// more.
func TestOnlyADeliveredAlertExpires(t *testing.T) {
	client, table := clientAt(endpoint(t), &wire{}), circuitsTable(t)
	o := dynamo.NewOutbox(client, table, func() time.Time { return midday })
	raised(t, o, 2)
	if err := o.Delivered(t.Context(), "email", []string{"a-000"}, "group", alert.Group{Sent: 1}); err != nil {
		t.Fatal(err)
	}
	all, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table)})
	if err != nil {
		t.Fatal(err)
	}
	expire := map[string]string{}
	for _, i := range all.Items {
		if ttl, found := i[dynamo.TTL].(*types.AttributeValueMemberN); found {
			expire[i[dynamo.SortKey].(*types.AttributeValueMemberS).Value] = ttl.Value
		}
	}
	want := fmt.Sprint(midday.Add(dynamo.KeepDelivered).Unix())
	if len(all.Items) != 4 || len(expire) != 1 || expire["id#a-000"] != want {
		t.Errorf("of %d items these expire: %v; want id#a-000 at %s", len(all.Items), expire, want)
	}
}

// The units that docs/dynamodb.md names, as the server counts them.
func TestCountedOperationsOfAlerts(t *testing.T) {
	var m metertest.Meter
	o := dynamo.NewOutbox(metered(t, &m), circuitsTable(t), time.Now)
	for _, step := range []struct {
		what string
		do   func()
		want float64
	}{
		{"raised", func() { raised(t, o, 1) }, 4},
		{"delivered", func() {
			if err := o.Delivered(t.Context(), "email", []string{"a-000"}, "", alert.Group{}); err != nil {
				t.Fatal(err)
			}
		}, 4},
	} {
		step.do()
		var units float64
		for _, op := range m.Take() {
			units += op.Write
		}
		if units != step.want {
			t.Errorf("an alert that is %s costs %g units, want %g", step.what, units, step.want)
		}
	}
}
