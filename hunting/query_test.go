package hunting

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

var (
	inventory = tvmexport.Table{
		Name: "DeviceTvmSoftwareInventory", Key: tvmexport.Key{Column: "DeviceId"},
		Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "EndOfSupportDate", Type: "datetime"}},
	}
	knowledge = tvmexport.Table{
		Name: "DeviceTvmBrowserExtensionsKB", Key: tvmexport.Key{Hashed: []string{"BrowserName", "ExtensionId"}},
		Columns: []tvmexport.Column{{Name: "BrowserName", Type: "string"}, {Name: "ExtensionVersion", Type: "dynamic"}},
	}
	events = tvmexport.Table{
		Name: "DeviceProcessEvents", Key: tvmexport.Key{Column: "DeviceId"}, Watermark: "Timestamp", LoadType: tvmexport.Incremental,
		Columns: []tvmexport.Column{{Name: "Timestamp", Type: "datetime"}, {Name: "DeviceId", Type: "string"}},
	}
	noon = time.Date(2026, 11, 23, 12, 0, 0, 123_456_700, time.UTC)
)

func children(p tvmexport.Partition) (out []tvmexport.Partition) {
	for _, d := range []byte("0123456789abcdef~") {
		out = append(out, p.Child(d))
	}
	return out
}

func TestFetchQuery(t *testing.T) {
	got := phrasing{}.fetch(tvmexport.Slice{
		Table: knowledge, Partitions: []tvmexport.Partition{"3", "5"},
	}, "word:", []string{"ExtensionVersion"})
	want := `let answer = materialize(DeviceTvmBrowserExtensionsKB
| where substring(hash_sha256(strcat(BrowserName, '|', ExtensionId)), 0, 1) in ('3', '5'));
union (answer
| extend ExtensionVersion = tostring(pack_array(ExtensionVersion))), (answer | summarize RowsOfAnswer = count() | project BrowserName = strcat('word:', tostring(RowsOfAnswer)))`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPartitionConditions(t *testing.T) {
	const notHex = `not(DeviceId matches regex '^[0-9a-f]')`
	tests := []struct {
		name       string
		partitions []tvmexport.Partition
		want       string
	}{
		{"whole", []tvmexport.Partition{""}, ``},
		{"one prefix", []tvmexport.Partition{"3f"}, `DeviceId startswith_cs '3f'`},
		{"prefixes", []tvmexport.Partition{"3e", "3f"}, `DeviceId startswith_cs '3e' or DeviceId startswith_cs '3f'`},
		{"unexpected keys", []tvmexport.Partition{"~"}, notHex},
		{"rest of a prefix", []tvmexport.Partition{"3f~"}, `(DeviceId startswith_cs '3f' and not(DeviceId matches regex '^3f[0-9a-f]'))`},
		{"several depths", []tvmexport.Partition{"3f", "4", "~"}, notHex + ` or DeviceId startswith_cs '3f' or DeviceId startswith_cs '4'`},
		{"all children are the parent", children("3"), `DeviceId startswith_cs '3'`},
		{"all of everything is no condition", append(append(children("")[:3:3], children("3")...), children("")[4:]...), ``},
		{"by row hash", []tvmexport.Partition{"3f#a", "3f#b"}, `DeviceId startswith_cs '3f' and (substring(hash_sha256(strcat(tostring(DeviceId), '|', tostring(EndOfSupportDate))), 0, 1) in ('a', 'b'))`},
		{"by row hash, of several depths", []tvmexport.Partition{"#a0", "#b"}, `hash_sha256(strcat(tostring(DeviceId), '|', tostring(EndOfSupportDate))) startswith_cs 'b' or hash_sha256(strcat(tostring(DeviceId), '|', tostring(EndOfSupportDate))) startswith_cs 'a0'`},
		{"to be divided by row hash", []tvmexport.Partition{"#"}, ``},
	}
	for _, tt := range tests {
		if got := partitionCondition(inventory, tt.partitions); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestCountQueries(t *testing.T) {
	const proves = `
| summarize Rows = sum(Rows), Parts = count()
| project Proof = strcat('word:', tostring(Parts), '.', tostring(coalesce(Rows, 0))), Now = now())`
	clash := tvmexport.Table{Name: "T", Key: tvmexport.Key{Column: "DeviceId"}, Watermark: tvmexport.IngestionTime, Columns: []tvmexport.Column{
		{Name: "DeviceId", Type: "string"}, {Name: "PartitionKey", Type: "string"}, {Name: "PrintOfRow", Type: "int"}, {Name: "ingestedat", Type: "datetime"},
	}}
	tests := []struct{ got, want string }{
		{phrasing{}.parts(tvmexport.CountQuery{Table: inventory, Depth: 3}, "word:").text("counted"), `let counted = materialize(DeviceTvmSoftwareInventory
| extend PartitionKey = DeviceId
| summarize Rows = count(), Low = min(PartitionKey), High = max(PartitionKey) by Part = substring(PartitionKey, 0, 3));
union (counted), (counted` + proves},
		{phrasing{}.parts(tvmexport.CountQuery{Table: inventory, Depth: 2, Only: []tvmexport.Partition{"3e", "3f"}}, "word:").text("counted"), `let counted = materialize(DeviceTvmSoftwareInventory
| where DeviceId startswith_cs '3e' or DeviceId startswith_cs '3f'
| extend PartitionKey = DeviceId
| summarize Rows = count(), Low = min(PartitionKey), High = max(PartitionKey) by Part = substring(PartitionKey, 0, 2));
union (counted), (counted` + proves},
		{phrasing{}.parts(tvmexport.CountQuery{Table: inventory, Within: "3f#a", Depth: 1}, "word:").text("counted"), `let counted = materialize(DeviceTvmSoftwareInventory
| where DeviceId startswith_cs '3f' and (hash_sha256(strcat(tostring(DeviceId), '|', tostring(EndOfSupportDate))) startswith_cs 'a')
| extend PartitionKey = hash_sha256(strcat(tostring(DeviceId), '|', tostring(EndOfSupportDate)))
| summarize Rows = count(), Low = min(PartitionKey), High = max(PartitionKey) by Part = substring(PartitionKey, 0, 2));
union (counted), (counted` + proves},
		{phrasing{}.bins(tvmexport.CountQuery{Table: events, Window: tvmexport.Window{From: noon}, Bin: time.Hour, Nulls: true}, "word:").text("counted"), `let counted = materialize(DeviceProcessEvents
| where (Timestamp > datetime(2026-11-23T12:00:00.1234567Z)) or isnull(Timestamp)
| summarize Rows = count() by Start = bin(Timestamp, 3600s));
union (counted), (counted` + proves},
		{phrasing{}.bins(tvmexport.CountQuery{Table: events, Window: tvmexport.Window{From: noon, To: noon.Add(time.Hour)}, Bin: time.Minute}, "word:").text("counted"), `let counted = materialize(DeviceProcessEvents
| where Timestamp > datetime(2026-11-23T12:00:00.1234567Z) and Timestamp <= datetime(2026-11-23T13:00:00.1234567Z)
| summarize Rows = count() by Start = bin(Timestamp, 60s));
union (counted), (counted` + proves},
		// Names that the query adds hide no column of the table.
		{phrasing{}.parts(tvmexport.CountQuery{Table: clash, Depth: 1, Fingerprints: true}, "word:").text("counted"), `let counted = materialize(T
| extend PartitionKey_ = DeviceId
| extend PrintOfRow_ = hash_sha256(strcat(tostring(strlen(DeviceId)), ':', DeviceId, tostring(strlen(PartitionKey)), ':', PartitionKey, tostring(strlen(tostring(PrintOfRow))), ':', tostring(PrintOfRow), tostring(strlen(tostring(['ingestedat']))), ':', tostring(['ingestedat'])))
| summarize Rows = count(), Low = min(PartitionKey_), High = max(PartitionKey_), PrintA = sum(tolong(strcat('0x', substring(PrintOfRow_, 0, 10)))), PrintB = sum(tolong(strcat('0x', substring(PrintOfRow_, 10, 10)))), PrintC = sum(tolong(strcat('0x', substring(PrintOfRow_, 20, 10)))) by Part = substring(PartitionKey_, 0, 1));
union (counted), (counted` + proves},
		{phrasing{}.bins(tvmexport.CountQuery{Table: clash, Bin: time.Hour}, "word:").text("counted"), `let counted = materialize(T
| extend IngestedAt_ = ingestion_time()
| summarize Rows = count() by Start = bin(IngestedAt_, 3600s));
union (counted), (counted` + proves},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, tt.got); d != "" {
			t.Error(d)
		}
	}
}

func TestNullWindow(t *testing.T) {
	table := events
	table.Watermark = tvmexport.IngestionTime
	got := filters(table, tvmexport.Window{Null: true}, []tvmexport.Partition{""})
	if want := "\n| where isnull(ingestion_time())"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNamesAndTextsAreQuoted(t *testing.T) {
	for in, want := range map[string]string{"DeviceId": "DeviceId", "a b": "['a b']", "x'] | take 1": `['x\'] | take 1']`, `a\b`: `['a\\b']`} {
		if got := name(in); got != want {
			t.Errorf("name(%q) = %s, want %s", in, got, want)
		}
	}
}
