package config

import (
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// duration reads a duration as Go writes it, with days in front if there are
// any: 7d, 1d12h.
func duration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, err
	}
	if rest == "" {
		return time.Duration(n) * day, nil
	}
	d, err := time.ParseDuration(rest)
	if err == nil && d < 0 {
		err = strconv.ErrSyntax
	}
	return time.Duration(n)*day + d, err
}
