package tvmexport

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Order is a configuration row.
type Order struct {
	Table  string
	Into   string // published table
	Load   LoadType
	Column string    // watermark column as configured; "" for None
	From   time.Time // LastRefreshedTime; zero where it says nothing of single rows
	Active bool
	Note   string // what people should know of the row, a sentence; "" if nothing
	Err    error  // why it cannot be carried out
}

// free is the usual destination of the order's table, "" if that is the one refused.
func (o Order) free() string {
	if name := o.Table + "Raw"; name != o.Into {
		return name
	}
	return ""
}

// RefuseCollisions gives an Err to each order whose destination belongs to
// something else: another order's destination, or a table that the exporter
// keeps for one of the orders. An order that is switched off does not block
// one that is active, since nothing is written for it.
func RefuseCollisions(orders []Order) {
	owners := map[string][]int{} // by destination: the orders that name it
	kept := map[string]string{}  // by name: what the exporter keeps there
	names := map[string]bool{}   // of source tables
	for i, o := range orders {
		t := Table{Name: o.Table}
		owners[o.Into] = append(owners[o.Into], i)
		for name, what := range map[string]string{t.Landing(): "landing", t.Typed(): "typed", t.Refilling(): "refill"} {
			kept[name] = fmt.Sprintf("the %s table of %s", what, o.Table)
		}
		names[o.Table] = true
	}
	for i := range orders {
		o := &orders[i]
		if o.Err != nil {
			continue
		}
		if what, ok := kept[o.Into]; ok {
			o.Err = collision(*o, what)
			continue
		}
		if o.Into != o.Table && names[o.Into] {
			o.Err = collision(*o, "the name of a source table, under which readers ask for its rows")
			continue
		}
		for _, j := range owners[o.Into] {
			if other := orders[j]; other.Table != o.Table && (other.Active || !o.Active) {
				o.Err = collision(*o, "the destination of "+other.Table+" too")
				break
			}
		}
	}
}

// ErrSharedDestination is the reason why two tables cannot have the same destination.
var ErrSharedDestination = errors.New("the rows of both would be mixed")

func collision(o Order, what string) error {
	return &Error{
		Op: "configuration", Table: o.Table, Action: Stop, Cause: Usage,
		Err:  fmt.Errorf("destination table %s is %s: %w", o.Into, what, ErrSharedDestination),
		Hint: fmt.Sprintf("append a row to MigrationConfiguration with another DestinationTable for %s, such as %s", o.Table, cmp.Or(o.free(), "a new name")),
	}
}
