package engine

import (
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// legacyNotes are what people should know of it at each run.
func legacyNotes(l *tvmexport.Legacy, t tvmexport.Table) []string {
	if !l.Alive() {
		return nil
	}
	return []string{fmt.Sprintf("%d rows of another exporter were ingested into %s since the takeover, the newest at %s: the old exporter still runs; stop it (readers do not see these rows)",
		l.Strays, t.Destination, l.StrayAt.UTC().Format(time.RFC3339))}
}

// orderedWatermark returns the watermark that an operator wrote, zero if none. While
// the old exporter still writes its own, a later watermark is no order: it would
// skip rows.
func orderedWatermark(h tvmexport.History) time.Time {
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
	p.Reconciles = true
	at := p.Run.Window.From
	if p.Run.Table.Watermark == tvmexport.IngestionTime {
		p.Again = append(p.Again, tvmexport.Window{From: at.Add(-sourceKeeps), To: at})
		return
	}
	p.Recount = max(p.Recount, sourceKeeps)
}
