package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// ListingSource is a tvmexport.ListingSource with a memory: tables in versions,
// each divided into units, as the files of an export are. The zero value is ready.
type ListingSource struct {
	mu       sync.Mutex
	tables   map[string][]version // oldest first
	Schema   []tvmexport.Column   // of every table; nil: DeviceId and Timestamp
	Announce bool                 // listings tell how many rows a unit has
	Walk     bool                 // a listing has the first unit only; each unit names the next one, as pages do
	Valid    time.Duration        // of links; 0: they do not expire
	Lists    int                  // calls of List
	Reads    []tvmexport.Unit     // calls of FetchUnit
	// Before, if set, is asked before each FetchUnit; its error is the answer.
	Before func(u tvmexport.Unit) error
	// Corrupt, if set, changes the answer to a FetchUnit after its rows were written.
	Corrupt func(u tvmexport.Unit, a *tvmexport.Answer)
}

// version is one state of a table.
type version struct {
	name  string
	at    time.Time
	units [][]Row
}

// Generate adds a newer version to a table, as a service does when it exports
// the table again.
func (s *ListingSource) Generate(table, name string, units ...[]Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables == nil {
		s.tables = map[string][]version{}
	}
	s.tables[table] = append(slices.Clip(s.tables[table]), version{name, time.Now(), units})
}

// unit describes a unit as a listing does. Its link is fresh.
func (s *ListingSource) unit(table string, v version, i int) tvmexport.Unit {
	u := tvmexport.Unit{Version: v.name, ID: fmt.Sprintf("part-%05d", i), Rows: tvmexport.Missing}
	if s.Announce {
		u.Rows = int64(len(v.units[i]))
	}
	if s.Valid > 0 {
		u.Expires = time.Now().Add(s.Valid)
	}
	u.Link = tvmexport.Link(fmt.Sprintf("%s|%s|%d|%d", table, v.name, i, time.Now().Add(s.Valid).UnixNano()))
	return u
}

// List implements tvmexport.ListingSource.
func (s *ListingSource) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	if err := context.Cause(ctx); err != nil {
		return tvmexport.Listing{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Lists++
	all := s.tables[t.Name]
	if len(all) == 0 {
		return tvmexport.Listing{Calls: 1}, unknown("list", t.Name)
	}
	v := all[len(all)-1]
	l := tvmexport.Listing{Version: v.name, At: v.at, Calls: 1}
	for i := range v.units {
		if s.Walk && i > 0 {
			break
		}
		l.Units = append(l.Units, s.unit(t.Name, v, i))
	}
	return l, nil
}

func unknown(op, table string) error {
	return &tvmexport.Error{Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Rejected, Err: errors.New("no such table")}
}

// FetchUnit implements tvmexport.ListingSource.
func (s *ListingSource) FetchUnit(ctx context.Context, t tvmexport.Table, u tvmexport.Unit, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	a := tvmexport.Answer{Calls: 1, Counted: tvmexport.Missing}
	if err := context.Cause(ctx); err != nil {
		return a, err
	}
	s.mu.Lock()
	s.Reads = append(s.Reads, u)
	before, corrupt := s.Before, s.Corrupt
	s.mu.Unlock()
	if before != nil {
		if err := before(u); err != nil {
			return a, err
		}
	}
	rows, next, err := s.open(t.Name, u)
	if err != nil {
		return a, err
	}
	for _, r := range rows {
		if err := w.WriteRow([]byte(r.Key), []byte(r.JSON)); err != nil {
			return a, err
		}
		a.Rows++
		a.Bytes += int64(len(r.JSON))
	}
	a.Counted, a.Next = a.Rows, next
	if corrupt != nil {
		corrupt(u, &a)
	}
	return a, nil
}

// open follows the link of a unit.
func (s *ListingSource) open(table string, u tvmexport.Unit) (rows []Row, next []tvmexport.Unit, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fail := func(action tvmexport.Action, cause tvmexport.Cause, why error) ([]Row, []tvmexport.Unit, error) {
		return nil, nil, &tvmexport.Error{Op: "fetch", Table: table, Action: action, Cause: cause, Err: why}
	}
	link := strings.Split(string(u.Link), "|")
	if len(link) != 4 || link[0] != table || link[1] != u.Version {
		return fail(tvmexport.Stop, tvmexport.Rejected, errors.New("the link is not one of this table and version"))
	}
	i, _ := strconv.Atoi(link[2])
	until, _ := strconv.ParseInt(link[3], 10, 64)
	if s.Valid > 0 && time.Now().UnixNano() >= until {
		return fail(tvmexport.Retry, tvmexport.Rejected, tvmexport.ErrUnitExpired)
	}
	for _, v := range s.tables[table] {
		if v.name != u.Version || i >= len(v.units) {
			continue
		}
		if s.Walk && i+1 < len(v.units) {
			next = []tvmexport.Unit{s.unit(table, v, i+1)}
		}
		return v.units[i], next, nil
	}
	return fail(tvmexport.Stop, tvmexport.Rejected, errors.New("there is no such unit"))
}

// Columns implements tvmexport.Source.
func (s *ListingSource) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tables[table]) == 0 {
		return nil, unknown("schema", table)
	}
	return schemaOr(s.Schema), nil
}

// Schemas implements tvmexport.Source.
func (s *ListingSource) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	out := map[string][]tvmexport.Column{}
	for _, t := range tables {
		if c, err := s.Columns(ctx, t); err == nil {
			out[t] = c
		}
	}
	return out, nil
}

// schemaOr is a fake's schema, or the usual one.
func schemaOr(schema []tvmexport.Column) []tvmexport.Column {
	if schema != nil {
		return slices.Clone(schema)
	}
	return []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Timestamp", Type: "datetime"}}
}

var _ tvmexport.ListingSource = (*ListingSource)(nil)
