package kql

import (
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

func printName(i int) string { return "print_" + strconv.Itoa(i) }

// operatorName is what messages call an operator.
func operatorName(o syntax.Operator) string {
	switch n := o.(type) {
	case *syntax.Where:
		return "where"
	case *syntax.Project:
		return "project"
	case *syntax.Extend:
		return "extend"
	case *syntax.Serialize:
		return "serialize"
	case *syntax.ProjectRename:
		return "project-rename"
	case *syntax.ProjectNames:
		return n.Op
	case *syntax.Summarize:
		return "summarize"
	case *syntax.Distinct:
		return "distinct"
	case *syntax.Count:
		return "count"
	case *syntax.Take:
		return "take"
	case *syntax.Top:
		return "top"
	case *syntax.Sort:
		return "sort"
	case *syntax.Join:
		if n.Lookup {
			return "lookup"
		}
		return "join"
	case *syntax.Union:
		return "union"
	case *syntax.MvExpand:
		return "mv-expand"
	case *syntax.Parse:
		if n.Filter {
			return "parse-where"
		}
		return "parse"
	}
	return otherOperatorName(o)
}

func otherOperatorName(o syntax.Operator) string {
	switch n := o.(type) {
	case *syntax.As:
		return "as"
	case *syntax.GetSchema:
		return "getschema"
	case *syntax.Evaluate:
		return "evaluate"
	case *syntax.Invoke:
		return "invoke"
	case *syntax.Sample:
		if n.Of != nil {
			return "sample-distinct"
		}
		return "sample"
	case *syntax.Render:
		return "render"
	case *syntax.MvApply:
		return "mv-apply"
	case *syntax.Partition:
		return "partition"
	case *syntax.MakeSeries:
		return "make-series"
	case *syntax.TopNested:
		return "top-nested"
	case *syntax.ParseKV:
		return "parse-kv"
	case *syntax.Search:
		return "search"
	case *syntax.Scan:
		return "scan"
	case *syntax.Fork:
		return "fork"
	case *syntax.Facet:
		return "facet"
	case *syntax.TopHitters:
		return "top-hitters"
	case *syntax.Find:
		return "find"
	}
	return "consume"
}

// tabularOperator binds an operator behind p; before is what p was bound from.
func (b *binder) tabularOperator(p *pipeline, o syntax.Operator, before *syntax.Pipe, s *scope) (*pipeline, error) {
	op := operatorName(o)
	c := site{scope: s, row: &p.row, op: op}
	switch n := o.(type) {
	case *syntax.Where:
		e, err := b.condition(n.Predicate, c)
		if err != nil {
			return nil, err
		}
		p.filter(e)
		return p, nil
	case *syntax.Project:
		return p, b.project(p, n.Items, c)
	case *syntax.Extend:
		return p, b.extend(p, n.Items, c)
	case *syntax.Serialize:
		p.serialized = true
		return p, b.extend(p, n.Items, c)
	case *syntax.ProjectRename:
		return p, b.rename(p, n)
	case *syntax.ProjectNames:
		return p, b.projectNames(p, n)
	case *syntax.Summarize:
		return b.summarize(p, n, c)
	case *syntax.Distinct:
		return b.distinct(p, n.Items, c)
	case *syntax.Count:
		return countRows(p), nil
	case *syntax.Take:
		return b.take(p, n.N, c)
	case *syntax.Top:
		return b.top(p, n, c)
	case *syntax.Sort:
		return b.sort(p, n.By, c)
	case *syntax.Join:
		return b.join(p, n, c)
	case *syntax.Union:
		return b.union(n, p, s)
	}
	return b.otherOperator(p, o, before, c)
}

func (b *binder) otherOperator(p *pipeline, o syntax.Operator, before *syntax.Pipe, c site) (*pipeline, error) {
	switch n := o.(type) {
	case *syntax.MvExpand:
		return p, b.mvExpand(p, n, c)
	case *syntax.MvApply:
		return p, b.mvApply(p, n, c)
	case *syntax.ParseKV:
		return p, b.parseKV(p, n, c)
	case *syntax.Search:
		if before == nil {
			return nil, unsupported(n.Pos(), "The search operator is not supported here in a subquery.")
		}
		return b.search(n, before.Simple(), c.scope)
	case *syntax.Find:
		return nil, unsupported(n.Pos(), "The find operator is not supported here behind a table.")
	case *syntax.Fork, *syntax.Facet:
		return nil, unsupported(o.Pos(), "The %s operator is not supported here except at the end of a statement.", c.op)
	case *syntax.TopHitters:
		return bindTopHitters(b, p, n, c)
	case *syntax.Partition:
		return b.partition(p, n, c)
	case *syntax.MakeSeries:
		return b.makeSeries(p, n, c)
	case *syntax.TopNested:
		return b.topNested(p, n, c)
	case *syntax.Scan:
		return p, b.scanSteps(p, n, c)
	case *syntax.Parse:
		return p, b.parse(p, n, c)
	case *syntax.GetSchema:
		return schemaOf(p), nil
	case *syntax.Evaluate:
		switch n.Call.Name {
		case "pivot":
			return b.pivot(p, n, before, c)
		case "ipv4_lookup":
			return b.ipv4Lookup(p, n, c)
		}
		return p, b.evaluate(p, n, before, c)
	case *syntax.Invoke:
		return b.invoke(n, before, c)
	case *syntax.Sample:
		return b.sample(p, n, c)
	case *syntax.Render:
		return p, nil
	case *syntax.Consume:
		return newPipeline(&literalRows{}, nil), nil
	}
	return nil, unsupported(o.Pos(), "The %s operator is not supported here.", operatorName(o))
}

// invoke calls a function with the table before it as first argument.
func (b *binder) invoke(n *syntax.Invoke, before *syntax.Pipe, c site) (*pipeline, error) {
	call := *n.Call
	call.Args = append([]syntax.Argument{{X: before.Simple()}}, call.Args...)
	return b.tableCall(&call, c.scope, "")
}
