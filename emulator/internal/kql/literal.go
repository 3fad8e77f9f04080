package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// typedLiterals brings a constant text to the type of what it is compared with
// for equality: RemotePort == "443". A text that is no value of that type stays
// a text, which cannot be compared.
func typedLiterals(op string, left *expr, right []*expr) {
	switch op {
	case "==", "!=", "<>", "in", "!in":
	default:
		return
	}
	if left.kind == value.String || left.kind == value.Dynamic {
		return
	}
	for i, e := range right {
		if e.kind != value.String || e.constant == nil {
			continue
		}
		if v := scalar.Convert(*e.constant, left.kind); !v.IsNull() {
			right[i] = constantExpr(v)
		}
	}
}
