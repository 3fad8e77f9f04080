package kql

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// call binds the call of a function of any sort. Functions of let come first,
// then those that are the evaluator's own, aggregates, scalar functions, and
// stored functions.
func (b *binder) call(n *syntax.Call, c site) (*expr, error) {
	if n.IsScoped() {
		return b.scopedCall(n, c)
	}
	if v, ok := c.scope.find(n.Name); ok && v.function != nil {
		v.used = true
		return b.scalarFunction(userCall{n.Name, v.function, v.scope, n.Args, n.Pos()}, c)
	}
	if e, ok, err := b.special(n, c); ok || err != nil {
		return e, err
	}
	if c.row.aggregates != nil {
		if a, ok := aggregate.Lookup(n.Name); ok {
			return b.aggregateCall(n, a, c)
		}
	}
	if f, ok := scalar.Lookup(n.Name); ok {
		args, err := b.arguments(n, c)
		if err != nil {
			return nil, err
		}
		bound, err := f.Bind(scalarArgs(args))
		if err != nil {
			return nil, in(n.Pos(), err)
		}
		if f.Volatile {
			b.volatile++
		}
		return apply(c.row.layout, n.Name, bound, args, f.Volatile), nil
	}
	if f, err := b.stored(c.scope.db, n.Name); err != nil {
		return nil, err
	} else if f != nil {
		return b.scalarFunction(userCall{n.Name, f, root(c.scope.db), n.Args, n.Pos()}, c)
	}
	return nil, unknownFunction(n)
}

func unknownFunction(n *syntax.Call) error {
	if isRefused(n.Name) {
		return unsupported(n.Pos(), "%s() is not supported here.", n.Name)
	}
	if _, ok := aggregate.Lookup(n.Name); ok {
		return semantic(n.Pos(), "Function '%s' cannot be invoked in current context. Details: the aggregation function is only allowed in summarize", n.Name)
	}
	return &fault{
		kind: Semantic, code: codeFunction, message: fmt.Sprintf("Unknown function: '%s'.", n.Name), offset: n.Pos(), token: n.Name,
	}
}

// scopedCall is the call of a scalar function of another database.
func (b *binder) scopedCall(n *syntax.Call, c site) (*expr, error) {
	db, ok := b.databaseOf(n.Args[0].X, c.scope)
	call, isCall := n.Args[1].X.(*syntax.Call)
	if !ok || !isCall {
		return nil, semantic(n.Pos(), "A function can be called on a database only.")
	}
	if err := b.checkCluster(n.Args[0].X, c.scope); err != nil {
		return nil, err
	}
	f, err := b.stored(db, call.Name)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, absent(unknownFunction(call), entityName(db, call.Name))
	}
	return b.scalarFunction(userCall{call.Name, f, root(db), call.Args, n.Pos()}, c)
}

// arguments binds the arguments of a built-in function; * stands for all
// columns.
func (b *binder) arguments(n *syntax.Call, c site) ([]*expr, error) {
	var args []*expr
	for _, a := range n.Args {
		if _, star := a.X.(*syntax.Star); star && (n.Name == "estimate_data_size" || n.Name == "pack_array") {
			for _, f := range c.row.fields {
				args = append(args, columnExpr(f))
			}
			continue
		}
		e, err := b.scalar(a.X, c)
		if err != nil {
			return nil, err
		}
		args = append(args, e)
	}
	return args, nil
}

// argumentCount refuses a call with another number of arguments.
func argumentCount(n *syntax.Call, least, most int) error {
	got := len(n.Args)
	switch {
	case got >= least && got <= most:
		return nil
	case least == most:
		return semantic(n.Pos(), "%s(): function expects %d argument(s).", n.Name, least)
	}
	return semantic(n.Pos(), "%s(): function expects [%d-%d] argument(s).", n.Name, least, most)
}

// special binds the functions that need the row, the table, the clock or the
// database; ok is false for all others.
func (b *binder) special(n *syntax.Call, c site) (e *expr, ok bool, err error) {
	if !specials[n.Name] {
		return nil, false, nil
	}
	switch n.Name {
	case "now", "ago":
		e, err = b.clock(n, c)
	case "bin_auto":
		e, err = b.binAuto(n, c)
	case "pack_all", "bag_pack_columns":
		e, err = b.pack(n, c)
	case "column_ifexists", "columnifexists":
		e, err = b.columnIfExists(n, c)
	case "ingestion_time":
		e, err = b.hiddenColumn(n, c, HiddenIngestionTime, value.DateTime)
	case "extent_id", "extentid":
		e, err = b.hiddenColumn(n, c, HiddenExtentID, value.GUID)
	case "extent_tags":
		e, err = b.hiddenColumn(n, c, HiddenExtentTags, value.Dynamic)
	case "toscalar":
		e, err = b.toScalar(n, c)
	case "assert":
		e, err = b.assertion(n, c)
	case "current_database":
		if err = argumentCount(n, 0, 0); err == nil {
			e = constantExpr(value.NewString(b.databaseName(c.scope.db)))
		}
	case "current_principal", "current_principal_is_member_of":
		e, err = b.principal(n, c)
	case "column_names_of":
		e, err = b.columnNamesOf(n, c)
	case "row_number", "row_cumsum", "row_rank_dense", "row_rank_min", "row_window_session", "prev", "next":
		e, err = b.window(n, c)
	default:
		return nil, false, nil
	}
	return e, true, err
}

// columnNamesOf binds column_names_of(T).
func (b *binder) columnNamesOf(n *syntax.Call, c site) (*expr, error) {
	if err := argumentCount(n, 1, 1); err != nil {
		return nil, err
	}
	p, err := b.tabular(n.Args[0].X, c.scope, c.op)
	if err != nil {
		return nil, err
	}
	names := make([]value.Value, len(p.fields))
	for i, f := range p.fields {
		names[i] = value.NewString(f.name)
	}
	return constantExpr(value.NewArray(names)), nil
}

func (b *binder) databaseName(db string) string {
	if db == "" {
		return b.env.Database
	}
	return db
}

// clock binds now([offset]) and ago(timespan), which are the same throughout
// the query.
func (b *binder) clock(n *syntax.Call, c site) (*expr, error) {
	least := 0
	op := "+"
	if n.Name == "ago" {
		least, op = 1, "-"
	}
	if err := argumentCount(n, least, 1); err != nil {
		return nil, err
	}
	now := constantExpr(b.now)
	if len(n.Args) == 0 {
		return now, nil
	}
	offset, err := b.scalar(n.Args[0].X, c)
	if err != nil {
		return nil, err
	}
	if offset.kind != value.TimeSpan {
		return nil, semantic(n.Pos(), "%s(): argument #1 expected to be a timespan expression", n.Name)
	}
	return b.operator(n.Pos(), op, []*expr{now, offset}, c)
}

// binAuto binds bin_auto(x): bin_at() of what the query has set.
func (b *binder) binAuto(n *syntax.Call, c site) (*expr, error) {
	if err := argumentCount(n, 1, 1); err != nil {
		return nil, err
	}
	x, err := b.scalar(n.Args[0].X, c)
	if err != nil {
		return nil, err
	}
	if b.binSize.Kind() == 0 {
		return nil, semantic(n.Pos(), "bin_auto(): the query does not set query_bin_auto_size")
	}
	args, name := []*expr{x, constantExpr(b.binSize)}, "bin"
	if b.binAt.Kind() != 0 {
		args, name = append(args, constantExpr(b.binAt)), "bin_at"
	}
	f, _ := scalar.Lookup(name)
	bound, err := f.Bind(scalarArgs(args))
	if err != nil {
		return nil, in(n.Pos(), err)
	}
	return apply(c.row.layout, name, bound, args, false), nil
}

// pack binds pack_all([ignore_null_empty]) and bag_pack_columns(a, b).
func (b *binder) pack(n *syntax.Call, c site) (*expr, error) {
	var names []string
	var args []*expr
	skip := false
	if n.Name == "pack_all" {
		if err := argumentCount(n, 0, 1); err != nil {
			return nil, err
		}
		if len(n.Args) == 1 {
			e, err := b.scalar(n.Args[0].X, c)
			if err != nil {
				return nil, err
			}
			if e.constant == nil || e.kind != value.Bool {
				return nil, semantic(n.Pos(), "pack_all(): argument #1 must be a constant")
			}
			skip = e.constant.Bool()
		}
		for _, f := range c.row.fields {
			names, args = append(names, f.name), append(args, columnExpr(f))
		}
	} else {
		for _, a := range n.Args {
			id, ok := a.X.(*syntax.Ident)
			if !ok {
				return nil, semantic(a.X.Pos(), "bag_pack_columns(): an argument must be a column")
			}
			e, err := b.scalar(id, c)
			if err != nil {
				return nil, err
			}
			names, args = append(names, id.Name), append(args, e)
		}
	}
	return apply(c.row.layout, n.Name, scalar.Bound{Kind: value.Dynamic, Cost: 10 * len(args), Eval: packer(names, skip)}, args, false), nil
}

// packer makes a bag of the values; with skip, without nulls and empty strings.
func packer(names []string, skip bool) scalar.Kernel {
	return func(args []value.Value) (value.Value, error) {
		slots := make([]value.Property, 0, len(args))
		for i, v := range args {
			if skip && (v.IsNull() || v.Kind() == value.String && v.Text() == "") {
				continue
			}
			slots = append(slots, value.Property{Name: names[i], Value: v})
		}
		return value.NewBag(slots), nil
	}
}

func (b *binder) columnIfExists(n *syntax.Call, c site) (*expr, error) {
	if err := argumentCount(n, 2, 2); err != nil {
		return nil, err
	}
	args, err := b.arguments(n, c)
	if err != nil {
		return nil, err
	}
	if args[0].constant == nil || args[0].kind != value.String {
		return nil, semantic(n.Pos(), "%s(): argument #1 must be a constant string", n.Name)
	}
	if f, ok := c.row.find(args[0].constant.Text()); ok {
		return columnExpr(f), nil
	}
	return args[1], nil
}

// hiddenColumn binds a function that reads a hidden column of the table; it is
// null where the rows are not those of one table.
func (b *binder) hiddenColumn(n *syntax.Call, c site, name string, kind value.Kind) (*expr, error) {
	if err := argumentCount(n, 0, 0); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(c.row.hidden, func(f field) bool { return f.name == name && f.kind == kind })
	if i < 0 {
		return constantExpr(value.Null(kind)), nil
	}
	e := columnExpr(c.row.hidden[i])
	e.column = false // it has no name that a projection could take over
	return e, nil
}
