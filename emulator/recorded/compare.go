package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// compare says how two answers differ; "" if they do not. The order of rows
// does not count: ties and unsorted results have none.
func compare(want, got answer) string {
	if !slices.Equal(want.Columns, got.Columns) {
		return fmt.Sprintf("columns %q, recorded %q", got.Columns, want.Columns)
	}
	if len(want.Rows) != len(got.Rows) {
		return fmt.Sprintf("%d rows, recorded %d", len(got.Rows), len(want.Rows))
	}
	first := ""
	for i := range want.Rows {
		if why := compareRows(want, want.Rows[i], got.Rows[i]); why != "" {
			first = fmt.Sprintf("row %d: %s", i, why)
			break
		}
	}
	if first == "" || sameRows(want, got) {
		return ""
	}
	return first
}

// sameRows says whether both hold the same rows in any order.
func sameRows(want, got answer) bool {
	left := slices.Clone(got.Rows)
	for _, w := range want.Rows {
		i := slices.IndexFunc(left, func(g []any) bool { return compareRows(want, w, g) == "" })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

func compareRows(a answer, want, got []any) string {
	for i := range want {
		if !same(a.Types[i], want[i], got[i]) {
			return fmt.Sprintf("%s is %s, recorded %s", a.Columns[i], clip(got[i]), clip(want[i]))
		}
	}
	return ""
}

func clip(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if len(text) > 120 {
		return string(text[:120]) + "..."
	}
	return string(text)
}

// same compares two values of a column, or within a dynamic (type "Object").
func same(kind string, want, got any) bool {
	switch w := want.(type) {
	case nil:
		return got == nil
	case bool:
		switch g := got.(type) {
		case bool:
			return w == g
		case json.Number:
			return w == (g.String() != "0")
		}
		return false
	case json.Number:
		g, ok := got.(json.Number)
		return ok && sameNumber(kind, w, g)
	case string:
		return sameText(kind, w, got)
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(w, g, func(a, b any) bool { return same("Object", a, b) })
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for k, v := range w {
			other, ok := g[k]
			if !ok || !same("Object", v, other) {
				return false
			}
		}
		return true
	}
	return false
}

// closeness is how far two reals may differ, relative to their size: libraries
// of mathematics differ in their last digits.
const closeness = 1e-9

func sameNumber(kind string, want, got json.Number) bool {
	if want == got {
		return true
	}
	w, errW := want.Float64()
	g, errG := got.Float64()
	if errW != nil || errG != nil || kind == "Int64" || kind == "Int32" {
		return false
	}
	return w == g || math.Abs(w-g) <= closeness*math.Max(math.Abs(w), math.Abs(g))
}

func sameText(kind, want string, got any) bool {
	text, ok := got.(string)
	if !ok {
		return false
	}
	switch kind {
	case "DateTime":
		w, okW := value.ParseDateTime(want)
		g, okG := value.ParseDateTime(text)
		return okW && okG && w.Ticks() == g.Ticks()
	case "TimeSpan":
		w, okW := value.ParseTimeSpan(want)
		g, okG := value.ParseTimeSpan(text)
		return okW && okG && w.Ticks() == g.Ticks()
	case "SqlDecimal":
		w, okW := new(big.Rat).SetString(want)
		g, okG := new(big.Rat).SetString(text)
		return okW && okG && w.Cmp(g) == 0
	case "Double":
		return infinity(want) == infinity(text)
	}
	return want == text
}

func infinity(text string) string {
	return strings.NewReplacer("Infinity", "Inf", "∞", "Inf").Replace(text)
}
