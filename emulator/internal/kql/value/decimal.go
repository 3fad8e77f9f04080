package value

import (
	"math/big"
	"strconv"
	"strings"
)

// decimalDigits is how many significant digits a decimal holds.
const decimalDigits = 34

// maxDecimalExponent bounds what is expanded to plain notation.
const maxDecimalExponent = 64

// normalDecimal is text in plain notation, without plus sign and leading
// zeros; the zeros at the end of the fraction are kept.
func normalDecimal(text string) (string, bool) {
	unscaled, scale, ok := splitDecimal(strings.TrimSpace(text))
	if !ok {
		return "", false
	}
	return formatDecimal(unscaled, scale), true
}

// splitDecimal reads text as unscaled / 10^scale, with scale >= 0.
func splitDecimal(text string) (unscaled *big.Int, scale int, ok bool) {
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil || e > maxDecimalExponent || e < -maxDecimalExponent {
			return nil, 0, false
		}
		mantissa, exponent = text[:i], e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole, "+-")
	if len(whole)-len(digits) > 1 || len(digits)+len(fraction) == 0 || len(digits)+len(fraction) > 2*maxDecimalExponent {
		return nil, 0, false
	}
	for _, c := range []byte(digits + fraction) {
		if c < '0' || c > '9' {
			return nil, 0, false
		}
	}
	unscaled, ok = new(big.Int).SetString(digits+fraction, 10)
	if !ok {
		return nil, 0, false
	}
	scale = len(fraction) - exponent
	if scale < 0 {
		unscaled.Mul(unscaled, pow10(-scale))
		scale = 0
	}
	if strings.HasPrefix(whole, "-") {
		unscaled.Neg(unscaled)
	}
	if significant(unscaled) > decimalDigits {
		return nil, 0, false
	}
	return unscaled, scale, true
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// significant counts the digits of n without the zeros at its end.
func significant(n *big.Int) int {
	return len(strings.TrimRight(new(big.Int).Abs(n).String(), "0"))
}

func formatDecimal(unscaled *big.Int, scale int) string {
	digits := new(big.Int).Abs(unscaled).String()
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

func decimalToReal(text string) float64 {
	f, _ := strconv.ParseFloat(text, 64)
	return f
}

// rat is the exact content of a number that is no NaN or infinity.
func (v Value) rat() (*big.Rat, bool) {
	switch v.scalarKind() {
	case Int, Long:
		return new(big.Rat).SetInt64(v.n), true
	case Real:
		r := new(big.Rat).SetFloat64(v.Real())
		return r, r != nil
	case Decimal:
		unscaled, scale, ok := splitDecimal(v.s)
		if !ok {
			return nil, false
		}
		return new(big.Rat).SetFrac(unscaled, pow10(scale)), true
	}
	return nil, false
}

// ToDecimal is a number as a Decimal: a real by its shortest text. It is null
// for null, NaN, the infinities, and what has too many digits.
func (v Value) ToDecimal() Value {
	if v.nature().null {
		return Null(Decimal)
	}
	text := v.s
	switch v.scalarKind() {
	case Decimal:
		return Value{of: &natures[Decimal][0][plain], s: v.s}
	case Int, Long:
		text = strconv.FormatInt(v.n, 10)
	case Real:
		text = strconv.FormatFloat(v.Real(), 'e', -1, 64)
	}
	d, err := NewDecimal(text)
	if err != nil {
		return Null(Decimal)
	}
	return d
}

// DecimalArithmetic computes a op b for the operators + - * / % over numbers
// as decimals, rounded to 34 significant digits. It is null when an operand
// is, and for a division by zero. The remainder is not negative.
func DecimalArithmetic(op byte, a, b Value) Value {
	x, okX := a.ToDecimal().rat()
	y, okY := b.ToDecimal().rat()
	if a.nature().null || b.nature().null || !okX || !okY {
		return Null(Decimal)
	}
	z := new(big.Rat)
	switch op {
	case '+':
		z.Add(x, y)
	case '-':
		z.Sub(x, y)
	case '*':
		z.Mul(x, y)
	case '/', '%':
		if y.Sign() == 0 {
			return Null(Decimal)
		}
		z.Quo(x, y)
		if op == '%' {
			y.Abs(y)
			q := new(big.Int)
			z.Quo(x, y)
			q.Div(z.Num(), z.Denom()) // Euclidean: rounds down for a positive divisor
			z.Sub(x, y.Mul(y, new(big.Rat).SetInt(q)))
		}
	}
	return decimalFromRat(z)
}

func decimalFromRat(z *big.Rat) Value {
	magnitude := len(new(big.Int).Quo(z.Num(), z.Denom()).String())
	text := z.FloatString(max(0, decimalDigits-magnitude))
	if strings.IndexByte(text, '.') >= 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	d, err := NewDecimal(text)
	if err != nil {
		return Null(Decimal)
	}
	return d
}
