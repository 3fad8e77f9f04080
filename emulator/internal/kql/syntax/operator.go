package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// Operator is a tabular operator behind a pipe.
type Operator interface{ Pos() int }

// The tabular operators, called as in Kusto
// (https://learn.microsoft.com/kusto/query/tabular-operators).
type (
	// Where is where or filter.
	Where struct {
		Place
		Predicate Expr
	}
	// Project is project.
	Project struct {
		Place
		Items []Item
	}
	// Extend is extend.
	Extend struct {
		Place
		Items []Item
	}
	// Serialize is serialize, with columns to add as extend has them.
	Serialize struct {
		Place
		Items []Item
	}
	// ProjectRename is project-rename: New = Old.
	ProjectRename struct {
		Place
		Items []Item
	}
	// ProjectNames is project-away, project-keep or project-reorder.
	ProjectNames struct {
		Place
		Op    string
		Names []NamePattern
	}
	// Summarize is summarize; By are the keys.
	Summarize struct {
		Place
		Aggregates []Item
		By         []Item
	}
	// Distinct is distinct; no items stand for *.
	Distinct struct {
		Place
		Items []Item
	}
	// Count is count.
	Count struct{ Place }
	// Take is take or limit.
	Take struct {
		Place
		N Expr
	}
	// Top is top N by.
	Top struct {
		Place
		N  Expr
		By []Order
	}
	// Sort is sort by or order by.
	Sort struct {
		Place
		By []Order
	}
	// Join is join or lookup. Kind is "" where it is left out.
	Join struct {
		Place
		Lookup bool
		Kind   string
		Right  Expr
		On     []Expr
	}
	// Union is union, as an operator or as a source. Kind is "" where it is
	// left out.
	Union struct {
		Place
		Kind       string
		WithSource string
		Fuzzy      bool
		Tables     []Expr
	}
	// MvExpand is mv-expand. Limit is nil for none.
	MvExpand struct {
		Place
		Arrays    bool // kind=array
		ItemIndex string
		Items     []Expansion
		Limit     Expr
	}
	// Parse is parse or parse-where.
	Parse struct {
		Place
		Filter bool // parse-where
		Kind   string
		Flags  string
		X      Expr
		Parts  []ParsePart
	}
	// As names what is before it.
	As struct {
		Place
		Name         string
		Materialized bool // hint.materialized
	}
	// GetSchema is getschema.
	GetSchema struct{ Place }
	// Evaluate is evaluate with a plugin; Schema is what follows the colon.
	Evaluate struct {
		Place
		Call   *Call
		Schema *TypeOf // nil for none
	}
	// Invoke is invoke with a function.
	Invoke struct {
		Place
		Call *Call
	}
	// Sample is sample N, or sample-distinct N of Of.
	Sample struct {
		Place
		N  Expr
		Of Expr // nil for sample
	}
	// Render is render, which changes no rows.
	Render struct{ Place }
	// Consume is consume.
	Consume struct{ Place }
)

// NamePattern is a column of project-away and similar operators; Name may contain
// asterisks. Order is "asc", "desc", "granny-asc", "granny-desc" or "".
type NamePattern struct {
	Place
	Name  string
	Order string
}

// Order is a sort key. Where nulls are placed is said only with NullsGiven.
type Order struct {
	Place
	X          Expr
	Asc        bool
	NullsGiven bool
	NullsFirst bool
}

// Expansion is a column of mv-expand; Name is "" for none, Kind 0 for dynamic.
type Expansion struct {
	Place
	Name string
	X    Expr
	Kind value.Kind
}

// ParsePart is a piece of the pattern of parse: *, a text, or a column.
type ParsePart struct {
	Place
	Star bool
	Text string // with no Name
	Name string
	Kind value.Kind
}
