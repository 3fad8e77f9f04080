package contract

import (
	"time"

	"github.com/tvmexport/tvmexport"
)

// TakeOver puts rows into a table as another exporter has, and commits them as
// the legacy run of a table that follows its watermark.
func (d *Destination) TakeOver(t tvmexport.Table, rows []Row, watermark time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	run := tvmexport.Run{ID: legacyID, Table: t, Kind: tvmexport.LegacyRun, Watermark: watermark}
	for _, r := range rows {
		d.published[t.Name] = append(d.published[t.Name], Published{Run: run.ID, Row: r.JSON})
	}
	d.commits[t.Name] = append(d.commits[t.Name], tvmexport.Commit{Run: run, Rows: int64(len(rows))})
	d.Legacies = map[string]*tvmexport.Legacy{t.Name: {Until: time.Now()}}
}

const legacyID tvmexport.RunID = "00000000T000000Z-legacy"

// once drops the copies among the rows of a legacy run.
func once(rows []Published) []Published {
	var out []Published
	seen := map[string]bool{}
	for _, r := range rows {
		if r.Run == legacyID {
			if seen[r.Row] {
				continue
			}
			seen[r.Row] = true
		}
		out = append(out, r)
	}
	return out
}
