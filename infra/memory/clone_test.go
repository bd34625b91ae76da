package memory_test

import (
	"context"
	"errors"
	"testing"

	"callagent/core/agent"
	"callagent/core/alert"
	"callagent/core/breaker"
	"callagent/core/call"
	"callagent/infra/memory"
)

// A clone has everything that the store has, and neither sees what happens to
// the other afterwards.
func TestACloneIsAStoreOfItsOwn(t *testing.T) {
	ctx, c := context.Background(), clock{}
	first := memory.New(memory.Options{Now: c.Now})
	ada := call.Call{Key: call.Key{Campaign: "spring", Contact: "ada"}, Number: "1", State: call.Running}
	must(t, first.Put(ctx, call.Write{Call: ada, Number: call.TakeNumber, Own: "CA1"}))
	must(t, first.Send(ctx, 0, []byte(`{}`)))
	must(t, first.Raise(ctx, []string{"email"}, alert.Alert{ID: "1"}))
	if _, err := first.Swap(ctx, breaker.Record{Service: "llm"}); err != nil {
		t.Fatal(err)
	}

	second := first.Clone(c.Now)
	bob := call.Call{Key: call.Key{Campaign: "autumn", Contact: "bob"}, Number: "1", State: call.Running}
	var taken *agent.TakenError
	if err := second.Put(ctx, call.Write{Call: bob, Number: call.TakeNumber}); !errors.As(err, &taken) || taken.By != ada.Key {
		t.Errorf("the clone does not know who has the number: %v", err)
	}
	if owner, err := second.Owner(ctx, "CA1"); err != nil || owner != ada.Key {
		t.Errorf("the clone does not know who owns the SID: %s, %v", owner, err)
	}
	ada.Version = 1
	must(t, second.Put(ctx, call.Write{Call: ada, Number: call.FreeNumber}))
	if got, _ := first.Get(ctx, ada.Key); got.Version != 1 {
		t.Errorf("a write to the clone is seen in the store: version %d", got.Version)
	}
	if err := first.Put(ctx, call.Write{Call: bob, Number: call.TakeNumber}); !errors.As(err, &taken) {
		t.Errorf("the clone freed the store's number: %v", err)
	}
	if _, err := second.Swap(ctx, breaker.Record{Service: "llm", Version: 1}); err != nil {
		t.Errorf("the clone's circuit: %v", err)
	}
	if r, _ := first.Load(ctx, "llm"); r.Version != 1 {
		t.Errorf("the clone's circuit is the store's: version %d", r.Version)
	}
	if ms, _ := second.Receive(ctx, 1, nil); len(ms) != 1 {
		t.Error("the clone has no message")
	}
	if visible, _, _, _ := first.Pending(ctx); visible != 1 {
		t.Error("receiving from the clone took the store's message")
	}
	if as, _ := second.Undelivered(ctx, "email", 1); len(as) != 1 {
		t.Error("the clone has no alert")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
