package kql

import (
	"maps"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// specials are the functions that special binds.
var specials = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`ago assert bag_pack_columns bin_auto column_ifexists column_names_of columnifexists current_database
		current_principal current_principal_is_member_of extent_id extent_tags extentid ingestion_time next now pack_all prev row_cumsum
		row_number row_rank_dense row_rank_min row_window_session toscalar`) {
		names[name] = true
	}
	return names
}()

// plugins are those of evaluate; all others are refused by name.
var plugins = []string{"bag_unpack", "ipv4_lookup", "pivot"}

// Construct is a part of the language by name: an operator, a plugin, an aggregate or a
// function.
type Construct struct {
	Kind    string
	Name    string
	Refused bool // by name
}

// Constructs are the parts of the language that are evaluated, and those that are
// refused by name and are known. Functions that begin with geo_ and plugins are refused
// without being listed.
func Constructs() []Construct {
	var list []Construct
	add := func(kind string, refused bool, names []string) {
		for _, n := range names {
			list = append(list, Construct{kind, n, refused})
		}
	}
	add("operator", false, syntax.Operators())
	add("plugin", false, plugins)
	add("aggregate", false, aggregate.Names())
	add("function", false, slices.Compact(slices.Sorted(slices.Values(append(scalar.Names(), slices.Collect(maps.Keys(specials))...)))))
	add("operator", true, syntax.RefusedOperators())
	add("function", true, slices.Sorted(maps.Keys(refusedFunctions)))
	return list
}
