package kql

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// principal binds the functions about who asks: current_principal(), and
// current_principal_is_member_of(...), which is true for the caller's own name
// and false for groups, of which there are none
// (https://learn.microsoft.com/kusto/query/current-principal-is-member-of-function).
func (b *binder) principal(n *syntax.Call, c site) (*expr, error) {
	if b.env.Principal == "" {
		return nil, unsupported(n.Pos(), "%s() is not supported here.", n.Name)
	}
	if n.Name == "current_principal" {
		if err := argumentCount(n, 0, 0); err != nil {
			return nil, err
		}
		return constantExpr(value.NewString(b.env.Principal)), nil
	}
	if len(n.Args) == 0 {
		return nil, semantic(n.Pos(), "%s(): at least one argument is expected", n.Name)
	}
	member := false
	for _, a := range n.Args {
		e, err := b.independent(a.X, c.scope, c.op)
		if err != nil {
			return nil, err
		}
		if e.constant == nil || e.kind != value.String {
			return nil, unsupported(a.X.Pos(), "%s() takes constant texts here.", n.Name)
		}
		member = member || strings.EqualFold(e.constant.Text(), b.env.Principal)
	}
	return constantExpr(value.NewBool(member)), nil
}
