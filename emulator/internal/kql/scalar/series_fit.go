package scalar

import (
	"math"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var lineColumns = []Result{
	{Kind: value.Real, Suffix: "_rsquare"},
	{Kind: value.Real, Suffix: "_slope"},
	{Kind: value.Real, Suffix: "_variance"},
	{Kind: value.Real, Suffix: "_rvariance"},
	{Kind: value.Real, Suffix: "_interception"},
	{Kind: value.Dynamic, Suffix: "_line_fit"},
}

// twoLineColumns: what counts as the split, and which segment it belongs to, is
// not published exactly enough; a query that reads those columns is refused.
var twoLineColumns = []Result{
	{Kind: value.Real, Suffix: "_rsquare"},
	{Kind: value.Long, Suffix: "_split_idx", Refused: true},
	{Kind: value.Real, Suffix: "_variance"},
	{Kind: value.Real, Suffix: "_rvariance"},
	{Kind: value.Dynamic, Suffix: "_line_fit"},
	{Kind: value.Real, Suffix: "_right_rsquare", Refused: true},
	{Kind: value.Real, Suffix: "_right_slope", Refused: true},
	{Kind: value.Real, Suffix: "_right_interception", Refused: true},
	{Kind: value.Real, Suffix: "_right_variance", Refused: true},
	{Kind: value.Real, Suffix: "_right_rvariance", Refused: true},
	{Kind: value.Real, Suffix: "_left_rsquare", Refused: true},
	{Kind: value.Real, Suffix: "_left_slope", Refused: true},
	{Kind: value.Real, Suffix: "_left_interception", Refused: true},
	{Kind: value.Real, Suffix: "_left_variance", Refused: true},
	{Kind: value.Real, Suffix: "_left_rvariance", Refused: true},
}

// line is a least-squares fit over 0, 1, 2, ...
type line struct {
	slope, interception float64
	squares             float64 // of the differences from the mean
	residue             float64 // of the differences from the line
	fit                 []float64
}

func fitLine(y []float64) line {
	n := float64(len(y))
	mx, my := (n-1)/2, mean(y)
	var xy, xx float64
	l := line{fit: make([]float64, len(y))}
	for i, v := range y {
		dx := float64(i) - mx
		xy += dx * (v - my)
		xx += dx * dx
		l.squares += (v - my) * (v - my)
	}
	if xx > 0 {
		l.slope = xy / xx
	}
	l.interception = my - l.slope*mx
	for i, v := range y {
		l.fit[i] = l.interception + l.slope*float64(i)
		l.residue += (v - l.fit[i]) * (v - l.fit[i])
	}
	return l
}

// values are those of lineColumns.
func (l line) values() []value.Value {
	free := float64(len(l.fit) - 1)
	fit := make([]value.Value, len(l.fit))
	for i, v := range l.fit {
		fit[i] = value.NewReal(v)
	}
	rsquare := 1.0
	if l.squares > 0 {
		rsquare = 1 - l.residue/l.squares
	}
	return []value.Value{
		value.NewReal(rsquare), value.NewReal(l.slope), value.NewReal(l.squares / free),
		value.NewReal(l.residue / free), value.NewReal(l.interception), value.NewArray(fit),
	}
}

// sums are running sums for the fit of a line in constant time.
type sums struct{ n, x, y, xx, xy, yy float64 }

func (s *sums) add(x, y float64) {
	s.n++
	s.x += x
	s.y += y
	s.xx += x * x
	s.xy += x * y
	s.yy += y * y
}

// residue is the sum of the squares of the differences from the best line.
func (s sums) residue() float64 {
	xx, xy, yy := s.xx-s.x*s.x/s.n, s.xy-s.x*s.y/s.n, s.yy-s.y*s.y/s.n
	if xx <= 0 {
		return 0
	}
	return math.Max(0, yy-xy*xy/xx)
}

// fitTwoLines is the best fit of a line to the start and another to the rest,
// each of two elements at least.
func fitTwoLines(y []float64) line {
	left := make([]float64, len(y)+1) // residue of the first i elements
	right := make([]float64, len(y)+1)
	var l, r sums
	for i := range y {
		l.add(float64(i), y[i])
		left[i+1] = l.residue()
		j := len(y) - 1 - i
		r.add(float64(j), y[j])
		right[j] = r.residue()
	}
	best := 2
	for at := 3; at <= len(y)-2; at++ {
		if left[at]+right[at] < left[best]+right[best] {
			best = at
		}
	}
	a, b, all := fitLine(y[:best]), fitLine(y[best:]), fitLine(y)
	return line{squares: all.squares, residue: a.residue + b.residue, fit: append(a.fit, b.fit...)}
}

// fillLinear is series_fill_linear(series): what is missing is interpolated, at
// the ends it is the nearest value, and in an array of nothing it is zero.
func fillLinear(a []value.Value) (value.Value, error) {
	s, ok := seriesOf(a[0])
	if !ok || s.repeated {
		return nullAny, nil
	}
	result := make([]value.Value, len(s.elements))
	last := -1
	for i, e := range s.elements {
		result[i] = value.NewReal(0)
		if e.IsNull() {
			continue
		}
		for at := last + 1; at < i; at++ {
			if result[at] = e; last >= 0 {
				from, to := s.elements[last].Real(), e.Real()
				between := from + (to-from)*float64(at-last)/float64(i-last)
				if result[at] = value.NewReal(between); s.whole {
					if between != math.Trunc(between) { // how it is rounded is not published
						return value.Value{}, notNumbers("series_fill_linear")
					}
					result[at] = value.NewLong(int64(between))
				}
			}
		}
		result[i], last = e, i
	}
	for at := last + 1; last >= 0 && at < len(result); at++ {
		result[at] = s.elements[last]
	}
	return value.NewArray(result), nil
}
