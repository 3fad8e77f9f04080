package parquet_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

// vulnerabilities are the columns of the largest table.
var vulnerabilities = []tvmexport.Column{
	{Name: "DeviceId", Type: "string"},
	{Name: "DeviceName", Type: "string"},
	{Name: "OSPlatform", Type: "string"},
	{Name: "OSVersion", Type: "string"},
	{Name: "OSArchitecture", Type: "string"},
	{Name: "SoftwareVendor", Type: "string"},
	{Name: "SoftwareName", Type: "string"},
	{Name: "SoftwareVersion", Type: "string"},
	{Name: "CveId", Type: "string"},
	{Name: "VulnerabilitySeverityLevel", Type: "string"},
	{Name: "RecommendedSecurityUpdate", Type: "string"},
	{Name: "CveTags", Type: "dynamic"},
	{Name: "RunId", Type: "string"},
	{Name: "Partition", Type: "string"},
	{Name: "ExportedAt", Type: "datetime"},
}

// generator makes rows of a table in which a device has 200 vulnerabilities. It makes
// its texts beforehand, so that a benchmark measures the writer.
type generator struct {
	devices, software, cves [][]byte
	row                     []parquet.Value
	r                       *rand.Rand
}

func newGenerator() *generator {
	g := &generator{row: make([]parquet.Value, len(vulnerabilities)), r: rand.New(rand.NewPCG(1, 2))}
	for range 25_000 {
		g.devices = append(g.devices, fmt.Appendf(nil, "%016x%016x%08x", g.r.Uint64(), g.r.Uint64(), g.r.Uint32()))
	}
	for i := range 2000 {
		g.software = append(g.software, fmt.Appendf(nil, "product_%d", i))
	}
	for i := range 30_000 {
		g.cves = append(g.cves, fmt.Appendf(nil, "CVE-%d-%d", 2015+i%12, 1000+i))
	}
	return g
}

var (
	platforms  = [][]byte{[]byte("Windows11"), []byte("Windows10"), []byte("WindowsServer2022"), []byte("Linux"), []byte("macOS")}
	severities = [][]byte{[]byte("Low"), []byte("Medium"), []byte("High"), []byte("Critical")}
	versions   = [][]byte{[]byte("10.0.22631.4460"), []byte("10.0.19045.5131"), []byte("24.04"), []byte("15.1")}
	updates    = [][]byte{[]byte("November 2026 Security Updates"), []byte("October 2026 Security Updates"), []byte("KB5046633")}
	when       = time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
)

func (g *generator) next(i int) []parquet.Value {
	d := i / 200
	device, software, cve := g.devices[d%len(g.devices)], g.software[g.r.IntN(len(g.software))], g.cves[g.r.IntN(len(g.cves))]
	text := parquet.Text
	g.row[0], g.row[1], g.row[2], g.row[3], g.row[4] = text(device), text(device[:12]), text(platforms[d%5]), text(versions[d%4]), text([]byte("x64"))
	g.row[5], g.row[6], g.row[7], g.row[8] = text(software[:9]), text(software), text(versions[len(software)%4]), text(cve)
	g.row[9], g.row[10] = text(severities[int(cve[len(cve)-1])%4]), text(updates[int(cve[len(cve)-1])%3])
	g.row[11] = parquet.Value{}
	if cve[len(cve)-1] == '7' {
		g.row[11] = text([]byte(`["ZeroDay"]`))
	}
	g.row[12], g.row[13], g.row[14] = text([]byte("20261130T060000Z-0123456789abcdef")), text(device[:4]), parquet.Time(when)
	return g.row
}

func cpu(t testing.TB) time.Duration {
	t.Helper()
	return time.Duration(cpuNanos(t))
}

// BenchmarkWrite writes rows into files of a million rows each, and says how many rows a second
// of CPU time writes, the bytes of a row, and the greatest heap.
//
//	go test ./lake/parquet -run '^$' -bench Write -benchtime 5000000x
func BenchmarkWrite(b *testing.B) {
	g := newGenerator()
	var bytes int64
	var most uint64
	var w *parquet.Writer
	closeFile := func() {
		if w == nil {
			return
		}
		s, err := w.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes += s.Bytes
	}
	began := cpu(b)
	b.ResetTimer()
	for i := range b.N {
		if i%1_000_000 == 0 {
			closeFile()
			var err error
			if w, err = parquet.NewWriter(io.Discard, vulnerabilities, codec); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Append(g.next(i)); err != nil {
			b.Fatal(err)
		}
		if i%250_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}
	}
	closeFile()
	b.ReportMetric(float64(b.N)/(cpu(b)-began).Seconds(), "rows/cpu-s")
	b.ReportMetric(float64(bytes)/float64(b.N), "B/row")
	b.ReportMetric(float64(most)/(1<<20), "heap-MB")
}

// BenchmarkRead reads what BenchmarkWrite writes.
func BenchmarkRead(b *testing.B) {
	g := newGenerator()
	var file bytes.Buffer
	w, err := parquet.NewWriter(&file, vulnerabilities, codec)
	if err != nil {
		b.Fatal(err)
	}
	const rows = 500_000
	for i := range rows {
		if err := w.Append(g.next(i)); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		b.Fatal(err)
	}
	began := cpu(b)
	b.ResetTimer()
	for read := 0; read < b.N; {
		r, err := parquet.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()), vulnerabilities)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range r.Rows(b.Context(), nil) {
			if err != nil {
				b.Fatal(err)
			}
			if read++; read >= b.N {
				break
			}
		}
	}
	b.ReportMetric(float64(b.N)/(cpu(b)-began).Seconds(), "rows/cpu-s")
}

// BenchmarkWriteGroups writes rows into 256 files at the same time, as a full run of a table does
// whose answers have rows of many partitions.
func BenchmarkWriteGroups(b *testing.B) {
	g := newGenerator()
	var bytes int64
	var most uint64
	var files [256]*parquet.Writer
	began := cpu(b)
	b.ResetTimer()
	for i := range b.N {
		f := &files[i/200%len(files)]
		if *f == nil {
			var err error
			if *f, err = parquet.NewWriter(io.Discard, vulnerabilities, codec); err != nil {
				b.Fatal(err)
			}
		}
		if err := (*f).Append(g.next(i)); err != nil {
			b.Fatal(err)
		}
		if i%250_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}
	}
	for _, f := range files {
		if f == nil {
			continue
		}
		s, err := f.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes += s.Bytes
	}
	b.ReportMetric(float64(b.N)/(cpu(b)-began).Seconds(), "rows/cpu-s")
	b.ReportMetric(float64(bytes)/float64(b.N), "B/row")
	b.ReportMetric(float64(most)/(1<<20), "heap-MB")
}

// BenchmarkWriteSmallFiles writes one file after the other, of as many rows as the files of a
// partitioned table have.
func BenchmarkWriteSmallFiles(b *testing.B) {
	g := newGenerator()
	var bytes int64
	began := cpu(b)
	b.ResetTimer()
	for i := 0; i < b.N; {
		w, err := parquet.NewWriter(io.Discard, vulnerabilities, codec)
		if err != nil {
			b.Fatal(err)
		}
		for range 2000 {
			if err := w.Append(g.next(i)); err != nil {
				b.Fatal(err)
			}
			if i++; i >= b.N {
				break
			}
		}
		s, err := w.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes += s.Bytes
	}
	b.ReportMetric(float64(b.N)/(cpu(b)-began).Seconds(), "rows/cpu-s")
	b.ReportMetric(float64(bytes)/float64(b.N), "B/row")
}
