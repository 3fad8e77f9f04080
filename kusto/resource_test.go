package kusto

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// TestResourceScript runs the script of a template twice. All of its commands begin with a verb that a database script
// resource takes, and init has only rows and the view of the configuration to add.
func TestResourceScript(t *testing.T) {
	onStage(t, func(s stage) {
		tables := []tvmexport.Table{softwareTable, eventsTable}
		commands, err := setup.Script(tables, setup.Options{})
		s.must(err)
		var b bytes.Buffer
		s.must(setup.WriteResourceScript(&b, commands))
		if strings.Contains(b.String(), "\n\n") || strings.Contains(b.String(), "//") {
			t.Error("the script has an empty line or a comment")
		}
		n := 0
		for line := range strings.Lines(b.String()) {
			if verb, _, _ := strings.Cut(line, " "); strings.HasPrefix(line, ".") {
				if n++; !slices.Contains(setup.ResourceVerbs, verb) {
					t.Errorf("a command begins with %s", verb)
				}
			}
		}
		if n < 3*len(tables) {
			t.Errorf("the script has %d commands", n)
		}
		for range 2 {
			s.asAdmin(".execute database script with (ThrowOnErrors=true) <|\n" + b.String())
		}
		plan, err := s.client.Setup().Plan(s.Context(), tables, setup.Options{})
		s.must(err)
		for _, c := range plan.Made {
			if c.Name != "VwLatestMigrationConfiguration" {
				t.Errorf("init still makes %s %s", c.Kind, c.Name)
			}
		}
	})
}
