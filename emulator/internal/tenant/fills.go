package tenant

import (
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// The columns of event tables are filled by the functions that these make. A
// salt keeps columns that are filled alike apart; where two columns share one,
// they go together.

// text is a fill function of a string column.
func text(get func(*happened) string) func(*happened) value.Value {
	return func(r *happened) value.Value { return value.NewString(get(r)) }
}

// nothing is the fill function of a string column that is always empty.
func nothing(*happened) value.Value { return value.NewString("") }

// choice is a fill function of a string column that has one of list, chosen
// by the event; salt keeps columns apart.
func choice(salt int, list ...string) func(*happened) value.Value {
	values := make([]value.Value, len(list))
	for i, s := range list {
		values[i] = value.NewString(s)
	}
	return func(r *happened) value.Value { return pick(r.dice.at(ofText, salt, 1), values) }
}

// counter is a fill function of a long column below limit; one time in
// fifty it is null.
func counter(salt, limit int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		d := r.dice.at(ofText, salt, 2)
		if d.permille(20) {
			return value.Null(value.Long)
		}
		return value.NewLong(int64(d.at(ofText, 0, 0).n(limit)))
	}
}

// earlier is a fill function of a datetime column: a moment before the event.
func earlier(salt int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		d := r.dice.at(ofTime, salt, 3)
		if d.permille(30) {
			return value.Null(value.DateTime)
		}
		return value.DateTimeFromTicks(roundTime(d, r.ticks-int64(d.n(int(10*value.TicksPerHour)))))
	}
}

// flag is a fill function of a bool column that is seldom true, and null at
// times.
func flag(salt int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		switch n := r.dice.at(ofText, salt, 4).n(50); {
		case n == 0:
			return value.Null(value.Bool)
		default:
			return value.NewBool(n < 4)
		}
	}
}

// remote is a fill function of a string column about a remote session, which
// hardly any event has.
func remote(salt int, s string) func(*happened) value.Value {
	return func(r *happened) value.Value {
		if r.dice.at(ofText, salt, 5).permille(40) {
			return value.NewString(s)
		}
		return value.NewString("")
	}
}

// unique is a fill function for the ids of processes as text.
func unique(salt int) func(*happened) value.Value {
	return func(r *happened) value.Value {
		return value.NewString(strconv.FormatUint(uint64(r.device.dice.at(ofText, salt, int(r.dice.n(1<<20))))>>8, 10))
	}
}

// extraFields are what AdditionalFields holds: text, and not always JSON.
var extraFields = []value.Value{
	value.NewString(""), value.NewString(""), value.NewString("{}"), value.NewString(`{"InitiatingProcessCommandLine":"a \"b\"","Count":9007199254740993}`),
	value.NewString(`{"Tags":["α","β"],"When":"2024-05-06T07:08:09.1234567Z"}`), value.NewString(`not {json`),
}

// additional is the fill function of AdditionalFields.
func additional(r *happened) value.Value { return pick(r.dice.at(ofText, 6, 6), extraFields) }

// usual is a fill function of a string column that a device keeps: one of
// list.
func usual(salt int, list ...string) func(*happened) value.Value {
	return func(r *happened) value.Value {
		return value.NewString(pick(r.device.dice.at(ofInfoEvents, salt, 1<<22), list))
	}
}
