package kusto

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// severalTables are tables with one column of data.
func severalTables(n int) []tvmexport.Table {
	var out []tvmexport.Table
	for i := range n {
		t := softwareTable
		t.Name = fmt.Sprintf("Several%d", i)
		t.Destination = t.Name + "Raw"
		out = append(out, t)
	}
	return out
}

// exportTogether exports a run of each table at the same time, on the base of previous.
func (s stage) exportTogether(c *Client, id, previous string, tables []tvmexport.Table) []error {
	s.Helper()
	return s.publishTogether(c, id, s.landTogether(id, previous, tables))
}

// landTogether lands a batch of a run of each table.
func (s stage) landTogether(id, previous string, tables []tvmexport.Table) []tvmexport.Run {
	s.Helper()
	runs := make([]tvmexport.Run, len(tables))
	for i, t := range tables {
		runs[i] = runOfTable(t, fmt.Sprintf("%s-%d", id, i), "", tvmexport.FullRun)
		if previous != "" {
			runs[i].Previous = tvmexport.RunID(fmt.Sprintf("%s-%d", previous, i))
		}
		s.land(runs[i], batch(runs[i], 1, fmt.Sprintf(`{"DeviceId":"%s-%d"}`, id, i)))
	}
	return runs
}

// publishTogether publishes and commits runs at the same time, and returns the error of each.
func (s stage) publishTogether(c *Client, id string, runs []tvmexport.Run) []error {
	errs := make([]error, len(runs))
	var wg sync.WaitGroup
	for i, run := range runs {
		wg.Go(func() {
			p := publicationOf(run, batch(run, 1, `{}`))
			out, err := c.Publish(s.Context(), p)
			if err == nil {
				err = c.Commit(s.Context(), tvmexport.Commit{Run: run, Owner: id, Rows: out.Rows, Bytes: 1, Calls: 1, Partitions: p.Partitions})
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errs
}

// jointAppends are the texts that append rows of several tables.
func jointAppends(texts []string) (out []string) {
	for _, text := range texts {
		if strings.HasPrefix(text, ".set-or-append ") && strings.Contains(text, `"]', ingestIfNotExists`) && strings.Contains(text, `","`) && !strings.Contains(text, "async") {
			out = append(out, text)
		}
	}
	return out
}

// Tables that publish at the same time share claims, partitions and commits. Each counts
// once, and a joint command that the service executes again, or late, adds nothing.
func TestTablesThatPublishTogether(t *testing.T) {
	onStage(t, func(s stage) {
		tables := severalTables(3)
		s.setUp(tables...)
		var mu sync.Mutex
		var texts []string
		record := s.client.conn.Record
		s.client.conn.Record = func(text string) {
			mu.Lock()
			defer mu.Unlock()
			texts = append(texts, text)
			if record != nil {
				record(text)
			}
		}
		for _, err := range s.exportTogether(s.client, "R1", "", tables) {
			s.must(err)
		}
		joint := jointAppends(texts)
		for _, kind := range []string{`State = "publishing"`, `State = "committed"`, "Partition:string"} {
			if !slices.ContainsFunc(joint, func(text string) bool { return strings.Contains(text, kind) && strings.Contains(text, "Several2") }) {
				s.Errorf("no joint command of all tables has %s: %q", kind, joint)
			}
		}
		before := s.ledgerRows()
		for _, text := range joint { // late, or again
			_, err := s.client.conn.Command(s.Context(), conn.Statement{Op: "test", Text: text})
			s.must(err)
		}
		if after := s.ledgerRows(); !slices.Equal(before, after) {
			s.Errorf("the ledger has %v, before the late commands %v", after, before)
		}
		for _, table := range tables {
			s.wantDevices(table, "R1-"+table.Name[len("Several"):])
		}
	})
}

// A base that another run holds concerns its own table only: the joint claim is not
// executed, and each table's own guard decides.
func TestOneOfTheTablesIsTaken(t *testing.T) {
	onStage(t, func(s stage) {
		tables := severalTables(3)
		s.setUp(tables...)
		for _, err := range s.exportTogether(s.client, "R1", "", tables[1:2]) { // R1-0 is a run of the second table
			s.must(err)
		}
		errs := s.exportTogether(s.client, "R2", "", tables)
		s.must(errs[0])
		s.must(errs[2])
		if !errors.Is(errs[1], tvmexport.ErrSuperseded) {
			s.Errorf("the table whose base is taken ends with %v", errs[1])
		}
		s.wantDevices(tables[0], "R2-0")
		s.wantDevices(tables[1], "R1-0")
		s.wantDevices(tables[2], "R2-2")
	})
}

// Two processes claim the bases of the same tables at the same time: one of them holds
// each base, and readers see the rows of that one.
func TestTwoProcessesClaimTogether(t *testing.T) {
	onStage(t, func(s stage) {
		tables := severalTables(3)
		s.setUp(tables...)
		var wg sync.WaitGroup
		errs, runs := make([][]error, 2), make([][]tvmexport.Run, 2)
		for i := range runs { // before one of them publishes: nothing lands for a base that is taken
			runs[i] = s.landTogether(fmt.Sprintf("R%d", i), "", tables)
		}
		for i, c := range []*Client{s.client, s.admin} {
			wg.Go(func() { errs[i] = s.publishTogether(c, fmt.Sprintf("R%d", i), runs[i]) })
		}
		wg.Wait()
		for i, table := range tables {
			won := -1
			for process := range errs {
				switch err := errs[process][i]; {
				case err == nil && won < 0:
					won = process
				case !errors.Is(err, tvmexport.ErrSuperseded):
					s.Errorf("%s: process %d ends with %v", table.Name, process, err)
				}
			}
			if won < 0 {
				s.Errorf("%s: nobody has published", table.Name)
				continue
			}
			s.wantDevices(table, fmt.Sprintf("R%d-%d", won, i))
		}
	})
}

// ledgerRows are how many rows the ledger has of each state, and of partitions.
func (s stage) ledgerRows() []string {
	s.Helper()
	return append(s.ask(kql.RunsTable+" | summarize N = count() by State, Table | project Line = strcat(State, Table, N) | order by Line asc"),
		s.ask(kql.PartitionsTable+" | summarize N = count() | project Line = strcat(N)")...)
}

func (s stage) wantDevices(t tvmexport.Table, want ...string) {
	s.Helper()
	if got := s.ask(kql.Ident(t.Name) + " | project DeviceId | order by DeviceId asc"); !slices.Equal(got, want) {
		s.Errorf("readers of %s see %q, want %q", t.Name, got, want)
	}
}
