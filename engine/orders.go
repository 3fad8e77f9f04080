package engine

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// orders reads the orders, and refuses those whose destinations collide.
func (e *Exporter) orders(ctx context.Context) ([]tvmexport.Order, error) {
	list, err := e.Destination.Orders(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	tvmexport.RefuseCollisions(list)
	return list, nil
}

// choose picks the orders of a request.
func (r Request) choose(orders []tvmexport.Order) ([]tvmexport.Order, error) {
	if !r.ActiveOnly {
		return choose(orders, r.Tables)
	}
	return slices.DeleteFunc(slices.Clone(orders), func(o tvmexport.Order) bool {
		return !o.Active || len(r.Tables) > 0 && !slices.Contains(r.Tables, o.Table)
	}), nil
}

// choose picks the orders to carry out: the named ones, each once, or the active
// ones.
func choose(orders []tvmexport.Order, names []string) ([]tvmexport.Order, error) {
	if len(names) == 0 {
		active := slices.DeleteFunc(slices.Clone(orders), func(o tvmexport.Order) bool { return !o.Active })
		if len(active) == 0 {
			return nil, &tvmexport.Error{
				Op: "run", Cause: tvmexport.Usage, Err: errors.New("the configuration table has no active table"),
				Hint: "configure the default tables", Code: tvmexport.NoActiveTable,
			}
		}
		return active, nil
	}
	var out []tvmexport.Order
	for n, name := range names {
		i := slices.IndexFunc(orders, func(o tvmexport.Order) bool { return o.Table == name })
		if i < 0 {
			e := &tvmexport.Error{Op: "run", Table: name, Cause: tvmexport.Usage, Err: errors.New("the configuration table has no row for it")}
			e.Hint, e.Code = unknownName(orders, name)
			return nil, e
		}
		if !slices.Contains(names[:n], name) {
			out = append(out, orders[i])
		}
	}
	return out, nil
}

// unknownName says what to do about a name that no order has. Names of tables
// are case-sensitive.
func unknownName(orders []tvmexport.Order, name string) (hint string, code tvmexport.Code) {
	for _, o := range orders {
		if strings.EqualFold(o.Table, name) {
			return "did you mean " + o.Table + "?", ""
		}
	}
	return "if it is a table of Defender, add it to the configuration table", tvmexport.TableNotConfigured
}

// orderNotes are what people should know of an order that is carried out.
func orderNotes(o tvmexport.Order) []string {
	var out []string
	if o.Note != "" {
		out = append(out, o.Note)
	}
	if !o.Active {
		out = append(out, "the table is deactivated in the configuration table (IsActive is false); it is exported because it was named")
	}
	return out
}
