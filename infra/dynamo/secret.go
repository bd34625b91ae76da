package dynamo

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// attrSecret holds the bytes of a secret's item.
const attrSecret = "bytes"

// Secret is 32 random bytes for keyed hashes, the same for everybody who uses
// the table: whoever comes first makes them. It is to be read once a process.
func (s *Calls) Secret(ctx context.Context) ([]byte, error) {
	key := secretPrefix + "numbers"
	found, err := s.item(ctx, item{PartitionKey: text(key)})
	if err != nil {
		return nil, err
	}
	if found == nil {
		fresh := make([]byte, 32)
		rand.Read(fresh)
		to := changing(key)
		to.equals(attrSecret, nil)
		to.set(attrSecret, &types.AttributeValueMemberB{Value: fresh})
		v, err := s.commit(ctx, to)
		if err != nil {
			return nil, err
		}
		if len(v.refused) == 0 {
			return fresh, nil
		}
		found = v.refused[0].old // somebody else was first, or an earlier sending of ours
	}
	secret, _ := found[attrSecret].(*types.AttributeValueMemberB)
	if secret == nil {
		return nil, errors.New("dynamodb: the secret in the calls table is damaged")
	}
	return secret.Value, nil
}
