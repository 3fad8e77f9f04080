package tvmexport

import (
	"fmt"
	"strings"
)

// Losses are what the ledger and the published tables show to be gone of the
// committed runs of a table: rows of the ledger, or published rows.
type Losses struct {
	Strange int64 `json:"strange,omitempty"` // published rows of runs that the ledger does not know
	Holes   int64 `json:"holes,omitempty"`   // committed runs that build on a run which the ledger does not know
	Records int64 `json:"records,omitempty"` // committed runs of a Snapshot whose partition records are incomplete
	Rows    int64 `json:"rows,omitempty"`    // published rows that are gone, over all published tables

	Short   []Short `json:"-"` // published tables from which rows are gone
	Copied  bool    `json:"-"` // the watermark in the configuration is one that the exporter wrote there
	Unknown bool    `json:"-"` // it was written there by an invocation that the ledger does not know
}

// Short is a published table that holds fewer rows of committed runs than the
// ledger says.
type Short struct {
	Table    string
	Readers  bool  // it is the table that readers look at
	Recorded int64 // rows of the committed runs that should be there
	Held     int64 // rows of them that are there
	Gone     int64 // rows that are not
}

// Any says whether anything is gone.
func (l Losses) Any() bool { return l.Strange+l.Holes+l.Records+l.Rows > 0 }

// Ledger says whether rows of the ledger are gone.
func (l Losses) Ledger() bool { return l.Strange+l.Holes+l.Records > 0 }

// String says what is gone, as a part of a sentence.
func (l Losses) String() string {
	var out []string
	if l.Strange > 0 {
		out = append(out, fmt.Sprintf("the ledger lacks the runs of %d published rows", l.Strange))
	}
	if l.Holes > 0 {
		out = append(out, fmt.Sprintf("the ledger lacks the run that %d committed runs build on", l.Holes))
	}
	if l.Records > 0 {
		out = append(out, fmt.Sprintf("the ledger lacks partitions of %d committed runs", l.Records))
	}
	for _, s := range l.Short {
		out = append(out, fmt.Sprintf("%s holds %d of %d rows of committed runs", s.Table, s.Held, s.Recorded))
	}
	return strings.Join(out, ", ")
}
