package scalar

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// formats print datetimes, timespans and numbers.
var formats = []Function{
	formatter("format_datetime", isDateTime, dateSpecifiers),
	formatter("format_timespan", isTimeSpan, spanSpecifiers),
	fn("format_bytes", value.String, params{isNumber, isInteger, isString}, formatBytes).arity(1, 3),
}

// specifier prints one format element of a given width, such as MM.
type specifier func(v value.Value, width int) string

// formatter makes a function whose format consists of runs of letters and the
// documented delimiters. A format that is constant is checked when bound.
func formatter(name string, of class, specifiers map[byte]specifier) Function {
	return custom(name, 2, 2, func(c call) (Bound, error) {
		if err := (params{of, isString}).check(c); err != nil {
			return Bound{}, err
		}
		if format, ok := c.known(1); ok {
			if err := checkFormat(name, format.Text(), specifiers); err != nil {
				return Bound{}, err
			}
		}
		return Bound{Kind: value.String, Cost: 30, Eval: func(a []value.Value) (value.Value, error) {
			if a[0].IsNull() {
				return noText, nil
			}
			if err := checkFormat(name, a[1].Text(), specifiers); err != nil {
				return value.Value{}, err
			}
			return value.NewString(applyFormat(a[0], a[1].Text(), specifiers)), nil
		}}, nil
	})
}

const formatDelimiters = " /-:,._[]"

// runEnd is the end of the run of equal bytes at i.
func runEnd(s string, i int) int {
	j := i
	for j < len(s) && s[j] == s[i] {
		j++
	}
	return j
}

func checkFormat(name, format string, specifiers map[byte]specifier) error {
	for i := 0; i < len(format); i = runEnd(format, i) {
		if _, ok := specifiers[format[i]]; !ok && strings.IndexByte(formatDelimiters, format[i]) < 0 {
			return refusef("%s(): argument #2 has an unsupported format element '%c' in '%s'", name, format[i], format)
		}
	}
	return nil
}

func applyFormat(v value.Value, format string, specifiers map[byte]specifier) string {
	var b strings.Builder
	for i := 0; i < len(format); {
		j := runEnd(format, i)
		if f, ok := specifiers[format[i]]; ok {
			b.WriteString(f(v, j-i))
		} else {
			b.WriteString(format[i:j])
		}
		i = j
	}
	return b.String()
}

// padded prints n with at least width digits, but not more than most zeros.
func padded(n, width, most int) string {
	return fmt.Sprintf("%0*d", min(width, most), n)
}

// fraction prints width digits of the fraction of a second; optional cuts the
// zeros at its end.
func fraction(ticks int64, width int, optional bool) string {
	text := fmt.Sprintf("%07d", abs64(ticks)%value.TicksPerSecond)[:min(width, 7)]
	if optional {
		text = strings.TrimRight(text, "0")
	}
	return text
}

func abs64(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

var dateSpecifiers = map[byte]specifier{
	'd': func(v value.Value, w int) string { return padded(v.Time().Day(), w, 2) },
	'M': func(v value.Value, w int) string { return padded(month(v.Time()), w, 2) },
	'y': func(v value.Value, w int) string {
		if w <= 2 {
			return padded(v.Time().Year()%100, w, 2)
		}
		return padded(v.Time().Year(), w, w)
	},
	'H': func(v value.Value, w int) string { return padded(v.Time().Hour(), w, 2) },
	'h': func(v value.Value, w int) string { return padded((v.Time().Hour()+11)%12+1, w, 2) },
	'm': func(v value.Value, w int) string { return padded(v.Time().Minute(), w, 2) },
	's': func(v value.Value, w int) string { return padded(v.Time().Second(), w, 2) },
	'f': func(v value.Value, w int) string { return fraction(v.Ticks(), w, false) },
	'F': func(v value.Value, w int) string { return fraction(v.Ticks(), w, true) },
	't': func(v value.Value, w int) string {
		if v.Time().Hour() < 12 {
			return "AM"[:min(w, 2)]
		}
		return "PM"[:min(w, 2)]
	},
}

var spanSpecifiers = map[byte]specifier{
	'd': spanPart(value.TicksPerDay, 1<<30, 8),
	'H': spanPart(value.TicksPerHour, 24, 2),
	'h': spanPart(value.TicksPerHour, 24, 2),
	'm': spanPart(value.TicksPerMinute, 60, 2),
	's': spanPart(value.TicksPerSecond, 60, 2),
	'f': func(v value.Value, w int) string { return fraction(v.Ticks(), w, false) },
	'F': func(v value.Value, w int) string { return fraction(v.Ticks(), w, true) },
}

func spanPart(unit, cycle int64, most int) specifier {
	return func(v value.Value, w int) string { return padded(int(abs64(v.Ticks()/unit)%cycle), w, most) }
}

var byteUnits = []string{"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"}

// formatBytes is format_bytes(value [, precision [, units]]).
func formatBytes(a []value.Value) value.Value {
	f, precision, unit := a[0].Real(), int64(0), 0
	if len(a) > 1 {
		precision = min(max(a[1].Int64(), 0), 15)
	}
	if len(a) > 2 {
		for unit < len(byteUnits) && !strings.EqualFold(byteUnits[unit], a[2].Text()) {
			unit++
		}
		if unit == len(byteUnits) {
			return noText
		}
		for range unit {
			f /= 1024
		}
	} else {
		for (f >= 1024 || f <= -1024) && unit < len(byteUnits)-1 {
			f /= 1024
			unit++
		}
	}
	text := strconv.FormatFloat(rounded(f, precision), 'f', -1, 64)
	return value.NewString(text + " " + byteUnits[unit])
}
