package engine

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// The limits of materialized views are those of
// https://learn.microsoft.com/kusto/management/materialized-views/materialized-views-limitations
// and, of their queries, those of
// https://learn.microsoft.com/kusto/management/materialized-views/materialized-view-create#query-parameter.

// withoutRowLevel is the property that lets a view be without row-level security where
// its source has it.
const withoutRowLevel = "allowmaterializedviewswithoutrowlevelsecurity"

// viewOperators, viewSources and viewFunctions cannot be in a view's query.
var (
	viewOperators = []string{"sort", "order", "top", "top-nested", "partition", "serialize"}
	viewSources   = []string{"database", "cluster", "external_table", "externaldata"}
	viewFunctions = []string{"now", "ago"}
)

// viewAggregates are the aggregates of views.
var viewAggregates = strings.Fields(`count countif dcount dcountif min max avg avgif sum sumif arg_max arg_min take_any any take_anyif
	anyif argmax argmin hll make_set makeset make_list makelist make_bag percentile percentiles tdigest`)

// viewQuery is what a view's summarize has.
type viewQuery struct {
	aggregates []string // names of functions
	whole      bool     // the only one has * for its columns
}

// picks says whether the view's rows are rows of its source, which row-level security
// would hide.
func (q viewQuery) picks() bool {
	return len(q.aggregates) == 1 && slices.Contains([]string{"arg_max", "arg_min", "take_any", "argmax", "argmin", "any"}, q.aggregates[0])
}

// deduplicates says whether the view is take_any(*), over which another view can be.
func (q viewQuery) deduplicates() bool {
	return q.whole && q.picks() && (q.aggregates[0] == "take_any" || q.aggregates[0] == "any")
}

// parseView reads a view's query and refuses what a view cannot have.
func parseView(name, text string) (viewQuery, error) {
	refuse := func(format string, args ...any) (viewQuery, error) {
		return viewQuery{}, semantic("Materialized view '%s': "+format, append([]any{name}, args...)...)
	}
	query, err := syntax.ParseQuery(text)
	if err != nil {
		return viewQuery{}, nil // its compilation has the better error
	}
	if word, found := forbiddenIn(text); found {
		return refuse("its query cannot have '%s'", word)
	}
	var last *syntax.Summarize
	for _, s := range query.Statements {
		result, ok := s.(*syntax.Result)
		if !ok {
			continue
		}
		pipe, ok := result.X.(*syntax.Pipe)
		if !ok {
			return refuse("its query must end in a summarize operator")
		}
		for i, o := range pipe.Operators {
			x, ok := o.(*syntax.Summarize)
			switch {
			case !ok && i == len(pipe.Operators)-1:
				return refuse("its query must end in a summarize operator")
			case ok && i < len(pipe.Operators)-1:
				return refuse("its query must have one summarize operator, the last")
			case ok:
				last = x
			}
		}
	}
	if last == nil || len(last.Aggregates) == 0 {
		return refuse("its query must end in a summarize operator with an aggregate")
	}
	var q viewQuery
	for _, a := range last.Aggregates {
		call, ok := a.X.(*syntax.Call)
		if !ok || !slices.Contains(viewAggregates, call.Name) {
			return refuse("each aggregate must be a call of one of %s, not a computation with it", strings.Join(viewAggregates, ", "))
		}
		q.aggregates = append(q.aggregates, call.Name)
		if n := len(call.Args); n > 0 {
			_, q.whole = call.Args[n-1].X.(*syntax.Star)
		}
	}
	return q, nil
}

// forbiddenIn is the first operator, source or function of a query that no view can have.
func forbiddenIn(text string) (word string, found bool) {
	tokens, err := syntax.Lex(text)
	if err != nil {
		return "", false
	}
	for i, t := range tokens {
		if t.Kind != syntax.NameToken {
			continue
		}
		operator := i > 0 && tokens[i-1].Is("|")
		call := tokens[i+1].Is("(") // the last token is never a name
		name := t.Text
		if tokens[i+1].Is("-") && tokens[i+2].Kind == syntax.NameToken {
			name += "-" + tokens[i+2].Text
		}
		switch {
		case name == "macro-expand": // it reads other databases
			return name, true
		case operator && slices.Contains(viewOperators, name):
			return name, true
		case call && !operator && slices.Contains(viewSources, t.Text):
			return t.Text, true
		case call && !operator && slices.Contains(viewFunctions, t.Text):
			return t.Text + "()", true
		}
	}
	return "", false
}

// checkViewSource refuses a source that a view of this query cannot have.
func checkViewSource(state *state, c *command.DefineView, q viewQuery) error {
	if v, ok := state.views[c.Source]; ok {
		of, err := parseView(v.name, v.query)
		if err != nil || !of.deduplicates() {
			return badRequest("Materialized view '%s' cannot be defined over materialized view '%s': only a view that is take_any(*) can be the source of another", c.Name, v.name)
		}
		return nil
	}
	t, err := state.table(c.Source)
	switch {
	case err != nil:
		return err
	case t.restricted():
		return badRequest("Materialized view '%s' cannot be defined over table '%s': it has a restricted_view_access policy", c.Name, t.name)
	case t.untimed():
		return badRequest("Materialized view '%s' cannot be defined over table '%s': its ingestiontime policy is off", c.Name, t.name)
	case t.protected() && q.picks() && !truth(given(c.With, withoutRowLevel)):
		return badRequest("Materialized view '%s' cannot be defined over table '%s': it has a row_level_security policy, and the view has none and shows its rows; "+
			"allowMaterializedViewsWithoutRowLevelSecurity=true allows that", c.Name, t.name)
	}
	return nil
}

// viewsOf are the views whose source is a table.
func viewsOf(s *state, name string) []*view {
	return slices.DeleteFunc(sortedViews(s), func(v *view) bool { return v.source != name })
}

// checkViewsOnMove refuses extents that would come into a view's source with their old
// ingestion time: the view would not process them.
func checkViewsOnMove(s *state, m moving) error {
	if !m.ingestedOn.IsZero() || !slices.ContainsFunc(m.move, func(p piece) bool { return p.table != m.to }) {
		return nil
	}
	for _, v := range viewsOf(s, m.to) {
		return badRequest("Cannot move extents to '%s' since materialized view '%s' will not process these extents (can lead to data loss in the materialized view). "+
			"Set setNewIngestionTime=true to give them a new ingestion time", m.to, v.name)
	}
	return nil
}

// checkViewsOnRowLevel refuses to enable row-level security on the source of a view that
// shows its rows without.
func checkViewsOnRowLevel(s *state, name string, with command.Properties) error {
	if truth(given(with, withoutRowLevel)) {
		return nil
	}
	for _, v := range viewsOf(s, name) {
		if q, err := parseView(v.name, v.query); err == nil && q.picks() {
			return badRequest("The row_level_security policy cannot be enabled on table '%s': the materialized view '%s' shows its rows and has no such policy; "+
				"'enable with (allowMaterializedViewsWithoutRowLevelSecurity=true) \"query\"' allows that", name, v.name)
		}
	}
	return nil
}

// checkViewsOnIngestionTime refuses to switch the ingestion time of a view's source off.
func checkViewsOnIngestionTime(s *state, name string) error {
	for _, v := range viewsOf(s, name) {
		return badRequest("The ingestiontime policy of table '%s' cannot be off: it is the source of the materialized view '%s'", name, v.name)
	}
	return nil
}
