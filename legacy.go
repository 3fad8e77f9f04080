package tvmexport

import (
	"fmt"
	"time"
)

// LegacyRun is the kind of the run that stands for the rows which another
// exporter had put into the published table before this one took it over.
const LegacyRun RunKind = "legacy"

// Legacy is what is known of the other exporter of a table that was taken over.
type Legacy struct {
	Until   time.Time // rows that were ingested until then are the legacy run's
	Strays  int64     // rows of the last week that came later and not from us
	StrayAt time.Time // when the newest of them came
}

// Alive says whether the other exporter still writes.
func (l *Legacy) Alive() bool { return l != nil && l.Strays > 0 }

// legacyNotes are what people should know of it at each run.
func legacyNotes(l *Legacy, t Table) []string {
	if !l.Alive() {
		return nil
	}
	return []string{fmt.Sprintf("%d rows that are not tvmexport's have come into %s since the takeover, the newest at %s: the old exporter still runs; stop it (readers do not see these rows)",
		l.Strays, t.Destination, l.StrayAt.UTC().Format(time.RFC3339))}
}

// orderedWatermark is the watermark that an operator wrote, zero if none. Where the old
// exporter still writes its own, one that lies ahead is no order: it would
// skip rows.
func orderedWatermark(h History) time.Time {
	if h.Legacy.Alive() && h.Last != nil && h.Ordered.After(h.Last.Watermark) {
		return time.Time{}
	}
	return h.Ordered
}

// reconcile makes the first run after a takeover ask again, by difference, for
// what the source still holds from before: the watermark of another exporter
// does not prove that the rows behind it are there. Hours are counted at both
// ends; where published rows do not carry the watermark, all is asked for.
func (p *Plan) reconcile() {
	at := p.Run.Window.From
	if p.Run.Table.Watermark == IngestionTime {
		p.Again = append(p.Again, Window{From: at.Add(-sourceKeeps), To: at})
		return
	}
	p.Recount = max(p.Recount, sourceKeeps)
}
