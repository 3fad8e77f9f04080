package main

import (
	"context"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/internal/progress"
)

// exportedTables checks the tables of the export assessment APIs: that the token has the
// permission of each, that the API lists it, and that one of its units can be read.
func (i *inspection) exportedTables(ctx context.Context, tables []tvmexport.Table) []preflight.Finding {
	if len(tables) == 0 {
		return nil
	}
	cloud, err := assessment.LookupCloud(i.config.Defender.Cloud)
	if err != nil {
		return []preflight.Finding{preflight.Bad("", err, "")}
	}
	credential, err := i.defender()
	if err != nil {
		return []preflight.Finding{preflight.Bad("", err, "")}
	}
	who, err := credential.Identify(ctx, cloud.Scope())
	if err != nil {
		return []preflight.Finding{preflight.Bad("", err, "if Entra does not know the resource WindowsDefenderATP, Defender for Endpoint is not provisioned in the tenant: open the Defender portal once with a licence")}
	}
	var out []preflight.Finding
	for _, t := range tables {
		info, _ := catalog.Lookup(t.Name)
		need := hunting.MDE.Permission() // of the same service
		need.Role = info.Role
		if f := permissionOf(who, need); f.Status != preflight.OK {
			f.About = t.Name + " " + f.About
			out = append(out, f)
			continue
		}
		out = append(out, i.exportedTable(ctx, t))
	}
	return out
}

// exportedTable lists a table and reads its first unit.
func (i *inspection) exportedTable(ctx context.Context, t tvmexport.Table) preflight.Finding {
	l, err := i.exports.List(ctx, t)
	if err != nil {
		return preflight.Bad(t.Name, err, "")
	}
	if len(l.Units) == 0 {
		return preflight.Good(t.Name, "the state %s has no rows", l.Version)
	}
	a, err := i.exports.FetchUnit(ctx, t, l.Units[0], unwritten{})
	if err != nil {
		return preflight.Bad(t.Name, err, "files are on storage accounts of Microsoft; if a firewall blocks them, set assessment.via: pages")
	}
	return preflight.Good(t.Name, "state %s in %s; the first has %s, %s", l.Version, figures.Plural(len(l.Units), "unit"), figures.Rows(a.Rows), progress.Size(a.Bytes))
}

// unwritten takes rows and keeps none.
type unwritten struct{}

// WriteRow implements tvmexport.RowWriter.
func (unwritten) WriteRow([]byte, []byte) error { return nil }

// byHunting divides tables by their source.
func byHunting(tables []tvmexport.Table) (hunted, exported []tvmexport.Table) {
	for _, t := range tables {
		if isExported(t.Name) {
			exported = append(exported, t)
		} else {
			hunted = append(hunted, t)
		}
	}
	return hunted, exported
}
