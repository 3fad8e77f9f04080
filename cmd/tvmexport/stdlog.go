package main

import (
	"bytes"
	"io"
)

// unquoted writes the lines of the standard library's own log without what they
// quote of answers: net/http logs the beginning of what comes on a connection
// behind the end of an answer, which may be rows.
type unquoted struct{ to io.Writer }

// Write implements io.Writer. A line comes in one call.
func (u unquoted) Write(line []byte) (int, error) {
	if kept, _, found := bytes.Cut(line, []byte(" starting with ")); found {
		if _, err := u.to.Write(append(bytes.Clone(kept), '\n')); err != nil {
			return 0, err
		}
		return len(line), nil
	}
	return u.to.Write(line)
}
