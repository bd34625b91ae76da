package operator

import (
	"context"
	"errors"
	"slices"
	"strings"

	"callagent/core/agent"
	"callagent/core/call"
)

// Find reads the calls that a person means: the one of "campaign/contact_id",
// or those of a contact id in any campaign of the counts. It is no error when
// there is none.
func Find(ctx context.Context, ledger agent.Ledger, counts func(context.Context) ([]call.Count, error), id string) ([]call.Call, error) {
	campaign, contact, whole := strings.Cut(id, "/")
	if whole {
		return get(ctx, ledger, []string{campaign}, contact)
	}
	all, err := counts(ctx)
	if err != nil {
		return nil, err
	}
	var campaigns []string
	for _, n := range all {
		if !slices.Contains(campaigns, n.Campaign) {
			campaigns = append(campaigns, n.Campaign)
		}
	}
	return get(ctx, ledger, campaigns, id)
}

// get reads the contact's calls that there are.
func get(ctx context.Context, ledger agent.Ledger, campaigns []string, contact string) ([]call.Call, error) {
	var found []call.Call
	for _, campaign := range campaigns {
		c, err := ledger.Get(ctx, call.Key{Campaign: campaign, Contact: contact})
		switch {
		case err == nil:
			found = append(found, c)
		case !errors.Is(err, agent.ErrNotFound):
			return nil, err
		}
	}
	return found, nil
}
