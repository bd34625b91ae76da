package call

import (
	"maps"
	"time"
)

// Contact is a person to call, as the queue message and the CSV name it. It is
// the only thing a message carries: everything else stands in the ledger.
type Contact struct {
	Campaign  string            `json:"campaign"`
	ID        string            `json:"contact_id"`
	Phone     string            `json:"phone"` // E.164
	Name      string            `json:"name,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
	TimeZone  string            `json:"time_zone,omitempty"` // IANA name; "" when unknown
	ExpiresAt time.Time         `json:"expires_at,omitzero"` // zero: never
}

// Equal reports whether two contacts say the same.
func (c Contact) Equal(d Contact) bool {
	return maps.Equal(c.Variables, d.Variables) && c.ExpiresAt.Equal(d.ExpiresAt) && c.Key() == d.Key() && c.Phone == d.Phone && c.Name == d.Name && c.TimeZone == d.TimeZone
}

// Key names the call for this contact in its campaign.
func (c Contact) Key() Key { return Key{Campaign: c.Campaign, Contact: c.ID} }

// Key is the identity of a call: one contact in one campaign.
type Key struct {
	Campaign string `json:"campaign"`
	Contact  string `json:"contact_id"`
}

// String joins the two with a slash, as the CLI and the stores write it.
func (k Key) String() string { return k.Campaign + "/" + k.Contact }
