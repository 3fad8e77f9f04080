package engine

import "github.com/tvmexport/tvmexport"

// Fill is how much of each limit a slice is planned to use. The rest absorbs
// what a living table gains between the count and the call, and rows that are
// larger than the average.
const (
	rowFill  = 0.96
	byteFill = 0.92
)

// rowsPerCall is how many rows of rowBytes JSON bytes each one call can carry.
func rowsPerCall(l tvmexport.Limits, rowBytes float64) int64 {
	rows := float64(l.Rows) * rowFill
	if rowBytes > 0 {
		rows = min(rows, float64(l.Bytes)*byteFill/rowBytes)
	}
	return max(int64(rows), 1)
}
