package engine

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/tvmexport/tvmexport"
)

func TestEnvelope(t *testing.T) {
	run := tvmexport.Run{ID: "R", Table: tvmexport.Table{Name: "T"}}
	s := tvmexport.Slice{Table: run.Table, Partitions: []tvmexport.Partition{"3", "~"}}
	var out strings.Builder
	l := newBatchEncoder("R.0001", run, s, &out)
	for _, row := range [][2]string{{"3f", `{"DeviceId":"3f","N":1}`}, {"", `{"DeviceId":""}`}, {"3~", `{"DeviceId":"3~"}`}} {
		if err := l.WriteRow([]byte(row[0]), []byte(row[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.close(tvmexport.Fingerprints{}); err != nil {
		t.Fatal(err)
	}
	want := `{"r":{"DeviceId":"3f","N":1},"b":"R.0001","n":1,"p":"3"}
{"r":{"DeviceId":""},"b":"R.0001","n":2,"p":"~"}
{"r":{"DeviceId":"3~"},"b":"R.0001","n":3,"p":"3"}
{"b":"R.0001","n":0,"c":3,"u":"R","s":{"partitions":["3","~"],"origin":{"id":"R","previous":"","kind":"","definition":"0f7bea7a844e41a6","startedAt":"0001-01-01T00:00:00Z"},"bytes":157,"counts":[2,1]}}
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	if l.bytes != int64(len(want)) || l.rows != 3 || fmt.Sprint(l.counts) != "[2 1]" {
		t.Errorf("%d bytes, %d rows, counts %v", l.bytes, l.rows, l.counts)
	}
}

func TestRowOutsideTheSliceIsRefused(t *testing.T) {
	l := newBatchEncoder("B", tvmexport.Run{}, tvmexport.Slice{Partitions: []tvmexport.Partition{"3", "4"}}, io.Discard)
	if err := l.WriteRow([]byte("5"), []byte(`{}`)); tvmexport.CauseOf(err) != tvmexport.Integrity {
		t.Errorf("got %v", err)
	}
}

func TestRowsWithoutWatermarkAreMarked(t *testing.T) {
	var out bytes.Buffer
	l := newBatchEncoder("B", tvmexport.Run{}, tvmexport.Slice{Window: tvmexport.Window{Null: true}, Partitions: []tvmexport.Partition{"3#a", "3#b"}}, &out)
	if err := l.WriteRow([]byte("3f"), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := l.close(tvmexport.Fingerprints{}); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(&out).ReadBytes('\n')
	var got struct{ P tvmexport.Partition }
	if err := json.Unmarshal(line, &got); err != nil || got.P != "null:3" {
		t.Errorf("partition %q (%v), want null:3", got.P, err)
	}
}

func TestChunksReadBackAndSeek(t *testing.T) {
	var c segmentBuffer
	want := bytes.Repeat([]byte("0123456789"), segmentSize/4)
	for part := range slices.Chunk(want, 777) {
		if _, err := c.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	r := c.reader()
	for range 2 {
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes read back, want %d (%v)", len(got), len(want), err)
		}
		if n, err := r.Seek(0, io.SeekStart); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	if n, err := r.Seek(0, io.SeekEnd); n != int64(len(want)) || err != nil {
		t.Errorf("the end is at %d (%v)", n, err)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("a place before the start")
	}
	c.release()
}

// BenchmarkPack is from rows to a gzip batch.
func BenchmarkPack(b *testing.B) {
	rows := make([][]byte, 10_000)
	var size int64
	for i := range rows {
		rows[i] = fmt.Appendf(nil, `{"DeviceId":"%040x","DeviceName":"host-%d.contoso.example","OSPlatform":"Windows11","OSVersion":"10.0.26100.4061","OSArchitecture":"x64","SoftwareVendor":"microsoft","SoftwareName":"edge_chromium-based","SoftwareVersion":"138.0.3351.%d","CveId":"CVE-2026-%d","VulnerabilitySeverityLevel":"High","RecommendedSecurityUpdate":"July 2026 Security Updates","RecommendedSecurityUpdateId":"5062553","CveTags":[],"CveMitigationStatus":"","AadDeviceId":"%036d"}`, i/250*7919, i/250, i%50, 10000+i, i/250)
		size += int64(len(rows[i]))
	}
	s := tvmexport.Slice{Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		var c segmentBuffer
		z, err := gzip.NewWriterLevel(&c, gzip.BestSpeed)
		if err != nil {
			b.Fatal(err)
		}
		l := newBatchEncoder("20261123T120000Z-0123456789ab.0001", tvmexport.Run{}, s, z)
		for _, row := range rows {
			if err := l.WriteRow(row[:40], row); err != nil {
				b.Fatal(err)
			}
		}
		if err := l.close(tvmexport.Fingerprints{}); err != nil {
			b.Fatal(err)
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size)/float64(c.size), "ratio")
		c.release()
	}
}

// A key is quoted where it is an id; any other may be a value of a row.
func TestKeysInErrors(t *testing.T) {
	id := strings.Repeat("0f", 20)
	for key, want := range map[string]string{
		id:           `key "` + id + `"`,
		"PC-of-Anna": "key of 10 bytes with a hash_sha256 that begins with ",
		id + "x":     "key of 41 bytes with a hash_sha256 that begins with ",
		"":           "key of 0 bytes with a hash_sha256 that begins with e3b0c44298fc1c14",
	} {
		l := newBatchEncoder("B", tvmexport.Run{}, tvmexport.Slice{Partitions: []tvmexport.Partition{"3"}}, io.Discard)
		for _, row := range []string{`{}`, strings.Repeat("x", tvmexport.MaxRecord+1)} {
			err := l.WriteRow([]byte(key), []byte(row))
			if err == nil || !strings.Contains(err.Error(), want) || key != id && key != "" && strings.Contains(err.Error(), key) {
				t.Errorf("%q: %v", key, err)
			}
		}
	}
}
