package tvmexport

// Limits is what one answer of the source may hold.
type Limits struct {
	Rows  int64 // rows, beyond which an answer is cut silently
	Bytes int64 // of JSON, beyond which a call is refused
}

// DocumentedLimits are those of Advanced Hunting: 100,000 rows and 50 MB
// (https://learn.microsoft.com/graph/api/resources/security-api-overview).
var DocumentedLimits = Limits{Rows: 100_000, Bytes: 50_000_000}

// DefaultRowBytes is the guess for a row of a table that nothing is known of.
const DefaultRowBytes = 600

// Fill is how much of each limit a slice is planned to use. The rest absorbs
// what a living table gains between the count and the call, and rows that are
// larger than the average.
const (
	rowFill  = 0.96
	byteFill = 0.92
)

// rowsPerCall is how many rows of rowBytes JSON bytes each one call can carry.
func rowsPerCall(l Limits, rowBytes float64) int64 {
	rows := float64(l.Rows) * rowFill
	if rowBytes > 0 {
		rows = min(rows, float64(l.Bytes)*byteFill/rowBytes)
	}
	return max(int64(rows), 1)
}
