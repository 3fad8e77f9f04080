package tenant_test

import (
	"runtime"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// heap is the bytes that are in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A large tenant is small in memory, and a scan of its rows allocates next to
// nothing.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	before := heap()
	x := tenant.New(documented(20_000, 1))
	x.Advance(3)
	if got := (heap() - min(before, heap())) >> 20; got > 150 {
		t.Errorf("a tenant of 20,000 devices takes %d MB, want at most 150", got)
	}
	count := func(r kql.Relation, q kql.Request) (rows int) {
		for range r.Scan(t.Context(), q) {
			rows++
		}
		return rows
	}
	some := relation(t, x.Catalog(), vulnerabilities)
	q := kql.Request{Need: []bool{}, Where: []kql.Condition{{Column: columnAt(t, some, "DeviceId"), Prefixes: []string{"7"}}}}
	if n := 16 * count(some, q); n < 4_000_000 || n > 6_500_000 {
		t.Errorf("%d vulnerabilities by the ids with one first digit, want about five million", n)
	}
	runtime.KeepAlive(x)

	r := relation(t, tenant.New(documented(500, 1)).Catalog(), vulnerabilities)
	if n := testing.AllocsPerRun(1, func() { count(r, kql.Request{}) }); n > 200 {
		t.Errorf("a scan of %d rows allocates %v times", count(r, kql.Request{}), n)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		tenant.New(documented(20_000, 1))
	}
}

func BenchmarkAdvance(b *testing.B) {
	x := tenant.New(documented(20_000, 1))
	for b.Loop() {
		x.Advance(1)
	}
}

func BenchmarkScan(b *testing.B) {
	c := tenant.New(documented(2_000, 1)).Catalog()
	for _, bench := range []struct {
		name, table string
		need        []bool
	}{
		{"vulnerabilities/count", vulnerabilities, make([]bool, 15)},
		{"vulnerabilities/key", vulnerabilities, []bool{true}},
		{"vulnerabilities/all", vulnerabilities, nil},
		{"inventory/all", "DeviceTvmSoftwareInventory", nil},
		{"assessment/all", assessment, nil},
		{"kb/key", kb, []bool{true}},
		{"kb/all", kb, nil},
		{"processes/all", "DeviceProcessEvents", nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := relation(b, c, bench.table)
			rows := 0
			for b.Loop() {
				for range r.Scan(b.Context(), kql.Request{Need: bench.need}) {
					rows++
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkHunting runs what an exporter asks of a table: the plan, with counts
// and fingerprints of all partitions, and the rows of a slice with theirs.
func BenchmarkHunting(b *testing.B) {
	const print = `extend PrintOfRow = hash_sha256(strcat(tostring(strlen(DeviceId)), ':', DeviceId, tostring(strlen(DeviceName)), ':', DeviceName, tostring(strlen(OSPlatform)), ':', OSPlatform, tostring(strlen(OSVersion)), ':', OSVersion, tostring(strlen(SoftwareVendor)), ':', SoftwareVendor, tostring(strlen(SoftwareName)), ':', SoftwareName, tostring(strlen(SoftwareVersion)), ':', SoftwareVersion, tostring(strlen(CveId)), ':', CveId, tostring(strlen(tostring(pack_array(CveTags)))), ':', tostring(pack_array(CveTags)), tostring(strlen(CveMitigationStatus)), ':', CveMitigationStatus))`
	const sums = `PrintA = sum(tolong(strcat('0x', substring(PrintOfRow, 0, 10)))), PrintB = sum(tolong(strcat('0x', substring(PrintOfRow, 10, 10)))), PrintC = sum(tolong(strcat('0x', substring(PrintOfRow, 20, 10))))`
	c := tenant.New(options(500, 1)).Catalog()
	for _, bench := range []struct{ name, query string }{
		{"plan", `let counted = DeviceTvmSoftwareVulnerabilities | extend PartitionKey = DeviceId;
union (counted | ` + print + ` | summarize Rows = count(), Low = min(PartitionKey), High = max(PartitionKey), ` + sums + ` by Part = substring(PartitionKey, 0, 3)),
(counted | summarize Rows = count() by Part = substring(PartitionKey, 0, 3) | summarize Rows = sum(Rows), Parts = count())`},
		{"slice", `let answer = DeviceTvmSoftwareVulnerabilities
| where (DeviceId startswith_cs '3' and not(DeviceId matches regex '^3[0-9a-f]')) or substring(DeviceId, 0, 1) in ('0', '1', '2') or substring(DeviceId, 0, 2) in ('30', '31', '32');
union (answer | extend CveTags = tostring(pack_array(CveTags))), (answer | ` + print + ` | summarize RowsOfAnswer = count(), ` + sums + `)`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			q, err := kql.Compile(bench.query, kql.Environment{Catalog: c})
			if err != nil {
				b.Fatal(err)
			}
			s := q.Statements[0]
			for b.Loop() {
				for _, err := range s.Rows(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(s.Stats().RowsScanned)/2/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
