package datamanagement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/formats"
)

// MaxStream is the largest body of a streaming ingestion
// (https://learn.microsoft.com/azure/data-explorer/ingest-data-streaming).
const MaxStream = 4 << 20

// Stream is one streaming ingestion: data that is in the table when the call
// returns.
type Stream struct {
	Principal  engine.Principal
	Database   string
	Table      string
	Format     string    // csv if empty
	Mapping    string    // name of one that exists
	Body       io.Reader // may be compressed with gzip
	BlobURI    string    // read this instead of Body
	ActivityID string
}

// Stream ingests at once. The error is a *engine.Error unless ctx ended. Tables
// need a streaming ingestion policy. JSON without a mapping is mapped by the names of
// the columns, as https://learn.microsoft.com/azure/data-explorer/ingest-json-formats
// says and the official clients' own tests expect; the page
// https://learn.microsoft.com/kusto/api/rest/streaming-ingest asks for a mapping,
// which StreamNeedsMapping requires.
func (s *Service) Stream(ctx context.Context, in Stream) error {
	s.count(func(x *Stats) { x.Streams++ })
	err := s.stream(ctx, in)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return streamError(err)
}

func (s *Service) stream(ctx context.Context, in Stream) error {
	if s.o.StreamNeedsMapping && in.Mapping == "" && formats.KindOf(in.Format) != "csv" {
		return &Failure{
			Code: "BadRequest_MissingMappingtFailure", Permanent: true,
			Details: fmt.Sprintf("Streaming data of format %s needs the parameter mappingName", in.Format),
		}
	}
	t, err := s.targets.find(in.Principal, in.Database, in.Table, Properties{Format: in.Format, MappingReference: in.Mapping})
	if err != nil {
		return err
	}
	if !s.o.Engine.StreamingEnabled(in.Database, in.Table) {
		return &Failure{
			Code: "BadRequest_StreamingIngestionPolicyNotEnabled", Permanent: true,
			Details: fmt.Sprintf("Streaming ingestion policy is not enabled for table '%s'", in.Table),
		}
	}
	raw := &countedReader{r: in.Body, close: func() error { return nil }}
	if in.BlobURI != "" {
		body, err := s.o.Storage.OpenBlob(ctx, in.BlobURI)
		if err != nil {
			return err
		}
		raw = &countedReader{r: body, close: body.Close}
	}
	raw.r = &limited{r: raw.r, left: MaxStream}
	b, err := decompressed(raw)
	if err != nil {
		return err
	}
	result, err := s.o.Engine.Ingest(ctx, engine.Ingestion{
		Principal: in.Principal, Database: in.Database, Table: in.Table,
		Rows: formats.Decode(b, t.source, t.columns), OperationID: uuid.New(), ActivityID: in.ActivityID,
	})
	if closed := b.Close(); err == nil {
		err = closed
	}
	if err == nil {
		s.count(func(x *Stats) {
			x.Rows += result.RowCount
			x.Bytes += raw.n.Load()
		})
	}
	return err
}

// limited fails when there is more than left.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, &engine.Error{
			Code: formats.CodeInputTooLarge, Status: http.StatusRequestEntityTooLarge, Permanent: true,
			Type:    "Kusto.Data.Exceptions.KustoBadRequestException",
			Summary: "Request is too large",
			Message: fmt.Sprintf("Streaming ingestion takes up to %d bytes in a request; use queued ingestion for more", MaxStream),
		}
	}
	return n, err
}

// streamError puts a failure into the shape of a refused request.
func streamError(err error) error {
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return e
	}
	f := failureOf(err)
	e := refusal("%s", f.Details)
	e.Code, e.Permanent = f.Code, f.Permanent
	if !f.Permanent {
		e.Status = http.StatusInternalServerError
	}
	return e
}
