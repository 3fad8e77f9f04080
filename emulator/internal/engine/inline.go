package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/formats"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Mapping is the ingestion mapping called name: of the table if it has one,
// else of the database. kind is a kind of mapping or a format that uses it.
func (e *Engine) Mapping(db, table, kind, name string) (formats.Mapping, error) {
	s, t, err := e.databases.table(db, table)
	if err != nil {
		return formats.Mapping{}, err
	}
	return s.mapping(t, kind, name)
}

func (s *state) mapping(t *table, kind, name string) (formats.Mapping, error) {
	k := keyOf(kindOfFormat(kind), name)
	m, ok := t.mappings[k]
	if !ok {
		m, ok = s.mappings[k]
	}
	if !ok {
		e := notFound(CodeMappingNotFound, "", name)
		e.Message = fmt.Sprintf("%sEntity ID '%s' of kind 'MappingPersistent' was not found: table '%s' and its database have no %s mapping of that name.",
			invalid, name, t.name, k.kind)
		return formats.Mapping{}, e
	}
	parsed, err := formats.ParseMapping(k.kind, m.text)
	if err != nil {
		return formats.Mapping{}, badRequest("The mapping '%s' is not valid: %v", name, err)
	}
	return parsed, nil
}

// checkMapping refuses a text that is not a mapping of the kind.
func checkMapping(kind, name, text string) error {
	if _, err := formats.ParseMapping(strings.ToLower(kind), text); err != nil {
		return badRequest("The mapping '%s' is not valid: %v", name, err)
	}
	return nil
}

// ingestInline is .ingest inline into table T.
func ingestInline(ctx context.Context, s *session, c *command.IngestInline) (*rows, error) {
	sc, t, err := s.table(c.Table, Ingestor)
	if err != nil {
		return nil, err
	}
	l, err := loadOf(s, c.With)
	if err != nil {
		return nil, err
	}
	err = checkProperties(c.With, "tags", "ingestifnotexists", "creationtime", "format", "ingestionmapping", "ingestionmappingreference",
		"ingestionmappingtype", "ignorefirstrecord", "persistdetails", "policy_ingestiontime", "zippattern", "rawdatasize", "validationpolicy")
	if err != nil {
		return nil, err
	}
	source := formats.Source{Format: strings.ToLower(c.With["format"]), IgnoreFirstRecord: truth(given(c.With, "ignorefirstrecord"))}
	if source.Format == "" {
		source.Format = "csv"
	}
	if name, ok := c.With["ingestionmappingreference"]; ok {
		source.HasMapping = true
		if source.Mapping, err = sc.state.mapping(t, source.Format, name); err != nil {
			return nil, err
		}
	} else if text, ok := c.With["ingestionmapping"]; ok {
		source.HasMapping = true
		if source.Mapping, err = formats.ParseMapping(kindOfFormat(source.Format), text); err != nil {
			return nil, badRequest("The property ingestionMapping is not valid: %v", err)
		}
	}
	l.table = c.Table
	return s.operate(ctx, "DataIngestInline", false, func(ctx context.Context, o operation) (*rows, error) {
		l.operation = o.id
		done, err := s.e.loader.load(ctx, sc.db, l, formats.Decode(strings.NewReader(c.Data), source, t.schema()))
		if err != nil {
			return nil, decodeError(err)
		}
		r := &rows{columns: []value.Column{
			guidColumn("ExtentId"), stringColumn("ItemLoaded"), timespanColumn("Duration"),
			boolColumn("HasErrors"), guidColumn("OperationId"),
		}}
		for _, x := range done.extents {
			r.add(guidValue(x.ID), value.NewString("inline"), durationValue(s.e.now().Sub(o.started)), value.NewBool(false), guidValue(o.id))
		}
		return r, nil
	})
}

// decodeError puts what the decoder says into the service's shape.
func decodeError(err error) error {
	f, ok := errors.AsType[*formats.Error](err)
	if !ok {
		return err
	}
	return &Error{
		Code: f.Code, Status: http.StatusBadRequest, Permanent: true, Type: typeBadRequest, Summary: summaryBadRequest,
		Message: invalid + f.Reason,
	}
}
