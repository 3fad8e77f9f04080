package engine

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// derivation is extents that an update policy made for a table.
type derivation struct {
	table   string
	extents []*extent.Extent
}

// Error codes of update policies, by the page on ingestion error codes.
const (
	codeUpdateFailed = "UpdatePolicy_IngestionError"
	codeUpdateSchema = "UpdatePolicy_QuerySchemaDoesNotMatchTableSchema"
	codeUpdateCyclic = "UpdatePolicy_Cyclic_Update_Not_Allowed"
)

// arrival is rows that came into a table, for its update policies.
type arrival struct {
	load    load // that brought them
	source  *table
	extents []*extent.Extent
	path    []string // the tables whose policies led to source
}

// derive runs the update policies that read the source over its new extents, and
// those that read what comes out. A transactional policy that fails is the
// load's error; another is recorded and leaves its table as it is.
func (w *loader) derive(ctx context.Context, sc scope, a arrival) ([]derivation, error) {
	if len(a.extents) == 0 {
		return nil, nil
	}
	a.path = append(a.path[:len(a.path):len(a.path)], a.source.name)
	var all []derivation
	for _, target := range sc.state.sortedTables() {
		for _, p := range target.updatePolicies() {
			if !p.reads(a.source.name) {
				continue
			}
			made, err := w.runPolicy(ctx, sc, a, p, target)
			if err == nil {
				all = append(all, made...)
				continue
			}
			if isContext(err) {
				return nil, err
			}
			if p.IsTransactional {
				return nil, err
			}
			w.log.fail(IngestionFailure{
				OperationID: a.load.operation, Database: sc.db.name, Table: target.name, Principal: a.load.principal,
				FailedOn: w.now(), Details: err.Error(), FailureKind: "Permanent", OperationKind: "UpdatePolicy",
				OriginatesFromUpdatePolicy: true, ErrorCode: errorCode(err),
			})
		}
	}
	return all, nil
}

func errorCode(err error) string {
	if e, ok := err.(*Error); ok {
		return e.Code
	}
	return codeUpdateFailed
}

// runPolicy makes the extents of one policy and of those that follow from it.
func (w *loader) runPolicy(ctx context.Context, sc scope, a arrival, p updatePolicy, target *table) ([]derivation, error) {
	if slices.Contains(a.path, target.name) {
		return nil, policyError(codeUpdateCyclic, target, fmt.Sprintf("the policies go round in a circle: %s, %s", strings.Join(a.path, ", "), target.name))
	}
	catalog := w.databases.catalog(sc.db.name, a.load.principal)
	catalog.system = true
	statement, err := catalog.with(a.source.name, &extent.Relation{Schema: a.source.columns, Extents: a.extents}).policyQuery(p)
	if err != nil {
		return nil, policyError(codeUpdateFailed, target, err.Error())
	}
	if err := matches(statement.Columns(), target.schema()); err != nil {
		return nil, policyError(codeUpdateSchema, target, err.Error())
	}
	into := load{principal: a.load.principal, table: target.name, operation: a.load.operation, untimed: target.untimed()}
	if p.PropagateIngestionProperties {
		into.tags, into.created = a.load.tags, a.load.created
	}
	made, err := w.write(target.columns, into, statement.Rows(ctx))
	if isContext(err) {
		return nil, err
	}
	if err != nil {
		return nil, policyError(codeUpdateFailed, target, err.Error())
	}
	next, err := w.derive(ctx, sc, arrival{into, target, made, a.path})
	if err != nil {
		return nil, err
	}
	return append([]derivation{{target.name, made}}, next...), nil
}

// policyQuery compiles the query of a policy.
func (c *catalog) policyQuery(p updatePolicy) (*kql.Statement, error) {
	q, err := kql.Compile(p.Query, kql.Environment{Catalog: c, Database: c.home, Now: c.in.now()})
	if err != nil {
		return nil, asError(err)
	}
	if len(q.Statements) != 1 {
		return nil, badRequest("The policy's query must be one tabular statement: %s", excerpt(p.Query))
	}
	return q.Statements[0], nil
}

func policyError(code string, target *table, reason string) *Error {
	return &Error{
		Code: code, Status: http.StatusBadRequest, Permanent: true, Type: typeBadRequest, Summary: summaryBadRequest,
		Message: fmt.Sprintf("Failed to invoke update policy. Target Table = '%s': %s", target.name, reason),
	}
}

// matches says whether rows of the query's columns can be rows of the table:
// as many columns, of the same types in the same order. Names do not matter.
func matches(query, table []value.Column) error {
	same := len(query) == len(table)
	for i := 0; same && i < len(query); i++ {
		same = query[i].Kind == table[i].Kind
	}
	if same {
		return nil
	}
	return fmt.Errorf("Query schema does not match table schema. QuerySchema=(%s), TableSchema=(%s)", kinds(query), kinds(table))
}

func kinds(columns []value.Column) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "'%v'", c.Kind)
	}
	return b.String()
}
