package views

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// changesFunction shows what is different between the states as of two times,
// and in which run it showed.
func changesFunction(prefix string, t tvmexport.Table, s Source) Function {
	name := prefix + t.Name + "Changes"
	const params = "from: datetime, ['to']: datetime" + orEmptyDeclared
	if t.LoadType != tvmexport.Snapshot {
		return read(name, params, "rows of "+t.Name+" that were added by runs committed after from and not after to; a row whose Change is gap stands for the events between Before.From and Before.To, which the source no longer had", addedRows(t, s))
	}
	shown := everShown(t, s)
	key := keyColumns(t, shown)
	doc := "rows of " + t.Name + " added, removed or modified between the states as of from and to"
	if len(key) > 0 {
		doc += ", modified by " + strings.Join(namesIn(key), ", ")
	}
	if ignored := uncompared(t, shown); len(ignored) > 0 {
		doc += "; a change in " + strings.Join(ignored, ", ") + " alone is none"
	}
	doc += "; no rows with orEmpty where no run was committed by from" + reasonDoc(t, key)
	f := read(name, params, doc, differences(prefix, t, s, shown, key))
	f.Calls = []string{asOfName(prefix, t)}
	return f
}

// toParameter is a word of the language, which has to be quoted.
const toParameter = "['to']"

func namesIn(columns []tvmexport.Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

// uncompared are the columns whose changes alone make no modification.
func uncompared(t tvmexport.Table, shown []tvmexport.Column) []string {
	out := slices.Clone(t.Volatile)
	for _, c := range shown {
		if slices.Contains(t.Seen, c.Name) && !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// keyColumns are those of the natural key, none where one of them is not shown. Without
// the group a row is known as well: that it moved is then no change. A group that is not
// shown any more would make all rows others.
func keyColumns(t tvmexport.Table, shown []tvmexport.Column) []tvmexport.Column {
	var out []tvmexport.Column
	for _, name := range t.NaturalKey {
		i := slices.IndexFunc(shown, func(c tvmexport.Column) bool { return c.Name == name })
		switch {
		case name == t.Trace.Group && !slices.ContainsFunc(t.Visible(), func(c tvmexport.Column) bool { return c.Name == name }):
		case i < 0:
			return nil
		default:
			out = append(out, shown[i])
		}
	}
	return out
}

// addedRows are those of the runs between two times. Rows without a watermark,
// which come again with each run, are left out.
func addedRows(t tvmexport.Table, s Source) string {
	lets, rows := s.State(t, toParameter)
	columns := changeNames(t.Visible(), ownNames)
	at, committed := "At", "At"
	if renamed(t.Visible(), columns, "At") {
		at, committed = "CommittedAt = At", "At = CommittedAt"
	}
	added := rows + fmt.Sprintf(`| where not(Partition startswith_cs %s)
| join kind=inner (Visible | where At > from | project RunId, %s) on RunId
`, kql.Literal(tvmexport.NullWatermark), at) + changeColumns(`"added"`, committed, s.Values(t.Visible()), columns, "dynamic(null)")
	return lets + "union (\n" + indented(added) + "), (\n" + indented(gaps(t)) + ")\n"
}

// gaps are the gaps that runs between two times noted, a row each, without values in the
// columns of Defender. Unlike added rows they stay after a full run: no run can close them.
// Of a run that is recorded as committed twice the first record counts.
func gaps(t tvmexport.Table) string {
	return fmt.Sprintf(`%s
| where Table == %s and State == %s and isnotnull(Detail.gap)
| summarize arg_min(At, Detail) by RunId
| where At > from and At <= %s
| project Change = "gap", RunId, At, Before = bag_pack("From", todatetime(Detail.gap["from"]), "To", todatetime(Detail.gap["to"]))
`, kql.RunsTable, kql.Literal(t.Name), kql.Literal(kql.CommittedState), toParameter)
}

// ownNames are the columns of Changes that no table of Defender has, and the
// names that its text uses on the way.
var ownNames = []string{
	"Change", "RunId", "At", "Before", "CommittedAt", "ThenOrNow", "KeyHash", "Content", "Were", "Are", "KeyWere", "KeyRows", "Differ",
	"Paired", "Copy",
}

// changeNames are the columns as Changes calls them: one that has a name of its
// own gets underscores behind it.
func changeNames(columns []tvmexport.Column, own []string) []tvmexport.Column {
	out := slices.Clone(columns)
	for i := range out {
		for slices.Contains(own, out[i].Name) || out[i].Name != columns[i].Name && slices.ContainsFunc(columns, func(c tvmexport.Column) bool { return c.Name == out[i].Name }) {
			out[i].Name += "_"
		}
	}
	return out
}

// renamed says whether Changes calls the column another name.
func renamed(columns, as []tvmexport.Column, name string) bool {
	i := slices.IndexFunc(columns, func(c tvmexport.Column) bool { return c.Name == name })
	return i >= 0 && as[i].Name != name
}

// renames is the operator that gives columns their names in Changes; "" if all
// keep theirs.
func renames(columns, as []tvmexport.Column) string {
	var list []string
	for i, c := range columns {
		if as[i].Name != c.Name {
			list = append(list, kql.Ident(as[i].Name)+" = "+kql.Ident(c.Name))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " | project-rename " + strings.Join(list, ", ")
}

// changeColumns is the projection of a row of changes.
func changeColumns(change, at string, values []string, columns []tvmexport.Column, before string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| project Change = %s,\n          RunId,\n          %s", change, at)
	for i, c := range columns {
		name := kql.Ident(c.Name)
		if values[i] != name {
			name += " = " + values[i]
		}
		b.WriteString(",\n          " + name)
	}
	return b.String() + ",\n          Before = " + before + "\n"
}

// differences compares two states row for row, as multisets. A content is the
// hash of a row; what it was in every run between is known of the contents
// that differ: a run that holds it says how often, a full run and one that
// records its partition say that it is not there otherwise. The run in which a
// difference showed is the last that changed how often the content is there.
func differences(prefix string, t tvmexport.Table, s Source, shown, key []tvmexport.Column) string {
	ignored := uncompared(t, shown)
	compared := slices.DeleteFunc(slices.Clone(shown), func(c tvmexport.Column) bool { return slices.Contains(ignored, c.Name) })
	stored := map[string]string{}
	for i, value := range s.Values(shown) {
		stored[shown[i].Name] = value
	}
	asOf := asOfName(prefix, t)
	own := ownNames
	if !t.Trace.IsZero() {
		own = slices.Concat(ownNames, reasonNames)
	}
	columns := changeNames(shown, own)
	names, called := make([]string, len(shown)), map[string]string{}
	for i, c := range columns {
		names[i], called[shown[i].Name] = kql.Ident(c.Name), kql.Ident(c.Name)
	}
	name := func(column string) string { return called[column] }
	rename := renames(shown, columns)
	keyHash, paired := `""`, "false"
	if len(key) > 0 {
		keyHash, paired = fingerprint.Row(key, name), "KeyRows == 1 and KeyWere == 1"
	}
	const removed = "Were > Are and not(Paired)"
	definition, why, join := "", "", ""
	if !t.Trace.IsZero() {
		reason := fmt.Sprintf("iff(%s, %s, \"\")", removed, kql.Literal(becameUnknown))
		if needed, _ := untraced(t, key); len(needed) == 0 {
			definition = ", Definition = take_any(tostring(Detail.definition))"
			why = reasons{table: t, source: s, key: key, called: name, stored: func(n string) string { return stored[n] }}.lets()
			join = "| join kind=leftouter Reasons on KeyHash\n| extend RunId = iff(isempty(GoneIn), RunId, GoneIn), At = coalesce(GoneAt, At)\n"
			reason = fmt.Sprintf("iff(%s and isempty(Cause), %s, Cause)", removed, kql.Literal(becameUnknown))
		}
		columns, names = append(columns, tvmexport.Column{Name: reasonColumn, Type: "string"}), append(names, reason)
	}
	return fmt.Sprintf(`let States = union (
    %[1]s(from, orEmpty)%[14]s | extend ThenOrNow = 0
), (
    %[1]s(['to'], orEmpty)%[14]s | extend ThenOrNow = 1
)
    | extend KeyHash = %[2]s, Content = %[3]s
    | summarize Were = countif(ThenOrNow == 0), Are = countif(ThenOrNow == 1), arg_max(ThenOrNow, *) by KeyHash, Content;
let Keys = States
    | summarize KeyWere = sum(Were), KeyRows = sum(Are), Differ = countif(Were != Are) by KeyHash
    | where Differ > 0;
let Changed = materialize(States
    | where Were != Are
    | join kind=inner Keys on KeyHash
    | extend Paired = %[4]s);
let Runs = ExportRuns
    | where Table == %[5]s and State == %[6]s and At <= ['to']
    | summarize At = min(At), Began = min(coalesce(todatetime(Detail.startedAt), datetime(1900-01-01)))%[15]s by RunId, Kind;
let Base = toscalar(Runs | where Kind == %[7]s and At <= from | summarize max(At));
let Known = toscalar(Runs | where At <= from | count) > 0;
let Steps = materialize(Runs
    | where isnull(Base) or At >= Base
    | order by At asc
    | extend Epoch = row_cumsum(iff(Kind == %[7]s, 1, 0)));
let Since = toscalar(Steps | summarize min(Began));
%[13]slet Seen = materialize(
%[8]s    | extend Content = %[9]s
    | where Content in (Changed | project Content)
    | summarize Copies = count() by Content, RunId, Partition
    | join kind=inner Steps on RunId
    | project Content, Partition, Copies, RunId, At, Epoch);
let Recorded = %[10]s
    | where Table == %[5]s and (isnull(ingestion_time()) or ingestion_time() >= Since)
    | where RunId in (Steps | where Kind != %[7]s | project RunId)
    | distinct RunId, Partition
    | join kind=inner Steps on RunId
    | project Partition, RunId, At, Epoch;
let Showed = union (
    Seen
    | project Content, RunId, At, Copies
), (
    Seen
    | distinct Content, Partition, Epoch
    | join kind=inner Recorded on Partition, Epoch
    | project Content, RunId, At, Copies = 0
), (
    Changed
    | project Content, One = 1
    | join kind=inner (Steps | where Kind == %[7]s | project RunId, At, One = 1) on One
    | project Content, RunId, At, Copies = 0
)
    | summarize Copies = sum(Copies) by Content, RunId, At
    | order by Content asc, At asc
    | extend Before = iff(prev(Content) == Content, prev(Copies), 0)
    | where Copies != Before and At > from
    | summarize arg_max(At, RunId) by Content;
let Was = Changed
    | where Paired and Were > Are
    | project KeyHash, Before = %[11]s;
%[16]sChanged
| where assert(from <= ['to'], %[12]s)
| where Known or not(orEmpty)
| where not(Paired) or Are > Were
| join kind=leftouter Was on KeyHash
| join kind=leftouter Showed on Content
%[17]s| mv-expand Copy = range(1, abs(Are - Were), 1) to typeof(long)
`, asOf, keyHash, fingerprint.Row(compared, name), paired,
		kql.Literal(t.Name), kql.Literal(kql.CommittedState), kql.Literal(string(tvmexport.FullRun)),
		indented(s.of(t, "Steps", toParameter)+s.Records()), fingerprint.Row(compared, func(n string) string { return stored[n] }), kql.PartitionsTable,
		packed(shown, name), kql.Literal(t.Name+"Changes: from lies after to"), s.placed(t), rename,
		definition, why, join) +
		changeColumns(`case(Paired, "modified", Are > Were, "added", "removed")`, "At", names, columns, "iff(Paired, Before, dynamic(null))")
}

// packArguments is how many columns one bag_pack gets.
const packArguments = 32

// packed is a bag of columns, which the text calls by name.
func packed(columns []tvmexport.Column, name func(string) string) string {
	var bags []string
	for part := range slices.Chunk(columns, packArguments) {
		var pairs []string
		for _, c := range part {
			pairs = append(pairs, kql.Literal(c.Name)+", "+name(c.Name))
		}
		bags = append(bags, "bag_pack("+strings.Join(pairs, ", ")+")")
	}
	if len(bags) == 1 {
		return bags[0]
	}
	return "bag_merge(" + strings.Join(bags, ", ") + ")"
}
