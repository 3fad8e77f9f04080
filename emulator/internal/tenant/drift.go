package tenant

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Drift is a change of a table's schema, and of its values with it. Exactly one
// member is set.
type Drift struct {
	Add    *NewColumn `json:"add,omitempty"`    // becomes the last column; one that was dropped has its values again
	Drop   string     `json:"drop,omitempty"`   // name of a column
	Retype *NewColumn `json:"retype,omitempty"` // values are converted as by the functions of Kusto
	Nest   *NewKey    `json:"nest,omitempty"`
}

// NewColumn is a column and its new type.
type NewColumn struct {
	Name string `json:"name"`
	Any  bool   `json:"any,omitempty"` // of a new column: the name may be one that a table of Kusto cannot have
	Type string `json:"type"`          // bool int long real decimal datetime timespan string guid dynamic
}

// NewKey is a key that the bags of a dynamic column get, those within arrays
// too.
type NewKey struct {
	Column string `json:"column"`
	Key    string `json:"key"`
}

// Drift changes the schema of a table of current state from now on. An error
// says what cannot be done; nothing is changed then.
func (t *Tenant) Drift(table string, d Drift) ([]value.Column, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := slices.IndexFunc(sources, func(s source) bool { return s.title() == table })
	switch {
	case at < 0:
		return nil, fmt.Errorf("the tenant has no table %q", table)
	case !sources[at].current():
		return nil, fmt.Errorf("%s holds events; only tables of current state drift", table)
	}
	base, _ := sources[at].schema()
	now, drifted := t.state.drifted[table]
	if !drifted {
		now = undrifted(base)
	}
	next, err := now.drift(table, base, d)
	if err != nil {
		return nil, err
	}
	s := t.state.clone()
	s.drifted = maps.Clone(s.drifted)
	if s.drifted == nil {
		s.drifted = map[string]view{}
	}
	s.drifted[table] = next
	t.state = s
	return next.schema(), nil
}

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// accepts says whether a column can be added under its name.
func (c NewColumn) accepts() bool {
	const most = 2000
	name := c.Name
	return columnName.MatchString(name) || c.Any && name != "" && len(name) <= most && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// drift is the view after one more change.
func (v view) drift(table string, base []value.Column, d Drift) (view, error) {
	set := 0
	for _, given := range []bool{d.Add != nil, d.Drop != "", d.Retype != nil, d.Nest != nil} {
		if given {
			set++
		}
	}
	if set != 1 {
		return nil, errors.New("a drift is one of add, drop, retype and nest")
	}
	next := slices.Clone(v)
	switch {
	case d.Add != nil:
		kind, ok := value.ParseKind(d.Add.Type)
		switch {
		case !d.Add.accepts():
			return nil, fmt.Errorf("%q is no name for a column", d.Add.Name)
		case !ok:
			return nil, fmt.Errorf("%q is no type of a column", d.Add.Type)
		case v.find(d.Add.Name) >= 0:
			return nil, fmt.Errorf("%s has a column %s", table, d.Add.Name)
		}
		added := viewed{name: d.Add.Name, kind: kind, from: slices.Index(base, value.Column{Name: d.Add.Name, Kind: kind})}
		if added.from < 0 {
			added.steps = []viewStep{invented(table, d.Add.Name, kind)}
		}
		return append(next, added), nil
	case d.Drop != "":
		at := v.find(d.Drop)
		if at < 0 {
			return nil, fmt.Errorf("%s has no column %q", table, d.Drop)
		}
		if len(v) == 1 {
			return nil, fmt.Errorf("%s is the last column of %s", d.Drop, table)
		}
		return slices.Delete(next, at, at+1), nil
	case d.Retype != nil:
		at := v.find(d.Retype.Name)
		kind, ok := value.ParseKind(d.Retype.Type)
		switch {
		case at < 0:
			return nil, fmt.Errorf("%s has no column %q", table, d.Retype.Name)
		case !ok:
			return nil, fmt.Errorf("%q is no type of a column", d.Retype.Type)
		case kind == v[at].kind:
			return nil, fmt.Errorf("%s of %s is %s as it is", d.Retype.Name, table, kind)
		}
		next[at].kind = kind
		next[at].then(func(x value.Value, _ dice) value.Value { return converted(x, kind) })
		return next, nil
	}
	at := v.find(d.Nest.Column)
	switch {
	case at < 0:
		return nil, fmt.Errorf("%s has no column %q", table, d.Nest.Column)
	case v[at].kind != value.Dynamic:
		return nil, fmt.Errorf("%s of %s is %s; keys are nested in dynamic columns", d.Nest.Column, table, v[at].kind)
	case d.Nest.Key == "":
		return nil, errors.New("a nested key has a name")
	}
	next[at].then(nested(table, d.Nest.Column, d.Nest.Key))
	return next, nil
}

// converted returns a value as another type, as Kusto's tostring, todynamic and
// similar functions do.
func converted(v value.Value, k value.Kind) value.Value {
	if k == value.Dynamic && v.Kind() == value.String {
		return value.DynamicJSON(v.Text())
	}
	return scalar.Convert(v, k)
}
