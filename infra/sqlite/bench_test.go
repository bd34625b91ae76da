package sqlite_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callagent/core/call"
	"callagent/infra/sqlite"
)

// BenchmarkPut measures durable writes: each goroutine takes calls of its own
// through the writes of an uneventful life.
func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, "", sqlite.Options{})
			var (
				all  sync.WaitGroup
				left atomic.Int64
			)
			left.Store(int64(b.N))
			b.ResetTimer()
			for caller := range callers {
				all.Go(func() {
					for life := 0; left.Load() > 0; life++ {
						for _, c := range lifeOf(fmt.Sprintf("%d-%d", caller, life)) {
							if left.Add(-1) < 0 {
								return
							}
							if err := s.Put(b.Context(), call.Write{Call: c}); err != nil {
								b.Error(err)
								return
							}
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

// lifeOf is the records of a call from its claim to its end.
func lifeOf(contact string) []call.Call {
	now := time.Now()
	c := call.Call{
		Key: call.Key{Campaign: "spring", Contact: contact},
		Contact: call.Contact{
			Campaign: "spring", ID: contact, Phone: "+15005550006", Name: "Ada Lovelace",
			Variables: map[string]string{"plan": "gold", "city": "London"}, TimeZone: "Europe/London",
		},
		Number: "0123456789abcdef0123456789abcdef", State: call.Running, CreatedAt: now, Due: now,
		Lease: call.Lease{Holder: "worker-1", Until: now.Add(time.Minute)},
	}
	records := []call.Call{c}
	for _, step := range []string{"script stored", "speech stored", "intent stored", "dialled"} {
		c.Version++
		c.History = append(c.History[:len(c.History):len(c.History)], call.Event{At: now, What: step})
		records = append(records, c)
	}
	c.Version++
	c.State, c.Result, c.Due, c.Lease, c.FinishedAt = call.Completed, call.Answered, time.Time{}, call.Lease{}, now
	return append(records, c)
}
