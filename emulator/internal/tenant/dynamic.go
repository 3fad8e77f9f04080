package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// Dynamics that look alike on some wires and are not the same.
var (
	emptyArray = value.DynamicJSON(`[]`)
	emptyBag   = value.DynamicJSON(`{}`)
)

// textArray is a dynamic array of strings.
func textArray(list []string) value.Value {
	array := make([]value.Value, len(list))
	for i, s := range list {
		array[i] = value.NewString(s)
	}
	return value.NewArray(array)
}

// bag is a property bag of names and values in turn.
func bag(slots ...any) value.Value {
	properties := make([]value.Property, 0, len(slots)/2)
	for i := 0; i+1 < len(slots); i += 2 {
		name, _ := slots[i].(string)
		properties = append(properties, value.Property{Name: name, Value: dynamic(slots[i+1])})
	}
	return value.NewBag(properties)
}

// dynamic is a Go value as a dynamic; what has no form there is null.
func dynamic(v any) value.Value {
	switch v := v.(type) {
	case value.Value:
		return v
	case string:
		return value.NewString(v)
	case int:
		return value.NewLong(int64(v))
	case int64:
		return value.NewLong(v)
	case float64:
		return value.NewReal(v)
	case bool:
		return value.NewBool(v)
	case []string:
		return textArray(v)
	default:
		return value.Null(value.Dynamic)
	}
}

// beyondDouble is the first whole number that a float64 cannot hold.
const beyondDouble = 1<<53 + 1

// dateText is ticks as text, as dynamics and some string columns hold dates.
func dateText(ticks int64) string { return string(value.AppendDateTime(nil, ticks)) }
