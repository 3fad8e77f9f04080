package tvmexport_test

import (
	"go/ast"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// contracts are the interfaces that sources and destinations implement; what they
// can do beyond them, tvmexport.Ability finds.
var contracts = []string{"Destination", "CompleteDestination", "Orders", "Leases", "Ledger", "Sink", "Source", "CountingSource", "ListingSource", "JointCounter"}

// holder is a struct type that holds a source or a destination.
type holder struct {
	embeds  []string        // contracts that it embeds
	fields  bool            // it has a field whose type is a contract
	holds   []string        // contracts that are types of its fields
	methods map[string]bool // that are declared for it
}

// holders finds, by folder and name, the struct types with a field that is a contract.
func holders(t *testing.T) map[string]*holder {
	t.Helper()
	_, files := parsed(t, "emulator")
	out := map[string]*holder{}
	of := func(folder, name string) *holder {
		key := folder + "." + name
		if out[key] == nil {
			out[key] = &holder{methods: map[string]bool{}}
		}
		return out[key]
	}
	for name, file := range files {
		folder := filepath.Dir(name)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				s, ok := n.Type.(*ast.StructType)
				if !ok {
					break
				}
				for _, f := range s.Fields.List {
					e, ok := f.Type.(*ast.SelectorExpr)
					if !ok || !slices.Contains(contracts, e.Sel.Name) || e.X.(*ast.Ident).Name != "tvmexport" {
						continue
					}
					h := of(folder, n.Name.Name)
					h.fields = true
					h.holds = append(h.holds, e.Sel.Name)
					if len(f.Names) == 0 {
						h.embeds = append(h.embeds, e.Sel.Name)
					}
				}
			case *ast.FuncDecl:
				if n.Recv == nil {
					break
				}
				r := n.Recv.List[0].Type
				if p, ok := r.(*ast.StarExpr); ok {
					r = p.X
				}
				if id, ok := r.(*ast.Ident); ok {
					of(folder, id.Name).methods[n.Name.Name] = true
				}
			}
			return true
		})
	}
	return out
}

// wraps returns whether a type is in front of the contract that it holds: it
// embeds one, or declares all methods of one.
func (h *holder) wraps(methods map[string][]string) bool {
	return h.fields && !h.adapts(methods) && (len(h.embeds) > 0 || slices.ContainsFunc(contracts, func(c string) bool {
		return !slices.ContainsFunc(methods[c], func(m string) bool { return !h.methods[m] })
	}))
}

// adapts returns whether a type makes a counting source of a listing one, which it does
// not show: it has abilities of its own.
func (h *holder) adapts(methods map[string][]string) bool {
	has := func(contract string) bool {
		return !slices.ContainsFunc(methods[contract], func(m string) bool { return !h.methods[m] })
	}
	return len(h.embeds) == 0 && slices.Equal(h.holds, []string{"ListingSource"}) && has("CountingSource") && !h.methods["List"] && !h.methods["FetchUnit"]
}

// A type in front of a source or a destination is a tvmexport.Wrapper, so that it
// hides no ability, and a test of its package says so.
func TestWrappersPassAbilitiesOn(t *testing.T) {
	methods := map[string][]string{}
	all := declarations(t)
	for _, c := range contracts {
		i := slices.IndexFunc(all, func(d declaration) bool { return d.folder == "." && d.name == c })
		if i < 0 {
			t.Fatalf("the root package has no interface %s", c)
		}
		found := map[string]bool{}
		composed(t, all, all[i], found)
		for m := range found {
			methods[c] = append(methods[c], m)
		}
	}
	tested := map[string]bool{} // folders that run the suites of wrappers
	_, files := parsed(t, "emulator")
	for name, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			called := ""
			switch f := call.Fun.(type) {
			case *ast.Ident:
				called = f.Name
			case *ast.SelectorExpr:
				called = f.Sel.Name
			}
			if strings.HasSuffix(name, "_test.go") && (called == "TestWrapper" || called == "TestSourceWrapper") {
				tested[filepath.Dir(name)] = true
			}
			return true
		})
	}
	found := 0
	for name, h := range holders(t) {
		if !h.wraps(methods) {
			continue
		}
		found++
		folder, _, _ := strings.Cut(name, ".")
		if !h.methods["Unwrap"] {
			t.Errorf("%s holds a source or a destination behind the same contract, and has no method Unwrap: it hides abilities", name)
		}
		if !tested[folder] {
			t.Errorf("no test of %s runs contract.TestWrapper or contract.TestSourceWrapper", name)
		}
	}
	if found < 3 {
		t.Errorf("only %d wrappers were found", found)
	}
}

// The rule finds what is in front of a contract.
func TestWhatWraps(t *testing.T) {
	methods := map[string][]string{
		"Sink": {"Land", "Commit"}, "Source": {"Columns", "Schemas"}, "CountingSource": {"Columns", "Schemas", "Count", "Fetch"},
	}
	for _, c := range contracts {
		if methods[c] == nil {
			methods[c] = []string{"NeverDeclared"}
		}
	}
	for name, c := range map[string]struct {
		holder holder
		want   bool
	}{
		"embeds one":     {holder{embeds: []string{"Destination"}, fields: true}, true},
		"declares all":   {holder{fields: true, methods: map[string]bool{"Land": true, "Commit": true, "More": true}}, true},
		"declares some":  {holder{fields: true, methods: map[string]bool{"Commit": true}}, false},
		"adapts":         {holder{fields: true, holds: []string{"ListingSource"}, methods: map[string]bool{"Count": true, "Fetch": true, "Columns": true, "Schemas": true}}, false},
		"shows it too":   {holder{fields: true, holds: []string{"ListingSource"}, methods: map[string]bool{"Count": true, "Fetch": true, "Columns": true, "Schemas": true, "List": true, "FetchUnit": true}}, true},
		"holds no other": {holder{methods: map[string]bool{"Land": true, "Commit": true}}, false},
	} {
		if got := c.holder.wraps(methods); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
