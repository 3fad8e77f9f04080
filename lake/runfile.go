package lake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/store"
)

// state is how far a run has come.
type state string

const (
	claimed   state = "claimed"   // the run alone publishes on its base
	written   state = "written"   // its files are there
	committed state = "committed" // its commit is prepared; the log of the table says whether it is there
	abandoned state = "abandoned" // it cannot be published; another run takes its ordinal
)

// runFile is the file of an ordinal of a table.
type runFile struct {
	State       state                       `json:"state"`
	Ordinal     int64                       `json:"ordinal"`
	Header      tvmexport.RunHeader         `json:"header"`
	LoadType    tvmexport.LoadType          `json:"loadType"`
	Destination string                      `json:"destination"`
	Columns     []tvmexport.Column          `json:"columns"`
	Shown       []tvmexport.Column          `json:"shown"`
	Publication tvmexport.Publication       `json:"publication"`
	Partitions  []tvmexport.PartitionRecord `json:"partitions"`
	Effect      tvmexport.Effect            `json:"effect"`
	Add         []delta.Add                 `json:"add,omitempty"`    // files of the run
	Remove      []string                    `json:"remove,omitempty"` // files that they replace; of a full run all that are there at its commit
	Commit      *commitRecord               `json:"commit,omitempty"`
	Before      before                      `json:"before"`
}

// commitRecord is what a commit adds to a publication.
type commitRecord struct {
	At     time.Time          `json:"at"`
	Owner  string             `json:"owner"`
	Rows   int64              `json:"rows"`
	Bytes  int64              `json:"bytes"`
	Calls  int                `json:"calls"`
	Losses tvmexport.Losses   `json:"losses,omitzero"`
	Gap    tvmexport.Window   `json:"gap,omitzero"`
	Effect tvmexport.Effect   `json:"effect"`
	Unread []tvmexport.Unread `json:"unread,omitempty"`
	Unlike []string           `json:"unlike,omitempty"`
}

// before is what the runs since the last full one add up to, without the run of the file.
type before struct {
	Full    int64            `json:"full,omitempty"` // ordinal of the last full run; 0: none
	FullAt  time.Time        `json:"fullAt,omitzero"`
	Depth   int              `json:"depth,omitempty"`
	Fetched tvmexport.Volume `json:"fetched,omitzero"`
	Since   time.Time        `json:"since,omitzero"` // where their windows begin
	Open    bool             `json:"open,omitempty"` // one of them begins nowhere
	Runs    int              `json:"runs,omitempty"`
	At      time.Time        `json:"at,omitzero"` // of the newest commit
}

// after is what the runs up to a committed one add up to.
func (r *runFile) after() before {
	b := r.Before
	if r.Header.Kind == tvmexport.FullRun {
		b = before{Full: r.Ordinal, FullAt: r.Commit.At, Depth: r.Header.Depth}
	}
	b.Fetched.Rows += r.Commit.Rows
	b.Fetched.Bytes += r.Commit.Bytes
	from := r.Publication.Run.Window.From
	b.Open = b.Open || from.IsZero()
	if b.Runs == 0 || from.Before(b.Since) {
		b.Since = from
	}
	b.Runs++
	b.At = r.Commit.At
	return b
}

// app is the application of the transactions of a table's runs.
func app(table string) string { return "tvmexport/" + table }

func runName(table string, ordinal int64) string {
	return controlName("runs", table, fmt.Sprintf("%010d.json", ordinal))
}

// head is the newest committed run of a table; nil before the first. The ordinal is 0 then.
type head struct {
	snapshot *delta.Snapshot
	ordinal  int64
	last     *runFile
}

// id is the run; "" before the first.
func (h head) id() tvmexport.RunID {
	if h.last == nil {
		return ""
	}
	return h.last.Header.ID
}

// ledger reads and writes what the folder says of runs.
type ledger struct{ *folder }

// head reads the newest committed run of a table.
func (l *ledger) head(ctx context.Context, table string) (head, error) {
	s, err := l.snapshot(ctx, table)
	if err != nil {
		return head{}, err
	}
	h := head{snapshot: s}
	h.ordinal, _ = s.Txn(app(table))
	if h.ordinal == 0 {
		return h, nil
	}
	r, _, err := l.run(ctx, table, h.ordinal)
	if err != nil {
		return head{}, err
	}
	if r == nil || r.Commit == nil {
		return head{}, l.lost(table, h.ordinal)
	}
	h.last = r
	return h, nil
}

func (l *ledger) lost(table string, ordinal int64) error {
	return &tvmexport.Error{
		Op: "read ledger", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err:  fmt.Errorf("the log of the table has the run %d, but %s does not describe its commit", ordinal, l.store.Location(runName(table, ordinal))),
		Hint: "restore the folder " + control + " from a copy of the lake",
	}
}

// run reads the file of an ordinal; nil if there is none.
func (l *ledger) run(ctx context.Context, table string, ordinal int64) (*runFile, string, error) {
	var r runFile
	name := runName(table, ordinal)
	etag, ok, err := l.read(ctx, name, &r)
	if err != nil || !ok {
		return nil, "", err
	}
	if r.Ordinal != ordinal || r.Header.ID == "" {
		return nil, "", l.fail("read", name, table, errors.New("the file does not describe this run"))
	}
	return &r, etag, nil
}

// save replaces the file of an ordinal that was read before.
func (l *ledger) save(ctx context.Context, table string, r *runFile, etag string) error {
	return l.write(ctx, runName(table, r.Ordinal), r, store.IfMatch(etag))
}
