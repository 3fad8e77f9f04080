package engine

import (
	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// showDatabases is .show databases and .show database [details].
func showDatabases(s *session, c *command.ShowDatabases) (*rows, error) {
	var scopes []scope
	if c.One {
		sc, err := s.named(c.Name, Monitor)
		if err != nil {
			return nil, err
		}
		scopes = []scope{sc}
	} else {
		for _, d := range s.e.databases.sorted() {
			if sc := s.e.databases.scope(d); sc.permits(s.call.Principal, Monitor) || sc.permits(s.call.Principal, Ingestor) {
				scopes = append(scopes, sc)
			}
		}
	}
	r := &rows{columns: []value.Column{
		stringColumn("DatabaseName"), stringColumn("PersistentStorage"), stringColumn("Version"), boolColumn("IsCurrent"),
		stringColumn("DatabaseAccessMode"), stringColumn("PrettyName"),
	}}
	if c.Details {
		r.columns = append(r.columns, stringColumns("AuthorizedPrincipals", "RetentionPolicy", "MergePolicy", "CachingPolicy",
			"ShardingPolicy", "StreamingIngestionPolicy", "IngestionBatchingPolicy")...)
		r.columns = append(r.columns, realColumn("TotalSize"))
	} else {
		r.columns = append(r.columns, boolColumn("ReservedSlot1"))
	}
	r.columns = append(r.columns, guidColumn("DatabaseId"), stringColumn("InTransitionTo"))
	for _, sc := range scopes {
		row := stringValues(sc.db.name, "", sc.versionText())
		row = append(row, value.NewBool(equalFold(sc.db.name, s.call.Database)))
		row = append(row, stringValues("ReadWrite", sc.state.prettyName)...)
		if c.Details {
			row = append(row, value.NewString(authorizedPrincipals(&sc.state.attributes)))
			total := 0.0
			for _, p := range []string{policyRetention, policyMerge, policyCaching, "sharding", policyStreaming, policyBatching} {
				row = append(row, value.NewString(orNull(sc.state.policy(&table{}, p))))
			}
			for _, t := range sc.state.tables {
				for _, x := range t.extents {
					total += float64(x.CompressedSize())
				}
			}
			row = append(row, value.NewReal(total))
		} else {
			row = append(row, value.Null(value.Bool))
		}
		r.add(append(row, guidValue(sc.db.id), value.NewString(""))...)
	}
	return r, nil
}

// showCluster has one row: this process.
func showCluster(s *session, _ *command.ShowCluster) (*rows, error) {
	r := &rows{columns: stringColumns("NodeId", "Address", "Name", "IsAdmin", "EnvironmentDescription")}
	r.addText("KEngine000000", s.e.o.ClusterURI, "emulator", "true", "tvmexport emulator")
	return r, nil
}

// showVersion is what clients ask to see whether they are signed in.
func showVersion(*session, *command.ShowVersion) (*rows, error) {
	r := &rows{columns: []value.Column{
		stringColumn("BuildVersion"), timeColumn("BuildTime"), stringColumn("ServiceType"), stringColumn("ProductVersion"),
		stringColumn("ServiceOffering"),
	}}
	r.add(value.NewString("1.0.0.0"), value.Null(value.DateTime), value.NewString("Engine"), value.NewString("tvmexport emulator"),
		value.NewString(`{"Type":"Emulator"}`))
	return r, nil
}
