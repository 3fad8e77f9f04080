package defender

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func at(text string) value.Value {
	v, ok := value.ParseDateTime(text)
	if !ok {
		panic(text)
	}
	return v
}

func TestRowForms(t *testing.T) {
	guid, err := value.NewGUID("A48CCA56-E6DA-484E-A814-9C849652BCB3")
	if err != nil {
		t.Fatal(err)
	}
	decimal, err := value.NewDecimal("1.50")
	if err != nil {
		t.Fatal(err)
	}
	dynamic := value.DynamicJSON
	for _, tt := range []struct {
		name          string
		kind          value.Kind
		v             value.Value
		graph, legacy string
	}{
		{"string", value.String, value.NewString("MacBook \"Pro\" \u00fc</b>\n"), `{"X":"MacBook \"Pro\" ü</b>\n"}`, `{"X":"MacBook \"Pro\" ü</b>\n"}`},
		{"empty string", value.String, value.NewString(""), `{"X":""}`, `{"X":""}`},
		{"datetime without fraction", value.DateTime, at("2026-07-19T21:46:29Z"), `{"X":"2026-07-19T21:46:29Z"}`, `{"X":"2026-07-19T21:46:29Z"}`},
		{"datetime with three digits", value.DateTime, at("2026-07-23T18:03:20.928Z"), `{"X":"2026-07-23T18:03:20.928Z"}`, `{"X":"2026-07-23T18:03:20.928Z"}`},
		{"datetime with seven digits", value.DateTime, at("2020-05-28T07:06:58.4340352Z"), `{"X":"2020-05-28T07:06:58.4340352Z"}`, `{"X":"2020-05-28T07:06:58.4340352Z"}`},
		{"datetime that ends in zeros", value.DateTime, at("2020-05-28T07:06:50.0000100Z"), `{"X":"2020-05-28T07:06:50.00001Z"}`, `{"X":"2020-05-28T07:06:50.00001Z"}`},
		{"null datetime", value.DateTime, value.Null(value.DateTime), `{"X":{}}`, `{"X":null}`},
		{"true", value.Bool, value.NewBool(true), `{"X@odata.type":"#SByte","X":1}`, `{"X":1}`},
		{"false", value.Bool, value.NewBool(false), `{"X@odata.type":"#SByte","X":0}`, `{"X":0}`},
		{"null bool", value.Bool, value.Null(value.Bool), `{"X":{}}`, `{"X":null}`},
		{"int", value.Int, value.NewInt(-7), `{"X":-7}`, `{"X":-7}`},
		{"null int", value.Int, value.Null(value.Int), `{"X":{}}`, `{"X":null}`},
		{"long above 2^53", value.Long, value.NewLong(9007199254740993), `{"X":9007199254740993}`, `{"X":9007199254740993}`},
		{"real", value.Real, value.NewReal(4.3), `{"X":4.3}`, `{"X":4.3}`},
		{"whole real", value.Real, value.NewReal(10), `{"X":10.0}`, `{"X":10.0}`},
		{"not a number", value.Real, value.NewReal(nan()), `{"X":"NaN"}`, `{"X":"NaN"}`},
		{"guid", value.GUID, guid, `{"X":"a48cca56-e6da-484e-a814-9c849652bcb3"}`, `{"X":"a48cca56-e6da-484e-a814-9c849652bcb3"}`},
		{"decimal", value.Decimal, decimal, `{"X":"1.50"}`, `{"X":"1.50"}`},
		{"timespan", value.TimeSpan, value.NewTimeSpan(int64(26*time.Hour/100) + 1), `{"X":"1.02:00:00.0000001"}`, `{"X":"1.02:00:00.0000001"}`},
		{"null dynamic", value.Dynamic, value.Null(value.Dynamic), `{"X":{}}`, `{"X":null}`},
		{"empty array", value.Dynamic, dynamic(`[]`), `{"X@odata.type":"#Collection(String)","X":[]}`, `{"X":[]}`},
		{"array of text", value.Dynamic, dynamic(`["AI","ai_model"]`), `{"X@odata.type":"#Collection(String)","X":["AI","ai_model"]}`, `{"X":["AI","ai_model"]}`},
		{
			"array of objects", value.Dynamic, dynamic(`[{"type":"MdcAssessmentId","id":"82735d78"},[1]]`),
			`{"X@odata.type":"#Collection(String)","X":["{\"type\":\"MdcAssessmentId\",\"id\":\"82735d78\"}","[1]"]}`,
			`{"X":[{"type":"MdcAssessmentId","id":"82735d78"},[1]]}`,
		},
		{"empty bag", value.Dynamic, dynamic(`{}`), `{"X":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue"}}`, `{"X":{}}`},
		{
			"bag at two levels", value.Dynamic,
			dynamic(`{"type":"CriticalityLevel","level":0,"score":1.5,"isExpired":false,"none":null,"tags":[{"a":1}],"in":{"b":"2023-10-05T16:48:39.0000000Z"}}`),
			`{"X":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","type":"CriticalityLevel","level@odata.type":"#Int64","level":0,"score":1.5,"isExpired":false,"none":{},` +
				`"tags@odata.type":"#Collection(String)","tags":["{\"a\":1}"],"in":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","b":"2023-10-05T16:48:39.0000000Z"}}}`,
			`{"X":{"type":"CriticalityLevel","level":0,"score":1.5,"isExpired":false,"none":null,"tags":[{"a":1}],"in":{"b":"2023-10-05T16:48:39.0000000Z"}}}`,
		},
		{"text in a dynamic", value.Dynamic, dynamic(`"{\"a\":1}"`), `{"X":"{\"a\":1}"}`, `{"X":"{\"a\":1}"}`},
		{"number in a dynamic", value.Dynamic, dynamic(`9007199254740993`), `{"X":9007199254740993}`, `{"X":9007199254740993}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			columns := []value.Column{{Name: "X", Kind: tt.kind}}
			row := []value.Value{tt.v}
			if d := cmp.Diff(tt.graph, string(newGraphRows(columns, Wire{}).appendRow(nil, row))); d != "" {
				t.Errorf("Graph: %s", d)
			}
			if d := cmp.Diff(tt.legacy, string(newLegacyRows(columns).appendRow(nil, row))); d != "" {
				t.Errorf("legacy: %s", d)
			}
		})
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

func TestWireKnobs(t *testing.T) {
	columns := []value.Column{{Name: "N", Kind: value.Long}, {Name: "D", Kind: value.DateTime}}
	row := []value.Value{value.NewLong(618032), value.Null(value.DateTime)}
	const want = `{"N@odata.type":"#Int64","N":618032,"D":null}`
	if d := cmp.Diff(want, string(newGraphRows(columns, Wire{Int64Sidecars: true, NullAsNull: true}).appendRow(nil, row))); d != "" {
		t.Error(d)
	}
}

func TestSchemaNames(t *testing.T) {
	var columns []value.Column
	for _, k := range []value.Kind{value.Bool, value.Int, value.Long, value.Real, value.DateTime, value.String, value.Dynamic, value.GUID, value.TimeSpan, value.Decimal} {
		columns = append(columns, value.Column{Name: k.String(), Kind: k})
	}
	const want = `[{"name":"bool","type":"SByte"},{"name":"int","type":"Int32"},{"name":"long","type":"Int64"},{"name":"real","type":"Double"},` +
		`{"name":"datetime","type":"DateTime"},{"name":"string","type":"String"},{"name":"dynamic","type":"Object"},{"name":"guid","type":"Guid"},` +
		`{"name":"timespan","type":"TimeSpan"},{"name":"decimal","type":"SqlDecimal"}]`
	if d := cmp.Diff(want, string(appendSchema(nil, columns, "name", "type"))); d != "" {
		t.Error(d)
	}
}
