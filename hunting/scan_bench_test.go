package hunting

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// answerOf is an answer of Graph with rows of a software inventory: 14 columns,
// sidecars for two of them, and one dynamic column.
func answerOf(rows int) (tvmexport.Table, []byte) {
	t := tvmexport.Table{Name: "T", Key: tvmexport.Key{Column: "DeviceId"}}
	var schema []string
	add := func(name, kind, wire string) {
		t.Columns = append(t.Columns, tvmexport.Column{Name: name, Type: kind})
		schema = append(schema, fmt.Sprintf(`{"name":%q,"type":%q}`, name, wire))
	}
	for _, name := range []string{"DeviceId", "DeviceName", "OSPlatform", "OSVersion", "OSArchitecture", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "EndOfSupportStatus", "ProductCodeCpe"} {
		add(name, "string", "String")
	}
	add("EndOfSupportDate", "datetime", "DateTime")
	add("IsExposed", "bool", "SByte")
	add("ReportId", "long", "Int64")
	add("DiskPaths", "dynamic", "Object")
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata","schema":[%s],"results":[`, strings.Join(schema, ","))
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"DeviceId":"%040x","DeviceName":"host-%d.corp.example.com","OSPlatform":"Windows11","OSVersion":"10.0.22631.%d","OSArchitecture":"x64","SoftwareVendor":"vendor-%d","SoftwareName":"product_%d","SoftwareVersion":"%d.%d.0.0","EndOfSupportStatus":"","ProductCodeCpe":"cpe:2.3:a:vendor-%d:product_%d:%d.%d.0.0:*:*:*:*:*:*:*","EndOfSupportDate":"2027-01-31T00:00:00Z","IsExposed@odata.type":"#SByte","IsExposed":%d,"ReportId":%d,"DiskPaths@odata.type":"#Collection(String)","DiskPaths":["C:\\Program Files\\Vendor %d\\product.exe","C:\\ProgramData\\Vendor %d"]}`,
			i, i/40, i%4000, i%90, i%700, i%12, i%30, i%90, i%700, i%12, i%30, i%2, 1_000_000+i, i%90, i%90)
	}
	b.WriteString("]}")
	return t, b.Bytes()
}

// dropped takes rows and drops them.
type dropped struct{ rows int }

func (d *dropped) WriteRow(_, _ []byte) error {
	d.rows++
	return nil
}

// readers turn an answer into rows.
var readers = []struct {
	name string
	rows func(n *normaliser, text []byte, w tvmexport.RowWriter) error
}{
	{"scan", rowsByScan},
	{"jsontext", rowsByJSONText},
}

// rowsByScan is what Fetch does.
func rowsByScan(n *normaliser, text []byte, w tvmexport.RowWriter) error {
	body, err := openBody(&http.Response{Body: io.NopCloser(bytes.NewReader(text)), Header: http.Header{}})
	if err != nil {
		return err
	}
	return body.rows(n, w)
}

// rowsByJSONText does the same with jsontext, apart from the replacement of lone
// surrogates and invalid UTF-8. The conversion of values is the same code.
func rowsByJSONText(n *normaliser, text []byte, w tvmexport.RowWriter) error {
	var partition []byte
	begin := func() {
		n.text, n.from, n.to, n.out = nil, 0, 0, append(n.out[:0], '{')
		n.odd, n.lone = n.odd[:0], false
		n.key.reset()
		n.schema.nextRow()
	}
	return walkJSONText(text, begin, func(key, value []byte) error {
		c, err := n.schema.find(key)
		if err != nil || c.sidecar {
			return err
		}
		if err := n.schema.mark(c); err != nil {
			return err
		}
		if c.key > 0 {
			partition = append(partition[:0], value...) // value is valid until the next read
			n.key.take(c.key, partition)
		}
		return n.member(c, &wire.Members{Key: key, Value: value})
	}, func() error { return n.give(nil, false, w) })
}

// BenchmarkAnswer reads a whole answer and makes its rows.
func BenchmarkAnswer(b *testing.B) {
	t, text := answerOf(5000)
	for _, r := range readers {
		b.Run(r.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var d dropped
				if err := r.rows(newNormaliser(Graph, tvmexport.Slice{Table: t}, mark, nil, t.Columns), text, &d); err != nil {
					b.Fatal(err)
				}
				if d.rows != 5000 {
					b.Fatalf("%d rows", d.rows)
				}
			}
		})
	}
}

// TestReadersAgree keeps the comparison fair: both make the same rows.
func TestReadersAgree(t *testing.T) {
	table, text := answerOf(300)
	var want rowsOf
	for _, r := range readers {
		var got rowsOf
		if err := r.rows(newNormaliser(Graph, tvmexport.Slice{Table: table}, mark, nil, table.Columns), text, &got); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		if want.rows == nil {
			want = got
		}
		if len(got.rows) != 300 || !slices.Equal(got.rows, want.rows) || !slices.Equal(got.keys, want.keys) {
			t.Errorf("%s makes other rows:\n%s\n%s", r.name, got.rows[0], want.rows[0])
		}
	}
}

// walkJSONText finds the members of each row with jsontext.
func walkJSONText(text []byte, begin func(), member func(key, value []byte) error, end func() error) error {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var key []byte
	for {
		token, err := d.ReadToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if d.StackDepth() != 1 || token.Kind() != '"' || token.String() != "results" {
			continue
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() == '{' {
			if _, err := d.ReadToken(); err != nil {
				return err
			}
			begin()
			for d.PeekKind() == '"' {
				name, err := d.ReadValue()
				if err != nil {
					return err
				}
				key = append(key[:0], name[1:len(name)-1]...) // the next read may move the buffer
				value, err := d.ReadValue()
				if err != nil {
					return err
				}
				if err := member(key, value); err != nil {
					return err
				}
			}
			if _, err := d.ReadToken(); err != nil {
				return err
			}
			if err := end(); err != nil {
				return err
			}
		}
	}
}
