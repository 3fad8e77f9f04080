package engine

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Request properties come as decoded JSON, or as text from a set statement.

func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v == "" || equalFold(v, "true") || v == "1"
	}
	return number(v, 0) != 0
}

func number(v any, otherwise int64) int64 {
	switch v := v.(type) {
	case float64:
		if v >= 0 && v <= math.MaxInt64/2 {
			return int64(v)
		}
	case int:
		return int64(v)
	case int64:
		return v
	case json.Number:
		return number(v.String(), otherwise)
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return n
		}
	}
	return otherwise
}

// times is n units, or the longest duration if that is shorter.
func times(n int64, unit time.Duration) time.Duration {
	return time.Duration(min(n, int64(math.MaxInt64/unit))) * unit
}

// span is a duration: hh:mm:ss, d.hh:mm:ss or 10m as text, or seconds as a number.
func span(v any, otherwise time.Duration) time.Duration {
	if s, ok := v.(string); ok {
		if t, ok := value.ParseTimeSpan(s); ok && t.Ticks() > 0 {
			return times(t.Ticks(), 100*time.Nanosecond)
		}
		return otherwise
	}
	if n := number(v, 0); n > 0 {
		return times(n, time.Second)
	}
	return otherwise
}

// setStatements are the set statements at the beginning of a query:
// set name; and set name = value;
func setStatements(text string) map[string]any {
	var set map[string]any
	for {
		text = strings.TrimSpace(text)
		if line, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(line, "//") {
			text = rest
			continue
		}
		if len(text) < 4 || !equalFold(text[:3], "set") || !strings.ContainsRune(" \t\r\n", rune(text[3])) {
			return set
		}
		statement, rest, _ := strings.Cut(text[4:], ";")
		name, v, given := strings.Cut(statement, "=")
		if set == nil {
			set = map[string]any{}
		}
		v = strings.Trim(strings.TrimSpace(v), `"'`)
		if inner, ok := strings.CutPrefix(v, "time("); ok {
			v = strings.TrimSuffix(inner, ")")
		}
		if !given {
			v = "true"
		}
		set[strings.ToLower(strings.TrimSpace(name))] = v
		text = rest
	}
}
