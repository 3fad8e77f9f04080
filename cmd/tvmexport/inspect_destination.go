package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

// host asks both endpoints whether they are Kusto's, and the SDK whether it
// trusts them with a token.
func (i *inspection) host(ctx context.Context) preflight.Result {
	cluster, ingest := i.parts.Destination.Inspect().Addresses()
	clusterErr, ingestErr := i.parts.Destination.Inspect().Reach(ctx)
	var out []preflight.Finding
	add := func(address, setting string, err error, affects ...string) {
		name := address
		if u, perr := url.Parse(address); perr == nil {
			name = u.Host
		}
		switch {
		case err == nil:
			out = append(out, preflight.Good(name, "the Kusto SDK sends tokens to %s", setting))
			return
		case kusto.Untrusted(err):
			bare, _, _ := strings.Cut(name, ":")
			f := preflight.Bad(name, err, fmt.Sprintf("if the host is yours, add it to kusto.trusted_hosts: [%s]", bare))
			f.Affects = affects
			out = append(out, f)
			return
		}
		f := preflight.Bad(name, err, "")
		f.Affects = affects
		out = append(out, f)
	}
	add(cluster, "kusto.cluster", clusterErr)
	if ingest != cluster && !kusto.Untrusted(clusterErr) {
		add(ingest, "kusto.ingest", ingestErr, ingestion)
	}
	return preflight.Found(out...)
}

// database says whether the database can be read, and which roles are held.
func (i *inspection) database(ctx context.Context) preflight.Result {
	name := i.parts.Config.Kusto.Database
	err := i.parts.Destination.Inspect().Readable(ctx)
	switch {
	case err != nil && tvmexport.CauseOf(err) == tvmexport.Permission && !kusto.TokenRefused(err):
		f := preflight.Bad(name, err, "an administrator of the database runs: "+i.parts.Destination.Inspect().AddRole("users", principal(i.writer)))
		f.Text = "the database is not readable, so no run can start; the role users (or viewers) is required: " + f.Text
		return preflight.Found(f)
	case err != nil:
		return preflight.Found(preflight.Bad(name, err, ""))
	}
	i.made, err = i.parts.Destination.Inspect().Made(ctx)
	if err != nil {
		return preflight.Found(preflight.Bad(name, err, ""))
	}
	text := "exists and is readable"
	if held, err := i.parts.Destination.Inspect().Held(ctx); err == nil && len(held) > 0 { // for people: its failure says nothing
		var roles []string
		for _, h := range held {
			roles = append(roles, h.Role)
		}
		text += "; roles granted directly to this identity: " + list(roles)
	}
	return preflight.Found(preflight.Good(name, "%s", text))
}

// tenant says whether the database holds another tenant's data.
func (i *inspection) tenant(ctx context.Context) preflight.Result {
	if !i.made {
		return preflight.Found(preflight.Good("", "the database holds no data yet"))
	}
	owners, err := i.parts.Destination.Inspect().Owners(ctx)
	if err != nil {
		if tvmexport.CauseOf(err) == tvmexport.Rejected { // no ledger yet: the set-up says so
			return preflight.Result{}
		}
		return preflight.Found(preflight.Bad("", err, ""))
	}
	others := slices.DeleteFunc(owners, func(o string) bool { return o == i.who.TenantID })
	if len(others) > 0 {
		return preflight.Found(preflight.Finding{
			About: i.who.TenantID, Status: preflight.Broken, Cause: tvmexport.Usage,
			Text: fmt.Sprintf("the database %s holds the data of tenant %s; a database holds the data of one tenant only", i.parts.Config.Kusto.Database, list(others)),
			Fix:  "set kusto.database to another database, one for each tenant, or sign in to tenant " + others[0],
		})
	}
	return preflight.Found(preflight.Good(i.who.TenantID, "the database holds no data of another tenant"))
}

// storedShape says whether a newer version of the program has written to the database.
func (i *inspection) storedShape(ctx context.Context) preflight.Result {
	if !i.made {
		return preflight.Result{}
	}
	stored, err := i.parts.Destination.Reports().Stored(ctx)
	switch {
	case tvmexport.CauseOf(err) == tvmexport.Rejected, err == nil && stored.Number == 0: // no complete ledger: the set-up says so
		return preflight.Result{}
	case err != nil:
		return preflight.Found(preflight.Bad(i.parts.Config.Kusto.Database, advise(err), ""))
	}
	return preflight.Found(preflight.Good(i.parts.Config.Kusto.Database, "%d, written by version %s; this program understands it", stored.Number, cmp.Or(stored.Version, "unknown")))
}

// setUp reads the configuration table, and asks what init would still make.
func (i *inspection) setUp(ctx context.Context) preflight.Result {
	if !i.made {
		return preflight.Found(preflight.Finding{
			About: i.parts.Config.Kusto.Database, Status: preflight.Broken, Cause: tvmexport.Rejected,
			Text: "the database is not initialised", Fix: "tvmexport init",
		})
	}
	orders, err := i.parts.Destination.Orders(ctx)
	if err != nil {
		return preflight.Found(preflight.Bad("", err, ""))
	}
	for _, o := range orders {
		if len(i.flags.tables) == 0 && o.Active || slices.Contains(i.flags.tables, o.Table) {
			i.orders = append(i.orders, o)
		}
	}
	var out []preflight.Finding
	for _, name := range i.flags.tables {
		if !slices.ContainsFunc(orders, func(o tvmexport.Order) bool { return o.Table == name }) {
			out = append(out, preflight.Finding{
				About: name, Status: preflight.Broken, Cause: tvmexport.Usage,
				Text: "MigrationConfiguration has no row for the table", Fix: "tvmexport init --table " + name,
			})
		}
	}
	if len(i.orders) == 0 && len(out) == 0 {
		out = append(out, preflight.Finding{
			Status: preflight.Broken, Cause: tvmexport.Usage, Text: "MigrationConfiguration has no active table", Fix: "tvmexport init",
		})
	}
	for _, o := range i.orders {
		if o.Err != nil {
			out = append(out, preflight.Bad(o.Table, o.Err, ""))
		}
	}
	if len(out) == 0 {
		out = append(out, preflight.Good("", "MigrationConfiguration lists %d tables to export", len(i.orders)))
	}
	return preflight.Found(out...)
}

// loadTypes warns of state tables whose removals nobody would see.
func (i *inspection) loadTypes(ctx context.Context) preflight.Result {
	var out []preflight.Finding
	for _, o := range i.orders {
		info, ok := catalog.Lookup(o.Table)
		if o.Err != nil || !ok || !info.Snapshot || o.Load == tvmexport.Snapshot {
			continue
		}
		out = append(out, preflight.Finding{
			About: o.Table, Status: preflight.Warning,
			Text: fmt.Sprintf("LoadType %s does not detect removals: fixed findings disappear from this table, but stay in the copy", o.Load),
			Fix:  i.order(ctx, o.Table, "LoadType", string(tvmexport.Snapshot)),
		})
	}
	if len(out) == 0 {
		out = append(out, preflight.Good("", "each table has a suitable load type"))
	}
	return preflight.Found(out...)
}

// destinationTables checks the tables and mappings of each table, and the
// other objects that init would create.
func (i *inspection) destinationTables(ctx context.Context) preflight.Result {
	tables, err := i.chosenTables()
	if err != nil {
		return preflight.Found(preflight.Bad("", err, ""))
	}
	failed, err := i.parts.Destination.CheckTables(ctx, tables)
	if err != nil {
		return preflight.Found(preflight.Bad("", err, ""))
	}
	var out []preflight.Finding
	for _, t := range tables {
		switch err := failed[t.Name]; {
		case i.unknown[t.Name]:
			out = append(out, preflight.Finding{About: t.Name, Status: preflight.Skipped, Text: "skipped until this is fixed: the table at the source"})
		case err != nil:
			fix := ""
			var e *tvmexport.Error
			if errors.As(err, &e) && strings.HasPrefix(e.Hint, "run tvmexport ") {
				fix = strings.TrimPrefix(e.Hint, "run ") // a command to be copied
			}
			out = append(out, preflight.Bad(t.Name, err, fix))
		default:
			out = append(out, preflight.Good(t.Name, "%s, %s and its mapping are correct", t.Destination, t.Landing()))
		}
	}
	return preflight.Found(append(out, i.leftToMake(ctx, tables)...)...)
}

// leftToMake warns of objects that init would create, other than tables and
// mappings.
func (i *inspection) leftToMake(ctx context.Context, tables []tvmexport.Table) []preflight.Finding {
	known := slices.DeleteFunc(slices.Clone(tables), func(t tvmexport.Table) bool { return i.unknown[t.Name] })
	setup, err := i.parts.Destination.Setup().Plan(ctx, known, wiring.ScriptOptions(i.parts.Config))
	if err != nil {
		return []preflight.Finding{preflight.Bad("init", err, "")}
	}
	i.todo = len(setup.Made)
	var out []preflight.Finding
	for _, m := range setup.Made {
		if m.Kind == kusto.DropFunction {
			text := "the function is not wanted any more; a run works with it"
			if setup.Unenriched != "" {
				text = "the function does not show what it should any more; a run works with it"
			}
			out = append(out, preflight.Finding{
				About: m.Name, Status: preflight.Warning, Fix: makingOf(m, known, i.parts.Config.Functions.Prefix), Text: text,
			})
		}
		if m.Kind == kusto.MakeFunction || m.Kind == kusto.MakePolicy {
			out = append(out, preflight.Finding{
				About: m.Name + of(m.Table), Status: preflight.Warning, Fix: makingOf(m, known, i.parts.Config.Functions.Prefix),
				Text: fmt.Sprintf("the %s is missing or out of date; a run works without it", m.Kind),
			})
		}
	}
	if setup.Unenriched != "" {
		out = append(out, preflight.Finding{About: "functions.enriched", Status: preflight.Warning, Text: setup.Unenriched})
	}
	return out
}

// makingOf is the command that makes an object: init for the table that it belongs to, or
// for any active table. Init without a table would export all default tables from then on,
// and would leave out all others.
func makingOf(m kusto.Command, active []tvmexport.Table, prefix string) string {
	for _, t := range active {
		readers := []string{prefix + t.Name, prefix + t.Name + "AsOf", prefix + t.Name + "Changes"}
		if m.Table != "" && slices.Contains([]string{t.Destination, t.Typed(), t.Landing()}, m.Table) || m.Table == "" && slices.Contains(readers, m.Name) {
			return "tvmexport init --table " + t.Name
		}
	}
	if len(active) > 0 {
		return "tvmexport init --table " + active[0].Name
	}
	return "tvmexport init"
}

// ingestor tries to add no rows to each table that a run writes to.
func (i *inspection) ingestor(ctx context.Context) preflight.Result {
	tables, err := i.parts.Destination.Inspect().Written(ctx, i.tables)
	if err != nil {
		return preflight.Found(preflight.Bad("", err, ""))
	}
	refused := i.parts.Destination.Inspect().MayAppend(ctx, tables)
	var denied []string
	var out []preflight.Finding
	for _, t := range tables {
		switch err := refused[t]; {
		case err == nil:
		case tvmexport.CauseOf(err) == tvmexport.Permission:
			denied = append(denied, t)
		default:
			out = append(out, preflight.Bad(t, err, ""))
		}
	}
	broken, err := i.parts.Destination.Inspect().BrokenUpdates(ctx, tables)
	if err != nil && tvmexport.CauseOf(err) != tvmexport.Permission {
		out = append(out, preflight.Bad("update policies", err, ""))
	}
	for _, t := range tables {
		if err := broken[t]; err != nil && refused[t] == nil {
			out = append(out, preflight.Bad(t, err, ""))
		}
	}
	switch {
	case len(denied) > 0:
		fix := i.parts.Destination.Inspect().AddRole("ingestors", principal(i.writer))
		if len(denied) < len(tables) {
			var each []string
			for _, t := range denied {
				each = append(each, i.parts.Destination.Inspect().AddTableRole(t, "ingestors", principal(i.writer)))
			}
			fix += " (or " + strings.Join(each, " and ") + ")"
		}
		out = append(out, preflight.Finding{
			About: i.parts.Config.Kusto.Database, Status: preflight.Broken, Cause: tvmexport.Permission,
			Text: fmt.Sprintf("no permission to add rows to %s: %s", list(denied), i.without(denied)),
			Fix:  "an administrator of the database runs: " + fix,
		})
	case len(out) == 0:
		out = append(out, preflight.Good(i.parts.Config.Kusto.Database, "rows can be added to all %d tables that a run writes to", len(tables)))
	}
	return preflight.Found(out...)
}

// without says what a run does without the right to add rows, by the worst of it.
func (i *inspection) without(denied []string) string {
	for _, t := range i.tables {
		switch {
		case slices.Contains(denied, "ExportRuns"), slices.Contains(denied, "ExportPartitions"):
			return "a run stops before it fetches rows"
		case slices.Contains(denied, t.Landing()):
			return "batches cannot land there"
		case slices.Contains(denied, t.Destination):
			return "rows cannot be published there"
		}
	}
	return "watermarks and the audit cannot be written"
}

// privateStorage is what to do where the hosts of storage do not resolve: no
// setting of ours names them.
const privateStorage = "on a private network, link the private DNS zones of blob and queue storage to it, or let this machine resolve public names"

// storage dials the accounts that queued ingestion goes through.
func (i *inspection) storage(ctx context.Context) preflight.Result {
	hosts, err := i.parts.Destination.Inspect().Stores(ctx)
	if err != nil {
		f := preflight.Bad("", err, "")
		if tvmexport.CauseOf(err) == tvmexport.Permission {
			f.Fix = "an administrator of the database runs: " + i.parts.Destination.Inspect().AddRole("ingestors", principal(i.writer))
		}
		return preflight.Found(f)
	}
	places := make([]preflight.Place, len(hosts))
	for n, h := range hosts {
		places[n] = preflight.Place{Name: storage, Setting: "storage of the ingestion service", URL: "https://" + h + "/", Unresolved: privateStorage}
	}
	found := preflight.Reach(ctx, i.parts.Client, places)
	if slices.ContainsFunc(found, func(f preflight.Finding) bool { return f.Status != preflight.OK }) || len(found) == 0 {
		return preflight.Found(found...)
	}
	return preflight.Found(preflight.Good("", "all %d storage hosts of the ingestion service are reachable", len(hosts)))
}

// probe sends one row the whole way.
func (i *inspection) probe(ctx context.Context) preflight.Result {
	if !i.flags.probe {
		return preflight.Found(preflight.Finding{Status: preflight.Skipped, Text: "disabled by --probe=false"})
	}
	r := i.parts.Destination.Prober().Probe(ctx, "TvmexportProbe"+time.Now().UTC().Format("20060102T150405"), i.flags.wait)
	switch {
	case r.Create != nil && tvmexport.CauseOf(r.Create) == tvmexport.Permission:
		f := preflight.Bad("role users", r.Create, "an administrator of the database runs: "+i.parts.Destination.Inspect().AddRole("users", principal(i.writer)))
		f.Text = "the test table could not be created, so no row was sent"
		if i.made && i.todo == 0 {
			f.Status, f.Cause = preflight.Warning, tvmexport.Unknown
			f.Text += "; runs are not affected, because nothing is missing in the database"
		} else {
			f.Text += ", and init cannot create the missing objects"
		}
		return preflight.Found(f)
	case r.Create != nil:
		return preflight.Found(preflight.Bad(r.Table, r.Create, ""))
	}
	var out []preflight.Finding
	if r.Ingest != nil {
		out = append(out, preflight.Bad(r.Table, r.Ingest, ""))
	} else {
		out = append(out, preflight.Good("", "one row was queued, landed and counted in %s", r.Took.Round(10*time.Millisecond)))
	}
	if r.Remove != nil {
		out = append(out, preflight.Finding{
			About: r.Table, Status: preflight.Warning, Text: "the test table could not be dropped: " + oneLine(r.Remove.Error()), Fix: i.parts.Destination.Prober().DropProbe(r.Table),
		})
	}
	return preflight.Found(out...)
}
