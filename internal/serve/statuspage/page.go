// Package statuspage serves the status page: tables, runs, running exports,
// problems and their fixes. Pages are rendered here, work without scripts, and
// update live with scripts. A Board holds the content of all pages, except for
// the record of a single run.
package statuspage

import (
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
)

// Page is what is shown at a moment.
type Page struct {
	Setup
	Now       time.Time
	Exporting []string  // tables of the export that is under way
	Next      time.Time // of any table; zero: nothing is scheduled
	Ledger    Ledger
	Reload    Reload
	Quota     *Quota // nil before the first export
	Wait      *Wait  // nil while calls go on
	Tables    []Table
	Missed    []Missed // newest first
	Stopping  bool

	// Of a tenant of a fleet:

	Queued     time.Time // since when it waits for a worker; zero: it does not
	Unreadable *Problem  // why its configuration cannot be read
}

// Setup is what does not change while the program runs.
type Setup struct {
	Host, Version     string
	Tenant            string
	Cluster, Database string
	Began             time.Time
}

// Ledger is how current what is shown is.
type Ledger struct {
	Read time.Time
	Err  *Problem // why it could not be read since
}

// Reload is how the last reading of the configuration went.
type Reload struct {
	At  time.Time
	Err string // why the old one was kept; "" if it was not
}

// Quota is how much of the source's quota is used.
type Quota struct {
	Minute, PerMinute int
	Hour, PerHour     int
	At                time.Time
}

// Wait is why calls to the source are held back, and until when.
type Wait struct {
	Cause string
	Until time.Time
}

// Missed are scheduled times at which no run began.
type Missed struct {
	Table       string
	Count       int
	First, Last time.Time
	Reason      string
	MadeUp      bool
	Told        time.Time
}

// Table is what is known of one table.
type Table struct {
	Name, Into, Load string
	Active           bool
	Schedule         string
	Next             time.Time     // zero: never
	Interval         time.Duration // between scheduled times; 0: none
	Rows             int64         // that readers see
	RowsKnown        bool          // false where an earlier version, which committed last, has not recorded them
	FullAt           time.Time     // of the newest full run's commit; zero: none
	Deltas           int           // committed delta runs since then; -1: not known
	HeldBy           string        // who runs it, if not this program
	Runs             []Run         // newest first
	Live             *Live         // nil: no run is under way here
	Failure          *Problem      // of the newest run; nil if it was committed
}

// Run is what the ledger says of one run.
type Run struct {
	Table           string
	ID              string // "" where it failed before a run began
	Previous        string
	Owner           string
	Kind, Load      string
	Committed       bool
	Began, At       time.Time
	From, Watermark time.Time
	Rows, Growth    int64 // that readers see since the run, and how many more they are than before it
	RowsKnown       bool  // Rows and Growth are recorded
	Changed         int64 // rows that the run published
	Bytes           int64
	Calls           int64
	Took            time.Duration // the run's own time; 0: not recorded
	Failure         *Problem
}

// Change says what the run has changed: "no change", "120 fetched (+3)".
func (r Run) Change() string { return figures.Changed(r.Changed, r.Growth) }

// Problem is a failure and its fix.
type Problem struct {
	At   time.Time
	Text string
	Fix  string // may be empty
}

// Live is a run that is under way.
type Live struct {
	Run                string
	Step               string // counting, fetching, landing, publishing, committed
	Began              time.Time
	Rows, Of           int64 // fetched, planned
	Bytes              int64
	Calls              int // answered
	Batches, Confirmed int
	Rate               float64 // rows a second while fetching
	Result             string  // what a committed run has done
	Note               string  // what it is doing about a trouble
}

// Left estimates the remaining time of fetching; 0 if it is unknown.
func (l Live) Left() time.Duration {
	if l.Step != "fetching" || l.Rate <= 0 || l.Of <= l.Rows {
		return 0
	}
	return time.Duration(float64(l.Of-l.Rows) / l.Rate * float64(time.Second))
}

// Record is all that the ledger holds of one run.
type Record struct {
	Rows       []RecordRow
	Partitions []RecordPartition
}

// RecordRow is a row of ExportRuns.
type RecordRow struct {
	State              string
	At                 time.Time
	Rows, Bytes, Calls int64
	Owner, Detail      string
}

// RecordPartition is a row of ExportPartitions.
type RecordPartition struct {
	Name        string
	Window      string
	Rows        int64
	Fingerprint string
}
