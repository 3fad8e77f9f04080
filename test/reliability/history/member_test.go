package main

import (
	"encoding/json"
	"maps"
	"testing"
)

// Members are those that a decoder of JSON finds, each as it is written.
func TestEachMember(t *testing.T) {
	for _, row := range []string{
		`{}`, `{"A":1}`, `{"A":"","B":null,"C":true}`, `{"A":"a,b","B":"\"","C":"\\","D":"\\\"},{"}`,
		`{"A":{"x":["}",{"y":"]"}],"z":"\\\\"},"B":[],"C":[[],{}],"D":-1.5e7}`, `{"A":"\",\"B\":1","B":"é\u0000{"}`,
	} {
		want, got := map[string]json.RawMessage{}, map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(row), &want); err != nil {
			t.Fatal(err)
		}
		if err := eachMember(row, func(name, value string) { got[name] = json.RawMessage(value) }); err != nil {
			t.Errorf("%s: %v", row, err)
		}
		if !maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("%s: members %s, want %s", row, got, want)
		}
	}
	for _, row := range []string{
		``, `{`, `}`, `[]`, `{"A"}`, `{"A":}`, `{"A":1,}`, `{,"A":1}`, `{"A":1"B":2}x`, `{"A":"}`, `{"A":[1}`, `{"A":1]}`, `{A:1}`, `{"A\"":1}`, ` {"A":1}`,
	} {
		if err := eachMember(row, func(string, string) {}); err == nil {
			t.Errorf("%s passes as canonical", row)
		}
	}
}

// A row of Changes loses the columns that no row of Defender has, at any place.
func TestReadChange(t *testing.T) {
	days := map[string]int{"r1": 3}
	for row, want := range map[string]string{
		`{"At":"2026-01-01T00:00:00Z","Change":"added","RunId":"r1"}`:                              `added on day 3: {}`,
		`{"A":1,"At":2,"Before":{"A":0,"B":"x"},"Change":"modified","N":null,"RunId":"r1","Z":[]}`: `modified on day 3: {"A":1,"N":null,"Z":[]} was {"A":0,"B":"x"}`,
		`{"At":2,"Change":"removed","DeviceId":"d","RunId":"r1"}`:                                  `removed on day 3: {"DeviceId":"d"}`,
	} {
		if got, err := readChange([]byte(row), days); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", row, got, err, want)
		}
	}
	for _, row := range []string{`{"Change":"added","RunId":"r2"}`, `{"Change":"added"}`, `{"Change":"added","RunId":"r1"`, `{"Change":"added","RunId":3}`} {
		if got, err := readChange([]byte(row), days); err == nil {
			t.Errorf("%s gives %s", row, got)
		}
	}
}
