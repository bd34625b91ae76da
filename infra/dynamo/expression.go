package dynamo

import (
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// change is what a write does to one item, and on which conditions. Its
// methods add to it; all conditions must hold.
type change struct {
	key          item
	sets, adds   []string
	removes      []string
	conditions   []string
	names        map[string]string
	values       item
	placeholders int
}

// changing begins a change of the item with the key.
func changing(key string) *change {
	return &change{key: item{PartitionKey: text(key)}, names: map[string]string{}, values: item{}}
}

// set gives the attribute a value; nil removes it.
func (c *change) set(attribute string, v types.AttributeValue) {
	if v == nil {
		c.removes = append(c.removes, c.name(attribute))
		return
	}
	c.sets = append(c.sets, c.name(attribute)+" = "+c.value(v))
}

// move gives the attribute what another one holds before the change, or v if
// that holds nothing.
func (c *change) move(attribute, from string, v types.AttributeValue) {
	c.sets = append(c.sets, c.name(attribute)+" = if_not_exists("+c.name(from)+", "+c.value(v)+")")
}

// add puts members into a set.
func (c *change) add(attribute string, members types.AttributeValue) {
	c.adds = append(c.adds, c.name(attribute)+" "+c.value(members))
}

// equals makes the attribute's value a condition; nil: that it is absent.
func (c *change) equals(attribute string, v types.AttributeValue) {
	if v == nil {
		c.conditions = append(c.conditions, c.absence(attribute))
		return
	}
	c.conditions = append(c.conditions, c.equality(attribute, v))
}

// absentOr makes it a condition that the attribute is absent or has the value.
func (c *change) absentOr(attribute string, v types.AttributeValue) {
	c.conditions = append(c.conditions, "("+c.absence(attribute)+" OR "+c.equality(attribute, v)+")")
}

func (c *change) absence(attribute string) string {
	return "attribute_not_exists(" + c.name(attribute) + ")"
}

func (c *change) equality(attribute string, v types.AttributeValue) string {
	return c.name(attribute) + " = " + c.value(v)
}

// name is the placeholder of an attribute, or of a member of a map: a.b.
func (c *change) name(attribute string) string {
	parts := strings.Split(attribute, ".")
	if strings.HasPrefix(attribute, markPrefix) { // campaigns have dots
		parts = []string{attribute}
	}
	for i, part := range parts {
		parts[i] = c.placeholder("#")
		c.names[parts[i]] = part
	}
	return strings.Join(parts, ".")
}

func (c *change) value(v types.AttributeValue) string {
	p := c.placeholder(":")
	c.values[p] = v
	return p
}

func (c *change) placeholder(sign string) string {
	c.placeholders++
	return sign + strconv.Itoa(c.placeholders)
}

// update is the update expression.
func (c *change) update() *string {
	var clauses []string
	for _, clause := range []struct {
		word  string
		parts []string
	}{{"SET ", c.sets}, {"ADD ", c.adds}, {"REMOVE ", c.removes}} {
		if len(clause.parts) > 0 {
			clauses = append(clauses, clause.word+strings.Join(clause.parts, ", "))
		}
	}
	return aws.String(strings.Join(clauses, " "))
}

// condition is the condition expression; nil for none.
func (c *change) condition() *string {
	if len(c.conditions) == 0 {
		return nil
	}
	return aws.String(strings.Join(c.conditions, " AND "))
}

// bound is the values of the expressions; nil for none, as DynamoDB wants it.
func (c *change) bound() item {
	if len(c.values) == 0 {
		return nil
	}
	return c.values
}
