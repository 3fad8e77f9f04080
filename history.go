package tvmexport

import (
	"fmt"
	"strings"
	"time"
)

// History is what the ledger and the published tables say of one table.
type History struct {
	Last       *Committed        // newest commit of the chain; nil before the first
	Publishing *Publication      // a publication that began and has no commit: it must be finished first
	Partitions []PartitionRecord // what readers see: of each partition the newest record since the last full run
	Depth      int               // of those partitions
	Lineage    bool              // published rows that readers see carry their run and partition, so that a run can replace single partitions
	FullAt     time.Time         // when the newest full run was committed; zero: none was
	Retention  time.Duration     // how long the destination keeps what readers see; 0: not known
	TableRows  int64             // rows that readers see; of a table that follows a watermark without those of runs that are older than Retention
	Fetched    Volume            // by the committed runs since the last full one
	Tenant     string            // whose data the database holds, of any table; "" if no commit says
	Since      time.Time         // where the windows of the committed runs begin, since the last full run; zero: from the beginning
	Ordered    time.Time         // a watermark that an operator wrote after the last commit; zero: none
	Losses     Losses            // what is gone of the ledger and of published rows
	Legacy     *Legacy           // the other exporter of a table that was taken over; nil: it was not
	Now        time.Time         // the destination's clock
}

// Committed is a run that counts.
type Committed struct {
	RunHeader           // its Definition is of the table as the run met it; of other programs' commits ID, Previous and Kind alone are known
	At        time.Time // of the commit, by the destination's clock
	StateAt   time.Time // see [Run]; zero: not recorded
	Watermark time.Time
	Rows      int64
	Bytes     int64

	Effect *Effect // nil where an earlier version, or another program, has committed

	Columns []Column // at the source then
	Shown   []Column // to readers
	Unread  []Unread // values of the run that do not fit their type
	Unlike  []string // columns of which the runs that this one adds to had such values

	Destination string // table that it published records into; "" where that is not recorded
	Losses      Losses // that the run knew of and made up for
	Gap         Window // of the watermark, that the source no longer had; zero: there was none
}

// Volume is an amount of data.
type Volume struct {
	Rows  int64
	Bytes int64 // of source JSON
}

// Legacy is what is known of the other exporter of a table that was taken over.
type Legacy struct {
	Until   time.Time // rows that were ingested until then are the legacy run's
	Strays  int64     // rows of the last week that came later and not from us
	StrayAt time.Time // when the newest of them came
}

// Alive says whether the other exporter still writes.
func (l *Legacy) Alive() bool { return l != nil && l.Strays > 0 }

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
