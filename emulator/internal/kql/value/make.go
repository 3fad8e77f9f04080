package value

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// NewBool makes a Bool.
func NewBool(b bool) Value {
	if b {
		return Value{of: &natures[Bool][0][plain], n: 1}
	}
	return Value{of: &natures[Bool][0][plain]}
}

// NewInt makes an Int.
func NewInt(n int32) Value { return Value{of: &natures[Int][0][plain], n: int64(n)} }

// NewLong makes a Long.
func NewLong(n int64) Value { return Value{of: &natures[Long][0][plain], n: n} }

// NewReal makes a Real; NaN and the infinities are values.
func NewReal(f float64) Value {
	return Value{of: &natures[Real][0][plain], n: int64(math.Float64bits(f))}
}

// NewDecimal makes a Decimal of a number in decimal notation with an optional
// exponent, of at most 34 significant digits.
func NewDecimal(text string) (Value, error) {
	s, ok := normalDecimal(text)
	if !ok {
		return Value{}, fmt.Errorf("decimal %q: not a decimal number of up to %d digits", clip(text), decimalDigits)
	}
	return Value{of: &natures[Decimal][0][plain], s: s}, nil
}

// NewDateTime makes a DateTime, cut to ticks of 100 ns. A time outside the
// years 0001 to 9999 is null.
func NewDateTime(t time.Time) Value {
	s := t.Unix()
	if s < -unixEpochSeconds || s > maxSeconds-unixEpochSeconds {
		return Null(DateTime)
	}
	return Value{of: &natures[DateTime][0][plain], n: (s+unixEpochSeconds)*TicksPerSecond + int64(t.Nanosecond())/100}
}

// DateTimeFromTicks makes a DateTime of ticks since 0001-01-01T00:00:00Z.
// Outside the years 0001 to 9999 it is null.
func DateTimeFromTicks(ticks int64) Value {
	if ticks < 0 || ticks > MaxDateTimeTicks {
		return Null(DateTime)
	}
	return Value{of: &natures[DateTime][0][plain], n: ticks}
}

// FromBits makes the value of kind k for which Int64 gives n; k is a kind that Int64
// says all of.
func FromBits(k Kind, n int64) Value { return Value{of: &natures[k][0][plain], n: n} }

// NewTimeSpan makes a TimeSpan of ticks of 100 ns.
func NewTimeSpan(ticks int64) Value { return Value{of: &natures[TimeSpan][0][plain], n: ticks} }

// NewString makes a String. The text should be valid UTF-8.
func NewString(s string) Value { return Value{of: &natures[String][0][plain], s: s} }

// NewGUID makes a GUID of its text: 32 hex digits, with or without dashes in
// 8-4-4-4-12 form, with or without braces.
func NewGUID(text string) (Value, error) {
	s, ok := normalGUID(text)
	if !ok {
		return Value{}, fmt.Errorf("guid %q: want 32 hex digits as 8-4-4-4-12", clip(text))
	}
	return Value{of: &natures[GUID][0][plain], s: s}, nil
}

// NewArray makes a Dynamic array. It takes elements over; scalars in it become
// dynamics.
func NewArray(elements []Value) Value {
	for i, e := range elements {
		if e.nature().kind != Dynamic {
			elements[i] = NewDynamic(e)
		}
	}
	return newComposite(composite{array: elements})
}

// NewBag makes a Dynamic property bag with the slots in the order given; of a
// repeated name the first slot counts. It takes slots over; scalars in it
// become dynamics.
func NewBag(slots []Property) Value {
	for i, p := range slots {
		if p.Value.nature().kind != Dynamic {
			slots[i].Value = NewDynamic(p.Value)
		}
	}
	return newComposite(composite{isBag: true, bag: slots})
}

// NewDynamic makes a Dynamic that holds a scalar; an int becomes a long, a
// null becomes the null of Dynamic, a Dynamic stays itself.
func NewDynamic(scalar Value) Value {
	switch {
	case scalar.nature().kind == Dynamic:
		return scalar
	case scalar.nature().null || scalar.nature().kind == 0:
		return Null(Dynamic)
	}
	inner := scalar.of.kind
	if inner == Int {
		inner = Long
	}
	scalar.of = &natures[Dynamic][inner][plain]
	return scalar
}

// normalGUID is text in lower-case 8-4-4-4-12 form.
func normalGUID(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if n := len(text); n >= 2 && (text[0] == '{' && text[n-1] == '}' || text[0] == '(' && text[n-1] == ')') {
		text = text[1 : n-1]
	}
	dashed := len(text) == 36
	if !dashed && len(text) != 32 {
		return "", false
	}
	same := dashed
	for i := range len(text) {
		c := text[i]
		if dashed && (i == 8 || i == 13 || i == 18 || i == 23) {
			if c != '-' {
				return "", false
			}
			continue
		}
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
		case c >= 'A' && c <= 'F':
			same = false
		default:
			return "", false
		}
	}
	if same {
		return text, true
	}
	text = strings.ToLower(text)
	if dashed {
		return text, true
	}
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:], true
}

// clip shortens text for an error message.
func clip(text string) string {
	const most = 64
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
