//go:build integration

package dynamo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"callagent/core/agent/circuittest"
	"callagent/infra/dynamo"
)

func TestCircuits(t *testing.T) {
	circuittest.Run(t, func(t *testing.T) circuittest.Store {
		return dynamo.NewCircuits(clientAt(endpoint(t), &wire{}), circuitsTable(t))
	})
}

// Some servers refuse a conditional write without the item that stands there.
func TestCircuitsOnAServerThatReturnsNoItem(t *testing.T) {
	circuittest.Run(t, func(t *testing.T) circuittest.Store {
		return dynamo.NewCircuits(clientAt(endpoint(t), &wire{trip: withoutItem}), circuitsTable(t))
	})
}

// withoutItem takes the item out of the refusal of a conditional write.
func withoutItem(_ string, r *http.Request) (*http.Response, error) {
	res, err := connections.RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusBadRequest {
		return res, err
	}
	defer res.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		return nil, err
	}
	delete(body, "Item")
	reasons, _ := body["CancellationReasons"].([]any)
	for _, reason := range reasons {
		delete(reason.(map[string]any), "Item")
	}
	bare, err := json.Marshal(body)
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(bare)), int64(len(bare))
	res.Header.Del("X-Amz-Crc32") // of the body before
	return res, err
}
