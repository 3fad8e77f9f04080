package scalar

import (
	"fmt"
	"time"
	_ "time/tzdata" // the time zones, also where the machine has none

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// timeZones convert between UTC and the clocks of a place
// (https://learn.microsoft.com/kusto/query/datetime-utc-to-local-function).
var timeZones = []Function{
	zoned("datetime_utc_to_local", func(t time.Time, zone *time.Location) (time.Time, error) {
		_, offset := t.In(zone).Zone()
		return t.Add(time.Duration(offset) * time.Second), nil
	}),
	zoned("datetime_local_to_utc", toUTC),
}

func zoned(name string, f func(t time.Time, zone *time.Location) (time.Time, error)) Function {
	return custom(name, 2, 2, func(c call) (Bound, error) {
		if err := (params{isDateTime, isString}).check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: value.DateTime, Cost: 30, Eval: func(a []value.Value) (value.Value, error) {
			if a[0].IsNull() {
				return nullTime, nil
			}
			zone, err := time.LoadLocation(a[1].Text())
			if err != nil || a[1].Text() == "" || a[1].Text() == "Local" {
				return value.Value{}, fmt.Errorf("%s(): the time zone '%s' is not known", name, a[1].Text())
			}
			t, err := f(a[0].Time(), zone)
			return value.NewDateTime(t), err
		}}, nil
	})
}

// toUTC is the time at which the clocks of a zone show t. Of what they leave out
// it is the earlier one, as the service has it; what they show twice is refused.
func toUTC(t time.Time, zone *time.Location) (time.Time, error) {
	var found []time.Time
	least := time.Time{}
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := t.Add(near).In(zone).Zone()
		at := t.Add(-time.Duration(offset) * time.Second)
		if least.IsZero() || at.Before(least) {
			least = at
		}
		if _, is := at.In(zone).Zone(); is == offset && (len(found) == 0 || !found[0].Equal(at)) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 0:
		return least, nil
	case 1:
		return found[0], nil
	}
	return time.Time{}, fmt.Errorf("datetime_local_to_utc(): %s is shown twice in %s, which is not supported here", t.Format(time.DateTime), zone)
}
