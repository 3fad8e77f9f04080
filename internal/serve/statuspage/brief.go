package statuspage

import "unique"

// mostMissedOfTenant is how many records of missed schedules are kept of a tenant of a
// fleet: as many as its page shows, of nine tables.
const mostMissedOfTenant = 9 * shownMissed

// briefly keeps of each table what says how it is: its newest run, and its newest
// committed run. The tenant's own pages read the others from the ledger. Texts that
// all tenants have are in memory once.
func briefly(list []Table) []Table {
	for i := range list {
		t := &list[i]
		var kept []Run
		for _, r := range t.Runs {
			if len(kept) == 0 || r.Committed {
				r.Table, r.Owner, r.Kind, r.Load = shared(r.Table), shared(r.Owner), shared(r.Kind), shared(r.Load)
				kept = append(kept, r)
			}
			if r.Committed {
				break
			}
		}
		t.Runs = kept
		t.Name, t.Into, t.Load, t.Schedule = shared(t.Name), shared(t.Into), shared(t.Load), shared(t.Schedule)
	}
	return list
}

func shared(text string) string { return unique.Make(text).Value() }
