package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// Expr is an expression: a scalar, a tabular expression, or what can be
// either, such as a name. The types are those of this file and of operator.go.
type Expr interface {
	// Pos is the offset of the expression's first token.
	Pos() int
}

// Place is where a node begins in the text.
type Place int

// Pos is the offset.
func (p Place) Pos() int { return int(p) }

// The expressions.
type (
	// Ident is a name: of a column, a variable, a table or a function.
	Ident struct {
		Place
		Name string
	}
	// Literal is a constant.
	Literal struct {
		Place
		Value value.Value
	}
	// Star is `*`, in calls such as arg_max(x, *).
	Star struct{ Place }
	// Wild is a name with asterisks, such as `Device*`.
	Wild struct {
		Place
		Pattern string
	}
	// TypeOf is typeof(long), or typeof(a:long, b:string) with Columns.
	TypeOf struct {
		Place
		Kind    value.Kind // 0 with Columns
		Columns []value.Column
		Open    bool // the columns begin with *
	}
	// Unary is `-X` or `+X`.
	Unary struct {
		Place
		Op string
		X  Expr
	}
	// Binary is an operator between two scalars, also a string operator.
	Binary struct {
		Place
		Op          string
		Left, Right Expr
	}
	// Logic is two or more conditions joined by `and` or by `or`.
	Logic struct {
		Place
		Op    string
		Terms []Expr
	}
	// List is an operator whose right side is a list: in, !in~, has_any, ...
	List struct {
		Place
		Op   string
		X    Expr
		List []Expr
	}
	// Between is `X between (Low .. High)`.
	Between struct {
		Place
		Not          bool
		X, Low, High Expr
	}
	// Call is a call of a function.
	Call struct {
		Place
		Name string
		Args []Argument
	}
	// Member is X.Name: a path into a dynamic, or an entity of a database.
	Member struct {
		Place
		X    Expr
		Name string
	}
	// Index is X[Key].
	Index struct {
		Place
		X, Key Expr
	}
	// Pipe is a tabular expression: a source and operators behind it.
	Pipe struct {
		Place
		Source    Expr
		Operators []Operator
	}
)

// Argument is an argument of a call; Name is empty for one by position.
type Argument struct {
	Name string
	X    Expr
}

// The expressions that are tables by themselves; Union is one too.
type (
	// Datatable is `datatable(a:long) [1, 2]`.
	Datatable struct {
		Place
		Columns []value.Column
		Values  []Expr
	}
	// Range is `range x from 1 to 3 step 1`.
	Range struct {
		Place
		Name           string
		From, To, Step Expr
	}
	// Print is `print a = 1, 2`.
	Print struct {
		Place
		Items []Item
	}
)

// Item is an element of project, extend and similar operators. Names is empty where
// the name is left to Kusto, and has several for `(a, b) = f()`.
type Item struct {
	Place
	Names []string
	X     Expr
}

// Query is the statements of a text.
type Query struct{ Statements []Statement }

// Statement is a *Let, *Set, *Declare or *Result.
type Statement interface{ Pos() int }

// The statements.
type (
	// Let names an expression or, with Function, a function.
	Let struct {
		Place
		Name     string
		X        Expr
		Function *Function
	}
	// Set is a request property in the text.
	Set struct {
		Place
		Name  string
		Value Expr // nil for true
	}
	// Declare is `declare query_parameters(...)`.
	Declare struct {
		Place
		Parameters []Parameter
	}
	// Result is an expression statement, whose rows are the answer.
	Result struct {
		Place
		X Expr
	}
)

// Function is the parameters and the body of a function.
type Function struct {
	Place
	Parameters []Parameter
	Body       *Query
	View       bool
}

// Parameter is a parameter of a function or of a query.
type Parameter struct {
	Place
	Name    string
	Kind    value.Kind     // of a scalar
	Tabular bool           // it is a table
	Columns []value.Column // that a table must have
	Default Expr           // nil for none
}

// Simple is the source alone where there are no operators.
func (p *Pipe) Simple() Expr {
	if len(p.Operators) == 0 {
		return p.Source
	}
	return p
}
