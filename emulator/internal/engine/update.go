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

// derive runs the update policies that read source over its new extents, and
// those that read what comes out. A transactional policy that fails is the
// load's error; another is recorded and leaves its table as it is.
func (e *Engine) derive(ctx context.Context, d *database, s *state, l load, source *table, extents []*extent.Extent, path []string) ([]derivation, error) {
	if len(extents) == 0 {
		return nil, nil
	}
	path = append(path[:len(path):len(path)], source.name)
	var all []derivation
	for _, target := range s.sortedTables() {
		for _, p := range target.updatePolicies() {
			if !p.reads(source.name) {
				continue
			}
			made, err := e.runPolicy(ctx, d, s, l, p, source, extents, target, path)
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
			e.RecordIngestionFailure(IngestionFailure{
				OperationID: l.operation, Database: d.name, Table: target.name, Principal: l.principal,
				Details: err.Error(), FailureKind: "Permanent", OperationKind: "UpdatePolicy",
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
func (e *Engine) runPolicy(ctx context.Context, d *database, s *state, l load, p updatePolicy, source *table, extents []*extent.Extent, target *table, path []string) ([]derivation, error) {
	if slices.Contains(path, target.name) {
		return nil, policyError(codeUpdateCyclic, target, fmt.Sprintf("the policies go round in a circle: %s, %s", strings.Join(path, ", "), target.name))
	}
	catalog := e.catalog(d.name, l.principal)
	catalog.system = true
	statement, err := e.policyQuery(catalog.with(source.name, &extent.Relation{Schema: source.columns, Extents: extents}), p)
	if err != nil {
		return nil, policyError(codeUpdateFailed, target, err.Error())
	}
	if err := matches(statement.Columns(), target.schema()); err != nil {
		return nil, policyError(codeUpdateSchema, target, err.Error())
	}
	into := load{principal: l.principal, table: target.name, operation: l.operation, untimed: target.untimed()}
	if p.PropagateIngestionProperties {
		into.tags, into.created = l.tags, l.created
	}
	made, err := e.write(target.columns, into, statement.Rows(ctx))
	if isContext(err) {
		return nil, err
	}
	if err != nil {
		return nil, policyError(codeUpdateFailed, target, err.Error())
	}
	next, err := e.derive(ctx, d, s, into, target, made, path)
	if err != nil {
		return nil, err
	}
	return append([]derivation{{target.name, made}}, next...), nil
}

// policyQuery compiles the query of a policy.
func (e *Engine) policyQuery(c *catalog, p updatePolicy) (*kql.Statement, error) {
	q, err := kql.Compile(p.Query, kql.Environment{Catalog: c, Database: c.home, Now: e.now()})
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
