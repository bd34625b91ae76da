// Package dynamo keeps calls, numbers, circuits and alerts in two DynamoDB
// tables: the stores of a fleet of functions. What two processes must not both
// do is decided by conditional writes; nothing is decided by a lock or a stale
// read.
//
// A write whose answer was lost is recognised as one's own by the nonce that it
// left in the item, so the writes that carry a condition may be sent again.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"callagent/core/agent"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// item is a DynamoDB item, or the key of one.
type item = map[string]types.AttributeValue

// text is a string as an attribute.
func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// number is an integer as an attribute.
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// textOf reads a string; "" when the attribute is not there.
func textOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// numberOf reads an integer; 0 when the attribute is not there.
func numberOf(v types.AttributeValue) int64 {
	if n, ok := v.(*types.AttributeValueMemberN); ok {
		i, _ := strconv.ParseInt(n.Value, 10, 64)
		return i
	}
	return 0
}

// failed is the error of a request in one sentence, without the request's
// content. context.Canceled and DeadlineExceeded stay visible to errors.Is, and
// what a person has to mend is an *agent.SetupError.
func failed(doing string, err error) error {
	var api smithy.APIError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("dynamodb: %s: %w", doing, err)
	case errors.As(err, &api) && api.ErrorCode() == "ResourceNotFoundException":
		return &agent.SetupError{Remedy: "A table does not exist in this account and region: check CALLS_TABLE, CIRCUITS_TABLE and AWS_REGION, or deploy the stack.", Cause: err}
	case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
		return &agent.SetupError{Remedy: "A right is missing on a table: " + api.ErrorMessage(), Cause: err}
	case errors.As(err, &api):
		return fmt.Errorf("dynamodb: %s: %s: %s", doing, api.ErrorCode(), api.ErrorMessage())
	}
	return fmt.Errorf("dynamodb: %s: %w", doing, err)
}

// oldItem reports whether a single-item write was refused by its condition, and
// the item that stands there. The item is nil when there is none, and from
// servers that return none: then it has to be read.
func oldItem(err error) (old item, refused bool) {
	var check *types.ConditionalCheckFailedException
	if !errors.As(err, &check) {
		return nil, false
	}
	return check.Item, true
}
