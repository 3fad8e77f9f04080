package main

import (
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/internal/signin"
)

// exportedTables checks the tables of the export assessment APIs: that the token has the
// permission of each, that the API lists it, and that one of its units can be read. No
// permission of hunting is needed for that.
func (i *inspection) exportedTables(ctx context.Context) preflight.Result {
	tables, err := i.chosenTables()
	if _, tables = byHunting(tables); err != nil || len(tables) == 0 {
		return preflight.Result{} // the tables of hunting say what is wrong
	}
	who, err := i.identifyExports(ctx)
	if err == nil {
		err = i.openSource(ctx)
	}
	if err != nil {
		need := exportPermission("")
		return preflight.Found(preflight.Bad(need.Service, err, defender.TokenHint(err, need.Service, rolesOf(tables)...)))
	}
	var out []preflight.Finding
	for _, t := range tables {
		info, _ := catalog.Lookup(t.Name)
		if f := i.permissionOf(who, exportPermission(info.Role)); f.Status != preflight.OK {
			f.About = t.Name + " " + f.About
			out = append(out, f)
			continue
		}
		out = append(out, i.exportedTable(ctx, t))
	}
	return preflight.Found(out...)
}

// identifyExports signs in to the export assessment APIs.
func (i *inspection) identifyExports(ctx context.Context) (signin.Identity, error) {
	cloud, err := assessment.LookupCloud(i.parts.Config.Defender.Cloud)
	if err != nil {
		return signin.Identity{}, err
	}
	credential, err := i.parts.Defender()
	if err != nil {
		return signin.Identity{}, err
	}
	return credential.Identify(ctx, cloud.Scope())
}

// exportPermission is an application permission of the export assessment APIs.
func exportPermission(role string) hunting.Permission {
	need := hunting.MDE.Permission() // of the same service
	need.Role = role
	return need
}

// rolesOf are the permissions that tables of the export assessment APIs need, each once.
func rolesOf(tables []tvmexport.Table) []string {
	var roles []string
	for _, t := range tables {
		if info, ok := catalog.Lookup(t.Name); ok && !slices.Contains(roles, info.Role) {
			roles = append(roles, info.Role)
		}
	}
	return roles
}

// exportedTable lists a table and reads its first unit.
func (i *inspection) exportedTable(ctx context.Context, t tvmexport.Table) preflight.Finding {
	l, err := i.parts.Exports.List(ctx, t)
	if err != nil {
		return preflight.Bad(t.Name, err, "")
	}
	if len(l.Units) == 0 {
		return preflight.Good(t.Name, "%s has no rows", stateOf(l))
	}
	a, err := i.parts.Exports.FetchUnit(ctx, t, l.Units[0], unwritten{})
	if err != nil {
		return preflight.Bad(t.Name, err, "files are on storage accounts of Microsoft; if a firewall blocks them, set assessment.via: pages")
	}
	return preflight.Good(t.Name, "%s in %s; the first has %s, %s", stateOf(l), figures.Plural(len(l.Units), "unit"), figures.Rows(a.Rows), progress.Size(a.Bytes))
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

// stateOf names a state by its time, which people understand; a version can be a hash.
func stateOf(l tvmexport.Listing) string {
	if l.At.IsZero() {
		return "state " + l.Version
	}
	return "state of " + l.At.UTC().Format(time.RFC3339)
}
