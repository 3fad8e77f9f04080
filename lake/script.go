package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/store"
)

// ScriptName is the script for DuckDB in the folder.
const ScriptName = "init.sql"

// scriptTable is a table as the script shows it.
type scriptTable struct {
	name     string
	columns  []tvmexport.Column
	hidden   []string // columns that views leave out
	files    bool     // it has had files
	extended bool     // files have different columns
}

// WriteScript writes init.sql, if it is not as it should be: views of the tables for DuckDB.
func (c *Client) WriteScript(ctx context.Context) (changed bool, err error) {
	rows, err := c.configuration.rows(ctx)
	if err != nil {
		return false, err
	}
	var list []scriptTable
	for name := range newest(rows) {
		if tvmexport.CheckIdentifier("table", name) != nil {
			continue
		}
		t, ok, err := c.folder.scriptTable(ctx, name)
		if err != nil {
			return false, err
		}
		if ok {
			for _, l := range lineage {
				t.hidden = append(t.hidden, l.Name)
			}
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b scriptTable) int { return strings.Compare(a.name, b.name) })
	for _, name := range []string{RunsTable, PartitionsTable, ConfigurationTable, AuditTable} {
		t, ok, err := c.folder.scriptTable(ctx, name)
		if err != nil {
			return false, err
		}
		if ok {
			list = append(list, t)
		}
	}
	want := script(filepath.ToSlash(strings.TrimRight(c.folder.store.Location(""), `/\`)), list)
	have, info, err := store.ReadAll(ctx, c.folder.store, ScriptName, mostControl)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if err == nil && bytes.Equal(have, want) {
		return false, nil
	}
	condition := store.IfAbsent()
	if err == nil {
		condition = store.IfMatch(info.ETag)
	}
	if _, err := c.folder.store.Put(ctx, ScriptName, want, condition); !raced(err) {
		return err == nil, err
	}
	return false, nil // another process has just written it
}

func (f *folder) scriptTable(ctx context.Context, name string) (t scriptTable, ok bool, err error) {
	s, err := f.snapshot(ctx, name)
	if err != nil || !s.Exists() {
		return t, false, err
	}
	t = scriptTable{name: name, extended: s.Metadata.Configuration[extendedKey] == "true", files: s.Len() > 0}
	t.columns, err = s.Columns()
	for _, err := range f.store.List(ctx, name+"/"+dataFolder+"/", "") {
		if err != nil {
			return t, false, err
		}
		t.files = true
		break
	}
	return t, true, err
}

// script is the text of init.sql.
func script(root string, list []scriptTable) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `-- Views of the tables for DuckDB, written by tvmexport. Open them with
--     duckdb -init %s
-- TABLE is the state of when this script ran: read it again (.read %s) to see a later one.
-- FROM TABLE_as_of('2026-11-23 06:00:00Z') is the state of a time, and
-- FROM TABLE_changes(TIME, TIME) the rows that were added and removed between two times.
SET VARIABLE tvm = %s;
`, shellPath(root+"/"+ScriptName), root+"/"+ScriptName, literal(root))
	for _, t := range list {
		b.WriteString("\n")
		if !t.files {
			t.empty(&b)
			continue
		}
		t.write(&b)
	}
	return b.Bytes()
}

// shellPath quotes a path for a shell, if it needs that.
func shellPath(path string) string {
	if strings.ContainsAny(path, " '\"$&()") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// sqlTypes are the types of columns in DuckDB.
var sqlTypes = map[string]string{"bool": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "real": "DOUBLE", "datetime": "TIMESTAMP WITH TIME ZONE"}

// empty is the view of a table that has no files yet.
func (t scriptTable) empty(b *bytes.Buffer) {
	var columns []string
	for _, c := range t.columns {
		if slices.Contains(t.hidden, c.Name) {
			continue
		}
		kind := sqlTypes[c.Type]
		if kind == "" {
			kind = "VARCHAR"
		}
		columns = append(columns, fmt.Sprintf("CAST(NULL AS %s) AS %s", kind, ident(c.Name)))
	}
	fmt.Fprintf(b, "CREATE OR REPLACE TEMP VIEW %s AS SELECT %s WHERE false;\n", ident(t.name), strings.Join(columns, ", "))
}

// write writes the views and macros of a table.
func (t scriptTable) write(b *bytes.Buffer) {
	union := ""
	if t.extended {
		union = ", union_by_name = true"
	}
	hidden := make([]string, len(t.hidden))
	for i, h := range t.hidden {
		hidden[i] = ident(h)
	}
	shown := "*"
	if len(hidden) > 0 {
		shown = "* EXCLUDE (" + strings.Join(hidden, ", ") + ")"
	}
	fmt.Fprint(b, strings.NewReplacer(
		"{T}", t.name, "{Q}", ident(t.name), "{UNION}", union, "{SHOWN}", shown,
		"{COMPARED}", "* EXCLUDE ("+strings.Join(append(hidden, `"tvm file"`), ", ")+")",
	).Replace(`CREATE OR REPLACE TEMP VIEW "{T}_log" AS
SELECT CAST(left(parse_filename(filename), 20) AS BIGINT) AS version, commitInfo."timestamp" AS ts, "add".path AS added, "remove".path AS removed
FROM read_json(getvariable('tvm') || '/{T}/_delta_log/*.json', format = 'newline_delimited', filename = true, maximum_object_size = 1073741824,
    columns = {commitInfo: 'STRUCT("timestamp" BIGINT)', "add": 'STRUCT(path VARCHAR)', "remove": 'STRUCT(path VARCHAR)'});
CREATE OR REPLACE TEMP MACRO "{T}_files"(t) AS TABLE
WITH log AS MATERIALIZED (SELECT * FROM "{T}_log"),
newest AS (
    SELECT CASE
        WHEN (SELECT min(version) FROM log) > 0 THEN error('the log of {T} begins with a checkpoint: tvmexport show {T} --as-of reads it')
        WHEN max(version) IS NULL THEN error('the log of {T} has no commit at ' || t || ' or before it')
        ELSE max(version) END AS version
    FROM log WHERE ts <= epoch_ms(CAST(t AS TIMESTAMP WITH TIME ZONE))),
known AS MATERIALIZED (SELECT log.* FROM log, newest WHERE log.version <= newest.version),
live AS (
    SELECT getvariable('tvm') || '/{T}/' || added AS filename FROM known
    WHERE added IS NOT NULL AND NOT EXISTS (SELECT 1 FROM known later WHERE later.removed = known.added AND later.version > known.version))
SELECT CASE WHEN there.file IS NULL THEN error('the file ' || live.filename || ' is gone: another program has removed it') ELSE live.filename END AS filename
FROM live LEFT JOIN glob(getvariable('tvm') || '/{T}/data/**/*.parquet') there ON there.file = live.filename;
CREATE OR REPLACE TEMP MACRO "{T}_rows_as_of"(t) AS TABLE
SELECT * EXCLUDE ("tvm file") FROM read_parquet(getvariable('tvm') || '/{T}/data/**/*.parquet', filename = 'tvm file', hive_partitioning = false{UNION})
WHERE "tvm file" IN (SELECT filename FROM "{T}_files"(t));
CREATE OR REPLACE TEMP MACRO "{T}_as_of"(t) AS TABLE SELECT {SHOWN} FROM "{T}_rows_as_of"(t);
CREATE OR REPLACE TEMP MACRO "{T}_changes"(a, b) AS TABLE
WITH first AS MATERIALIZED (SELECT filename FROM "{T}_files"(a)), last AS MATERIALIZED (SELECT filename FROM "{T}_files"(b)),
before AS MATERIALIZED (
    SELECT {COMPARED} FROM read_parquet(getvariable('tvm') || '/{T}/data/**/*.parquet', filename = 'tvm file', hive_partitioning = false{UNION})
    WHERE "tvm file" IN (SELECT filename FROM first EXCEPT SELECT filename FROM last)),
after AS MATERIALIZED (
    SELECT {COMPARED} FROM read_parquet(getvariable('tvm') || '/{T}/data/**/*.parquet', filename = 'tvm file', hive_partitioning = false{UNION})
    WHERE "tvm file" IN (SELECT filename FROM last EXCEPT SELECT filename FROM first))
SELECT 'removed' AS "Change", * FROM (FROM before EXCEPT ALL FROM after)
UNION ALL
SELECT 'added' AS "Change", * FROM (FROM after EXCEPT ALL FROM before);
SET VARIABLE "{T}_now" = (SELECT list(filename) FROM "{T}_files"('9999-12-31 00:00:00Z'));
CREATE OR REPLACE TEMP VIEW {Q} AS
SELECT {SHOWN} FROM read_parquet(coalesce(getvariable('{T}_now'), [getvariable('tvm') || '/{T}/data/**/*.parquet']), hive_partitioning = false{UNION})
WHERE getvariable('{T}_now') IS NOT NULL;
`))
}
