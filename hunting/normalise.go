package hunting

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
)

// normaliser brings the rows of an answer into the form that is published,
// whichever front they come from:
//
//   - keys that contain @odata.type are dropped, at every depth
//   - {} in a column that is not dynamic is null (Graph writes nulls so)
//   - a bool, which the wire calls SByte and writes as 0 or 1, is true or false
//   - dynamic columns that were asked for as text are JSON again
//   - integers keep all their digits, datetimes keep theirs
//   - columns that the schema does not name pass through
//
// Its memory is that of the largest row.
type normaliser struct {
	graph  bool
	mark   []byte // the JSON text that the counting row's column begins with: "word:
	markAt string
	key    tvmexport.Key

	columns  map[string]*column
	order    []*column // in the order of the last row, as a guess for the next
	declared []tvmexport.Column

	out     []byte
	keys    [][]byte // raw JSON text of the key columns of this row
	keyText []byte
	digest  []byte

	written int64
	counted int64
}

type column struct {
	name   string
	quoted []byte // "name":
	kind   string // Kusto type; "" if unknown
	asText bool   // dynamic, asked for as the text of a list of one
	key    int    // index among the key columns, from 1; 0 if it is none
}

func newNormaliser(t tvmexport.Table, api API, asText []string, mark string) *normaliser {
	n := &normaliser{
		graph: api == Graph, mark: []byte(`"` + mark), markAt: markColumn(t), key: t.Key,
		columns: make(map[string]*column, len(t.Columns)+4), counted: tvmexport.Missing,
	}
	for _, c := range t.Columns {
		n.column(c.Name).kind = c.Type
	}
	for _, name := range asText {
		n.column(name).asText = true
	}
	hashed := t.Key.Hashed
	if t.Key.Column != "" {
		hashed = []string{t.Key.Column}
	}
	for i, name := range hashed {
		n.column(name).key = i + 1
	}
	n.keys = make([][]byte, len(hashed))
	n.digest = make([]byte, hex.EncodedLen(sha256.Size))
	return n
}

func (n *normaliser) column(name string) *column {
	c := n.columns[name]
	if c == nil {
		quoted, err := jsontext.AppendQuote(nil, name)
		if err != nil { // invalid UTF-8 was replaced, which is what Kusto does too
			quoted = strconv.AppendQuote(nil, name)
		}
		c = &column{name: name, quoted: append(quoted, ':')}
		n.columns[name] = c
	}
	return c
}

// wireTypes are the types that the fronts' schemas name, as Kusto calls them.
var wireTypes = map[string]string{
	"sbyte": "bool", "boolean": "bool", "datetime": "datetime", "string": "string", "int32": "int", "int64": "long",
	"double": "real", "guid": "guid", "timespan": "timespan", "sqldecimal": "decimal", "object": "dynamic",
}

// schema takes the schema that the answer declares. What it says of a type
// counts for more than the catalogue.
func (n *normaliser) schema(text []byte) error {
	var list []struct{ Name, Type string }
	if err := json.Unmarshal(text, &list, json.MatchCaseInsensitiveNames(true)); err != nil {
		return fmt.Errorf("the schema of the answer: %w", err)
	}
	n.declared = make([]tvmexport.Column, 0, len(list))
	for _, s := range list {
		kind, ok := wireTypes[strings.ToLower(s.Type)]
		c := n.column(s.Name)
		if c.asText {
			kind, ok = "dynamic", true
		}
		if !ok {
			kind = "dynamic"
		}
		c.kind = kind
		n.declared = append(n.declared, tvmexport.Column{Name: s.Name, Type: kind})
	}
	return nil
}

// row brings one row into its normal form and gives it to w. text is a valid
// JSON object.
func (n *normaliser) row(text []byte, w tvmexport.RowWriter) error {
	n.out = append(n.out[:0], '{')
	for i := range n.keys {
		n.keys[i] = nil
	}
	m := members{text: text}
	for at := 0; m.next(); at++ {
		if n.graph && bytes.Contains(m.key, sidecar) {
			at--
			continue
		}
		c := n.find(at, m.key)
		if c.name == n.markAt && bytes.HasPrefix(m.value, n.mark) {
			return n.count(m.value)
		}
		if c.key > 0 {
			n.keys[c.key-1] = m.value
		}
		if len(n.out) > 1 {
			n.out = append(n.out, ',')
		}
		n.out = append(n.out, c.quoted...)
		if err := n.value(c, m.value); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	n.out = append(n.out, '}')
	key, err := n.rowKey()
	if err != nil {
		return err
	}
	n.written++
	return w.WriteRow(key, n.out)
}

var sidecar = []byte("@odata.type")

// find is the column of a key. Rows list their columns in the same order, so
// the guess is nearly always right.
func (n *normaliser) find(at int, key []byte) *column {
	if at < len(n.order) && string(key) == string(n.order[at].quoted[1:len(n.order[at].quoted)-2]) {
		return n.order[at]
	}
	name := string(key)
	if bytes.IndexByte(key, '\\') >= 0 {
		if b, err := jsontext.AppendUnquote(nil, `"`+name+`"`); err == nil {
			name = string(b)
		}
	}
	c := n.column(name)
	if at < len(n.order) {
		n.order[at] = c
	} else if at == len(n.order) {
		n.order = append(n.order, c)
	}
	return c
}

// count reads the row that carries the answer's count.
func (n *normaliser) count(value []byte) error {
	rows, err := strconv.ParseInt(string(bytes.TrimSuffix(value[len(n.mark):], []byte{'"'})), 10, 64)
	if err != nil {
		return fmt.Errorf("the row that carries the count says %q", value)
	}
	n.counted = rows
	return nil
}

// value writes one value in its normal form.
func (n *normaliser) value(c *column, v []byte) error {
	if c.kind == "dynamic" {
		switch {
		case c.asText && v[0] == '"':
			return n.fromText(v)
		case v[0] == '{' || v[0] == '[':
			return n.nested(v)
		}
		n.out = append(n.out, v...)
		return nil
	}
	switch v[0] {
	case '{': // Graph's null, or a value of a column that nobody described
		if m := (members{text: v}); !m.next() {
			n.out = append(n.out, "null"...)
			return nil
		}
		return n.nested(v)
	case '[':
		return n.nested(v)
	case '0', '1':
		if c.kind == "bool" && len(v) == 1 {
			n.out = strconv.AppendBool(n.out, v[0] == '1')
			return nil
		}
	}
	n.out = append(n.out, v...)
	return nil
}

// fromText takes the element out of the text of a list of one.
func (n *normaliser) fromText(v []byte) error {
	start := len(n.out)
	out, err := jsontext.AppendUnquote(n.out, v)
	if err != nil {
		return err
	}
	text := jsontext.Value(out[start:])
	if len(text) == 0 { // the whole is null, as in the row that carries the count
		n.out = append(n.out[:start], "null"...)
		return nil
	}
	if len(text) < 3 || text[0] != '[' || text[len(text)-1] != ']' {
		return fmt.Errorf("%.80q is not the text of a list of one", text)
	}
	inner := text[1 : len(text)-1]
	if !inner.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return fmt.Errorf("%.80q is not the text of a list of one", text)
	}
	if err := inner.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return err
	}
	n.out = append(out[:start], inner...)
	return nil
}

// nested writes an object or list as it is on the wire: on Graph without the
// sidecars, an empty object as null, and objects that travel as text inside a
// list as objects again.
func (n *normaliser) nested(v []byte) error {
	if !n.graph {
		return n.compact(v)
	}
	return n.graphValue(v)
}

func (n *normaliser) compact(v []byte) error {
	start := len(n.out)
	n.out = append(n.out, v...)
	text := jsontext.Value(n.out[start:])
	err := text.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	n.out = n.out[:start+len(text)]
	return err
}

func (n *normaliser) graphValue(v []byte) error {
	switch v[0] {
	case '{':
		start, first := len(n.out), true
		n.out = append(n.out, '{')
		bag := false
		for m := (members{text: v}); m.next(); {
			if bytes.Contains(m.key, sidecar) {
				bag = true
				continue
			}
			if !first {
				n.out = append(n.out, ',')
			}
			first = false
			n.out = append(n.out, '"')
			n.out = append(n.out, m.key...)
			n.out = append(n.out, '"', ':')
			if err := n.graphValue(m.value); err != nil {
				return err
			}
		}
		if first && !bag {
			n.out = append(n.out[:start], "null"...)
			return nil
		}
		n.out = append(n.out, '}')
	case '[':
		n.out = append(n.out, '[')
		first := true
		for e := (elements{text: v}); e.next(); {
			if !first {
				n.out = append(n.out, ',')
			}
			first = false
			if err := n.graphElement(e.value); err != nil {
				return err
			}
		}
		n.out = append(n.out, ']')
	default:
		n.out = append(n.out, v...)
	}
	return nil
}

// graphElement writes an element of a list. A string that holds a JSON object
// was an object: Graph declares lists of dynamics as lists of strings.
func (n *normaliser) graphElement(v []byte) error {
	if !bytes.HasPrefix(v, []byte(`"{`)) {
		return n.graphValue(v)
	}
	inner, err := jsontext.AppendUnquote(nil, v)
	if err != nil || !jsontext.Value(inner).IsValid(jsontext.AllowDuplicateNames(true)) {
		n.out = append(n.out, v...)
		return nil
	}
	return n.graphValue(inner)
}

// rowKey is the value of the table's key, in the form that partitions are
// prefixes of.
func (n *normaliser) rowKey() ([]byte, error) {
	n.keyText = n.keyText[:0]
	for i, raw := range n.keys {
		if i > 0 {
			n.keyText = append(n.keyText, keySeparator...)
		}
		if len(raw) == 0 || raw[0] != '"' {
			continue // an empty string: strings have no null
		}
		if bytes.IndexByte(raw, '\\') < 0 {
			n.keyText = append(n.keyText, raw[1:len(raw)-1]...)
			continue
		}
		var err error
		if n.keyText, err = jsontext.AppendUnquote(n.keyText, raw); err != nil {
			return nil, err
		}
	}
	if n.key.Column != "" || len(n.keys) == 0 {
		return n.keyText, nil
	}
	sum := sha256.Sum256(n.keyText)
	hex.Encode(n.digest, sum[:])
	return n.digest, nil
}
