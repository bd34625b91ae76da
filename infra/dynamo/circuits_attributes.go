package dynamo

import (
	"bytes"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// attributes is a struct as an item: what its JSON holds, under the same names.
func attributes(v any) (item, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return nil, err
	}
	return itemOf(fields), nil
}

func itemOf(fields map[string]any) item {
	i := item{}
	for name, f := range fields {
		switch f := f.(type) {
		case string:
			i[name] = text(f)
		case json.Number:
			i[name] = &types.AttributeValueMemberN{Value: f.String()}
		case bool:
			i[name] = &types.AttributeValueMemberBOOL{Value: f}
		case map[string]any:
			i[name] = &types.AttributeValueMemberM{Value: itemOf(f)}
		}
	}
	return i
}

// fieldsOf is what itemOf made an item of.
func fieldsOf(i item) map[string]any {
	fields := map[string]any{}
	for name, v := range i {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			fields[name] = v.Value
		case *types.AttributeValueMemberN:
			fields[name] = json.Number(v.Value)
		case *types.AttributeValueMemberBOOL:
			fields[name] = v.Value
		case *types.AttributeValueMemberM:
			fields[name] = fieldsOf(v.Value)
		}
	}
	return fields
}

// sizeOf is the size of an item in bytes, as DynamoDB counts it.
func sizeOf(i item) int {
	n := 0
	for name, v := range i {
		n += len(name) + valueSize(v)
	}
	return n
}

func valueSize(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)/2 + 2 // two digits a byte, a byte more, and one for a sign
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + sizeOf(v.Value)
	}
	return 1
}
