package publish

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// operationsOf answers commands for several tables with one document, and others with a
// table, by their texts.
func operationsOf(t *testing.T, found string, single func(text string) conntest.Reply) (*operations, *conntest.Fake) {
	t.Helper()
	f := &conntest.Fake{Answer: func(text string) conntest.Reply {
		if strings.Contains(text, "make_list(") {
			return conntest.Reply{Columns: []kql.Column{{Name: "Found", Kind: "dynamic"}}, Rows: [][]any{{found}}}
		}
		return single(text)
	}}
	to, err := conn.New(conn.Options{Cluster: "https://127.0.0.1", Database: "security", HTTPClient: &http.Client{Transport: f}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = to.Close() })
	return newOperations(to), f
}

// both carries out two calls at the same time.
func both(call func(i int) string) (out [2]string) {
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() { out[i] = call(i) })
	}
	wg.Wait()
	return out
}

// Each table gets the extents that have its own tag as a whole.
func TestTagsOfSeveralTables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := operationsOf(t, `[{"Table":"A","Tags":"x:1\r\ny","Rows":3},{"Table":"A","Tags":"x:1\r\nz","Rows":4},{"Table":"A","Tags":"x:11","Rows":90},
			{"Table":"A","Tags":"x:2","Rows":70},{"Table":"B","Tags":"x:1","Rows":50}]`, nil)
		got := both(func(i int) string {
			e, err := c.tags.Ask(t.Context(), []tagged{{table: "A", tag: "x:1"}, {table: "B", tag: "x:2"}}[i])
			return fmt.Sprint(e.rows, e.tags, err)
		})
		if want := [2]string{"7 map[x:1:true y:true z:true] <nil>", "0 map[] <nil>"}; got != want || len(f.Sent()) != 1 {
			t.Errorf("got %q with %q", got, f.Sent())
		}
	})
}

// An answer that cannot be read is none: the tables are asked alone.
func TestTagsThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := operationsOf(t, `{"no":"list"}`, func(string) conntest.Reply {
			return conntest.Reply{Columns: []kql.Column{{Name: "Rows", Kind: "long"}, {Name: "Tags", Kind: "string"}}, Rows: [][]any{{5, "x:1"}}}
		})
		got := both(func(i int) string {
			e, err := c.tags.Ask(t.Context(), []tagged{{table: "A", tag: "x:1"}, {table: "B", tag: "x:1"}}[i])
			return fmt.Sprint(e.rows, err)
		})
		if want := [2]string{"5 <nil>", "5 <nil>"}; got != want || len(f.Sent()) != 3 {
			t.Errorf("got %q with %q", got, f.Sent())
		}
	})
}

func TestStatesOfSeveralOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := operationsOf(t, `[{"Id":"AAAA","State":"Failed","Status":"no","Again":true},{"Id":"cccc","State":"Completed","Status":"","Again":null}]`, nil)
		got := both(func(i int) string {
			states, err := c.states.Ask(t.Context(), []string{"aaaa", "bbbb"}[i])
			return fmt.Sprint(states, err)
		})
		if want := [2]string{"[{aaaa Failed no true}] <nil>", "[] <nil>"}; got != want || len(f.Sent()) != 1 {
			t.Errorf("got %q with %q", got, f.Sent())
		}
	})
}

// Two times for one table are two questions.
func TestOldExtentsOfSeveralTables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, f := operationsOf(t, `[{"Table":"ALanding","Id":"1"},{"Table":"BLanding","Id":"2"}]`, func(string) conntest.Reply {
			return conntest.Reply{Columns: []kql.Column{{Name: "Id", Kind: "string"}}, Rows: [][]any{{"alone"}}}
		})
		ask := func(tables [2]string) [2]string {
			return both(func(i int) string {
				ids, err := c.older.Ask(t.Context(), landedBefore{table: tables[i], until: time.Now().Add(time.Duration(i) * time.Hour)})
				return fmt.Sprint(ids, err)
			})
		}
		if got, want := ask([2]string{"ALanding", "BLanding"}), [2]string{"[1] <nil>", "[2] <nil>"}; got != want || len(f.Sent()) != 1 {
			t.Errorf("got %q with %q", got, f.Sent())
		}
		if got, want := ask([2]string{"ALanding", "ALanding"}), [2]string{"[alone] <nil>", "[alone] <nil>"}; got != want {
			t.Errorf("got %q with %q", got, f.Sent())
		}
	})
}
