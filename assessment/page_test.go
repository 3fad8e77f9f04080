package assessment

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/internal/wire"
)

func TestPageForms(t *testing.T) {
	for _, tt := range []struct {
		text string
		rows int64
		next string
		bad  string
	}{
		{`{"@odata.context":"x","value":[{"a":1},{"b":[]}],"@odata.nextLink":"n"}`, 2, "n", ""},
		{` { "@odata.nextlink" : null , "Value" : [ ] , "other" : {"value":[1]} } `, 0, "", ""},
		{`{"@odata.nextLink":"a\u0062","value":[{}]}`, 1, "ab", ""},
		{`{"value":[{}],"value":[{}]}`, 0, "", "2 times"},
		{`{"@odata.context":"x"}`, 0, "", "0 times"},
		{`{"value":[{}]}{`, 0, "", "after the end"},
		{`{"value":[{}`, 0, "", "EOF"},
		{`{"value":[{},]}`, 0, "", "malformed"},
		{`{"value":{}}`, 0, "", "expected"},
		{`{"value":null}`, 0, "", "expected"},
		{`{"@odata.nextLink":7,"value":[]}`, 0, "", "expected"},
		{`[]`, 0, "", "expected"},
	} {
		nothing := func(text []byte) (int, error) {
			s := wire.Scan{Text: text}
			return s.Value(0, 0), nil
		}
		p, err := readPage(wire.NewStreamSize(strings.NewReader(tt.text), 16), true, nothing)
		switch {
		case tt.bad != "" && (err == nil || !strings.Contains(err.Error(), tt.bad)):
			t.Errorf("%s: %v", tt.text, err)
		case tt.bad == "" && (err != nil || p.rows != tt.rows || p.next != tt.next || p.digest == ""):
			t.Errorf("%s: %+v, %v", tt.text, p, err)
		}
	}
	p, err := readPage(wire.NewStream(strings.NewReader(`{"error":{"code":"x"}}`)), false, nil)
	if err != nil || string(p.failed) != `{"code":"x"}` {
		t.Errorf("an error object: %+v, %v", p, err)
	}
}

// What the places of pages say of the number of rows between them.
func TestCountsOfPages(t *testing.T) {
	at := func(file, line int) *place { return &place{file: file, line: line} }
	for _, tt := range []struct {
		rows     int64
		from     place
		to       *place
		complete bool
	}{
		{5, place{}, at(0, 5), true},
		{4, place{}, at(0, 5), false},
		{6, place{}, at(0, 5), false},
		{5, *at(2, 10), at(2, 15), true},
		{5, *at(2, 10), at(4, 3), true}, // the end of a file is not known
		{2, *at(2, 10), at(4, 3), false},
		{5, *at(2, 10), nil, true},
		{11, *at(2, 10), nil, false}, // more than was asked for
		{0, *at(2, 10), at(3, 0), true},
	} {
		if got := (page{rows: tt.rows}).count(tt.from, tt.to, 10) == tt.rows; got != tt.complete {
			t.Errorf("%d rows from %v to %v: complete is %t", tt.rows, tt.from, tt.to, got)
		}
	}
}
