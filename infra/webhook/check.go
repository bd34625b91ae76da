package webhook

import (
	"context"
	"net/http"

	"callagent/infra/httpcall"
)

// CheckReach asks the endpoint for its options and gives the status of the
// answer, whatever it is: many receivers answer nothing but a POST. It is
// OPTIONS and not GET, because some receivers take a GET for an event.
func (c *Channel) CheckReach(ctx context.Context) (status int, err error) {
	a, f := c.client.Do(ctx, httpcall.Request{Method: http.MethodOptions, URL: c.url, Header: http.Header{"Accept": {"*/*"}}})
	if f != nil {
		return 0, f
	}
	redirects := a.Status >= http.StatusMultipleChoices && a.Status < http.StatusBadRequest
	down := a.Status >= http.StatusInternalServerError && a.Status != http.StatusNotImplemented
	if redirects || down || a.Status == http.StatusGone {
		return a.Status, c.classify(a)
	}
	return a.Status, nil
}
