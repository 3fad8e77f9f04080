package value

// isoReader walks over ISO 8601 text.
type isoReader struct {
	s string
	i int
}

// digits reads between least and most digits.
func (r *isoReader) digits(least, most int) (n, count int, ok bool) {
	for r.i < len(r.s) && count < most {
		c := r.s[r.i] - '0'
		if c > 9 {
			break
		}
		n = n*10 + int(c)
		r.i++
		count++
	}
	return n, count, count >= least
}

// take consumes c if it is next.
func (r *isoReader) take(c byte) bool {
	if r.i < len(r.s) && r.s[r.i] == c {
		r.i++
		return true
	}
	return false
}

func (r *isoReader) end() bool { return r.i == len(r.s) }

// parseISO reads `yyyy-MM-dd`, optionally followed by `T` or blanks, `HH:mm`,
// `:ss`, a fraction, and `Z`, `GMT`, `UTC` or an offset. With full set it reads
// only what is unmistakably a date-time: `yyyy-MM-ddTHH:mm:ss` with a fraction
// of at most seven digits.
func parseISO(s string, full bool) (Value, bool) {
	r := isoReader{s: s}
	year, _, ok := r.digits(4, 4)
	if !ok || !r.take('-') {
		return Value{}, false
	}
	least := 1
	if full {
		least = 2
	}
	month, _, ok := r.digits(least, 2)
	if !ok {
		return Value{}, false
	}
	if !full && r.end() {
		v := DateTimeOf(year, month, 1, 0)
		return v, !v.nature().null
	}
	if !r.take('-') {
		return Value{}, false
	}
	day, _, ok := r.digits(least, 2)
	if !ok {
		return Value{}, false
	}
	v := DateTimeOf(year, month, day, 0)
	if v.nature().null {
		return Value{}, false
	}
	if r.end() {
		return v, !full
	}
	if !r.take('T') {
		if full {
			return Value{}, false
		}
		if !r.take('t') && !r.take(' ') {
			return v, r.zone(&v) && r.end()
		}
		for r.take(' ') {
		}
	}
	ticks, ok := r.clock(full)
	if !ok {
		return Value{}, false
	}
	v.n += ticks
	if !r.zone(&v) || !r.end() {
		return Value{}, false
	}
	return v, true
}

// clock reads the time of day in ticks.
func (r *isoReader) clock(full bool) (int64, bool) {
	least := 1
	if full {
		least = 2
	}
	hour, _, ok := r.digits(least, 2)
	if !ok || hour > 23 || !r.take(':') {
		return 0, false
	}
	minute, _, ok := r.digits(least, 2)
	if !ok || minute > 59 {
		return 0, false
	}
	ticks := int64(hour)*TicksPerHour + int64(minute)*TicksPerMinute
	if !r.take(':') {
		return ticks, !full
	}
	second, _, ok := r.digits(least, 2)
	if !ok || second > 59 {
		return 0, false
	}
	ticks += int64(second) * TicksPerSecond
	if !r.take('.') {
		return ticks, true
	}
	fraction, count, ok := r.digits(1, 7)
	if !ok {
		return 0, false
	}
	for ; count < 7; count++ {
		fraction *= 10
	}
	for r.i < len(r.s) && r.s[r.i]-'0' <= 9 {
		if full {
			return 0, false
		}
		r.i++
	}
	return ticks + int64(fraction), true
}

// zone reads an offset, if there is one, and brings v to UTC. It is false for
// a malformed offset and for a time that the offset moves out of range.
func (r *isoReader) zone(v *Value) bool {
	for r.take(' ') {
	}
	rest := r.s[r.i:]
	switch {
	case rest == "":
		return true
	case rest == "Z", rest == "z", rest == "GMT", rest == "UTC":
		r.i = len(r.s)
		return true
	}
	sign := int64(-1)
	if !r.take('+') {
		if !r.take('-') {
			return false
		}
		sign = 1
	}
	hours, _, ok := r.digits(2, 2)
	if !ok || hours > 14 {
		return false
	}
	minutes := 0
	if r.take(':') || !r.end() {
		if minutes, _, ok = r.digits(2, 2); !ok || minutes > 59 {
			return false
		}
	}
	moved := DateTimeFromTicks(v.n + sign*(int64(hours)*TicksPerHour+int64(minutes)*TicksPerMinute))
	*v = moved
	return !moved.nature().null
}
