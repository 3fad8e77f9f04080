package engine

import (
	"fmt"
	"iter"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// landedRows is what queued ingestion delivers into a landing table: records of
// vulnerabilities as JSON text.
func landedRows(n int) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		batch, run := value.NewString("20260102T030405Z-0001.0001"), value.NewString("20260102T030405Z-0001")
		row := make([]value.Value, 7)
		for i := range n {
			device := i / 250
			record := fmt.Sprintf(`{"DeviceId":"%040x","DeviceName":"ws-%04d.contoso.example","OSPlatform":"Windows11","OSVersion":"10.0.26100.%d",`+
				`"OSArchitecture":"x64","SoftwareVendor":"microsoft","SoftwareName":"windows_11","SoftwareVersion":"10.0.26100.%d","CveId":"CVE-2026-%05d",`+
				`"VulnerabilitySeverityLevel":"High","RecommendedSecurityUpdate":"January 2026 Security Updates","RecommendedSecurityUpdateId":"50%05d",`+
				`"CveTags":"[[\"ZeroDay\"]]","CveMitigationStatus":"","AadDeviceId":"00000000-0000-0000-0000-%012d"}`,
				uint64(device)*0x9E3779B97F4A7C15, device, device%9, device%7, i%2500, i%99, device)
			text, _ := value.JSONString(value.DynamicJSON(record))
			row[0], row[1], row[2] = text, batch, value.NewLong(int64(i+1))
			row[3], row[4], row[5], row[6] = value.NewString(fmt.Sprintf("%02x", device%256)), value.NewLong(int64(n)), run, value.Null(value.Dynamic)
			if !yield(row, nil) {
				return
			}
		}
	}
}

const (
	deduplicate = `Landing
| where BatchId in ("20260102T030405Z-0001.0001")
| where Line > 0 and not(not(Records startswith_cs "{" and Records endswith_cs "}"))
| summarize hint.strategy = shuffle take_any(Records, Partition) by BatchId, Line
`
	typedColumns = `DeviceId = tostring(P.DeviceId), DeviceName = tostring(P.DeviceName), OSPlatform = tostring(P.OSPlatform), OSVersion = tostring(P.OSVersion),
OSArchitecture = tostring(P.OSArchitecture), SoftwareVendor = tostring(P.SoftwareVendor), SoftwareName = tostring(P.SoftwareName), SoftwareVersion = tostring(P.SoftwareVersion),
CveId = tostring(P.CveId), VulnerabilitySeverityLevel = tostring(P.VulnerabilitySeverityLevel), RecommendedSecurityUpdate = tostring(P.RecommendedSecurityUpdate),
RecommendedSecurityUpdateId = tostring(P.RecommendedSecurityUpdateId), CveTags = todynamic(tostring(P.CveTags))[0], CveMitigationStatus = tostring(P.CveMitigationStatus), AadDeviceId = tostring(P.AadDeviceId)`
)

// BenchmarkPublish runs the commands and queries with which an exporter loads
// records, counts what has landed, and publishes it.
func BenchmarkPublish(b *testing.B) {
	const n = 50_000
	x := newBench(b)
	x.run(`.create table Landing (Records:string, BatchId:string, Line:long, Partition:string, BatchRows:long, RunId:string, Slice:dynamic)`)
	ingest := func(b *testing.B) {
		if _, err := x.Ingest(b.Context(), Ingestion{Principal: root, Database: "db", Table: "Landing", Rows: landedRows(n)}); err != nil {
			b.Fatal(err)
		}
	}
	ingest(b)
	measure := func(name string, each func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				each(b)
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "rows/s")
		})
	}
	run := func(csl string) func(*testing.B) { return func(*testing.B) { x.run(csl) } }
	measure("raw", run(".set-or-replace Raw <| "+deduplicate+`| project Records = parse_json(Records), RunId = "r", Partition, ExportedAt = datetime(2026-01-02)`))
	measure("typed", run(".set-or-replace Typed <| "+deduplicate+`| extend P = parse_json(Records) | project `+typedColumns+`, RunId = "r", Partition, ExportedAt = datetime(2026-01-02)`))
	measure("confirm", run(`Landing
| where BatchId startswith_cs "20260102T030405Z-0001."
| summarize Copies = count(), Nulls = countif(not(Records startswith_cs "{" and Records endswith_cs "}")), Unparsed = countif(Line > 0 and Records startswith_cs "{" and Records endswith_cs "}" and gettype(parse_json(Records)) != "dictionary"), Announced = max(BatchRows) by BatchId, Line
| summarize Rows = sumif(Copies, Line > 0), Lines = countif(Line > 0), Nulls = sumif(Nulls, Line > 0), Tail = maxif(Announced, Line == 0), Unparsed = countif(Unparsed > 0), FirstUnparsed = minif(Line, Unparsed > 0) by BatchId`))
	measure("values", run(`Landing
| where BatchId in ("20260102T030405Z-0001.0001") and Line > 0
| extend P = parse_json(Records)
| summarize N0 = count_distinctif(strcat(BatchId, "/", tostring(Line)), isnotempty(tostring(P.OSVersion)) and isnull(todatetime(P.OSVersion)))`))
	measure("ingest", func(b *testing.B) { ingest(b) })
}
