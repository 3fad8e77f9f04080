package formats

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// transform changes a value on its way into a column
// (https://learn.microsoft.com/kusto/management/mappings#mapping-transformations).
type transform uint8

const (
	none transform = iota
	bagArrayToDictionary
	sourceLocation
	sourceLineNumber
	unixSeconds
	unixMilliseconds
	unixMicroseconds
	unixNanoseconds
	dropMappedFields
	bytesAsBase64
)

var transformNames = map[string]transform{
	"none":                         none,
	"propertybagarraytodictionary": bagArrayToDictionary,
	"sourcelocation":               sourceLocation,
	"sourcelinenumber":             sourceLineNumber,
	"datetimefromunixseconds":      unixSeconds,
	"datetimefromunixmilliseconds": unixMilliseconds,
	"datetimefromunixmicroseconds": unixMicroseconds,
	"datetimefromunixnanoseconds":  unixNanoseconds,
	"dropmappedfields":             dropMappedFields,
	"bytesasbase64":                bytesAsBase64,
}

func transformOf(name string) (transform, bool) {
	t, ok := transformNames[strings.ToLower(name)]
	return t, ok
}

// standsAlone says whether t needs nothing of the record.
func (t transform) standsAlone() bool { return t == sourceLocation || t == sourceLineNumber }

// apply transforms the value at a path. n is where the path led, for
// dropMappedFields. False is a misfit.
func (t transform) apply(v value.Value, n *node) (value.Value, bool) {
	switch t {
	case bagArrayToDictionary:
		return mergeBags(v)
	case dropMappedFields:
		return n.without(v), true
	case bytesAsBase64:
		return toBase64(v)
	case unixSeconds:
		return fromUnix(v, value.TicksPerSecond, 1)
	case unixMilliseconds:
		return fromUnix(v, value.TicksPerMillisecond, 1)
	case unixMicroseconds:
		return fromUnix(v, value.TicksPerMicrosecond, 1)
	case unixNanoseconds:
		return fromUnix(v, 1, 100)
	}
	return v, true
}

// mergeBags makes one bag of an array of bags.
func mergeBags(v value.Value) (value.Value, bool) {
	elements, ok := v.Array()
	if !ok {
		return value.Value{}, false
	}
	slots := []value.Property{}
	for _, e := range elements {
		inner, ok := e.Bag()
		if !ok {
			return value.Value{}, false
		}
		slots = append(slots, inner...)
	}
	return value.NewBag(slots), true
}

// toBase64 takes a string, or an array of numbers from 0 to 255.
func toBase64(v value.Value) (value.Value, bool) {
	if s, ok := v.Scalar(); ok && s.Kind() == value.String {
		return value.NewDynamic(value.NewString(base64.StdEncoding.EncodeToString([]byte(s.Text())))), true
	}
	elements, ok := v.Array()
	if !ok {
		return value.Value{}, false
	}
	bytes := make([]byte, 0, len(elements))
	for _, e := range elements {
		s, ok := e.Scalar()
		if !ok || s.Kind() != value.Long || s.Int64() < 0 || s.Int64() > math.MaxUint8 {
			return value.Value{}, false
		}
		bytes = append(bytes, byte(s.Int64()))
	}
	return value.NewDynamic(value.NewString(base64.StdEncoding.EncodeToString(bytes))), true
}

// fromUnix counts units since 1970, each of ticks/per ticks.
func fromUnix(v value.Value, ticks, per int64) (value.Value, bool) {
	s, ok := v.Scalar()
	if !ok {
		return value.Value{}, false
	}
	var sum float64
	switch s.Kind() {
	case value.Long:
		return unixTicks(s.Int64(), ticks, per)
	case value.Real:
		sum = s.Real()
	case value.String:
		if n, err := strconv.ParseInt(strings.TrimSpace(s.Text()), 10, 64); err == nil {
			return unixTicks(n, ticks, per)
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(s.Text()), 64)
		if err != nil {
			return value.Value{}, false
		}
		sum = f
	default:
		return value.Value{}, false
	}
	sum = math.Round(sum * float64(ticks) / float64(per))
	if !(math.Abs(sum) < float64(value.MaxDateTimeTicks)) {
		return value.Value{}, false
	}
	return unixTicks(int64(sum), 1, 1)
}

func unixTicks(n, ticks, per int64) (value.Value, bool) {
	if n > value.MaxDateTimeTicks/ticks || n < -value.MaxDateTimeTicks/ticks {
		return value.Value{}, false
	}
	d := value.DateTimeFromTicks(value.UnixEpochTicks + n*ticks/per)
	return value.NewDynamic(d), !d.IsNull()
}
