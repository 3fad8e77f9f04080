package defender

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// maxRequestBody limits what any front reads, regardless of the quota.
const maxRequestBody = 64 << 20

// front serves one dialect.
type front struct {
	service *Service
	dialect dialect
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := f.dialect.traits()
	ids := exchange{
		requestID:       uuid.NewString(),
		clientRequestID: r.Header.Get("client-request-id"),
		at:              f.service.o.Now(),
	}
	if ids.clientRequestID == "" {
		ids.clientRequestID = ids.requestID
	}
	w.Header().Set("request-id", ids.requestID)
	w.Header().Set("client-request-id", ids.clientRequestID)
	if !slices.Contains(t.paths, r.URL.Path) {
		f.dialect.fail(w, notServed(t, r), ids)
		return
	}
	counts := f.service.counts[t.name]
	counts.call(ids.at)
	answer, failed := f.answer(r, t)
	if failed != nil {
		if failed.throttle != nil {
			counts.throttle(failed.throttle.Kind)
		} else {
			counts.add(func(s *Stats) { s.Failures++ })
		}
		f.dialect.fail(w, failed, ids)
		return
	}
	defer answer.rows.close()
	head, tail := f.dialect.envelope(answer.columns, answer.completion)
	counts.add(func(s *Stats) {
		s.Answers++
		s.Rows += int64(answer.completion.rows)
		s.Bytes += int64(len(head)+len(tail)) + answer.rows.size()
		if answer.cut {
			s.RowsCut++
		}
	})
	w.Header().Set("Content-Type", t.contentType)
	coding := acceptedEncoding(r.Header.Get("Accept-Encoding"), t.encodings...)
	document{head, answer.rows, tail}.send(w, coding, f.service.o.Wire.RawDeflate)
}

// document is the body of an answer.
type document struct {
	head []byte
	rows *spool
	tail []byte
}

// send writes the answer. A failure can only be the connection's, and then nobody
// reads the answer.
func (d document) send(w http.ResponseWriter, coding string, rawDeflate bool) {
	out, done := compress(w, coding, rawDeflate)
	w.WriteHeader(http.StatusOK)
	if _, err := out.Write(d.head); err != nil {
		return
	}
	if d.rows.copyTo(out) != nil {
		return
	}
	if _, err := out.Write(d.tail); err != nil {
		return
	}
	_ = done()
}

// notServed is the answer to a path or method that is no operation of the front.
func notServed(t traits, r *http.Request) *failure {
	if t.name == "graph" {
		return badRequest("Resource not found for the segment '" + lastSegment(r.URL.Path) + "'.")
	}
	return &failure{status: http.StatusNotFound, code: "NotFound", message: "Resource " + r.URL.Path + " was not found"}
}

func lastSegment(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

// answer is a result that may be sent.
type answer struct {
	columns    []value.Column
	rows       *spool
	completion completion
	cut        bool // at the row quota
}

// answer does everything up to the first byte of the answer.
func (f *front) answer(r *http.Request, t traits) (*answer, *failure) {
	o := f.service.o
	if r.Method != http.MethodPost {
		return nil, &failure{status: http.StatusMethodNotAllowed, code: "BadRequest", message: "The HTTP method " + r.Method + " is not supported; use POST."}
	}
	limit := int64(maxRequestBody)
	if t.bodyLimit && o.Quota.RequestBody > 0 {
		limit = o.Quota.RequestBody
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, badRequest("The request body could not be read.")
	}
	if int64(len(body)) > limit {
		return nil, &failure{status: http.StatusRequestEntityTooLarge, html: true}
	}
	if failed := f.authorize(r, t); failed != nil {
		return nil, failed
	}
	now := o.Now()
	if throttled := f.service.calls[t.name].Admit(now); throttled != nil {
		return nil, &failure{status: http.StatusTooManyRequests, throttle: throttled}
	}
	q, failed := f.dialect.parse(body)
	if failed != nil {
		return nil, failed
	}
	if throttled := f.service.cpu.admit(now); throttled != nil {
		return nil, &failure{status: http.StatusTooManyRequests, throttle: throttled}
	}
	return f.run(r.Context(), t, q)
}

// authorize checks the token and the application permission.
func (f *front) authorize(r *http.Request, t traits) *failure {
	token, err := entra.Bearer(r)
	if err != nil {
		return &failure{status: http.StatusUnauthorized, token: &tokenRefuse{err}}
	}
	claims, err := f.service.o.Verify(r.Context(), token, t.audiences...)
	if err != nil {
		return &failure{status: http.StatusUnauthorized, token: &tokenRefuse{err}}
	}
	if !claims.HasRole(t.role) {
		return &failure{status: http.StatusForbidden, code: "Forbidden", roles: claims.Roles}
	}
	return nil
}

// run compiles and runs a query into a spool.
func (f *front) run(ctx context.Context, t traits, q request) (*answer, *failure) {
	o := f.service.o
	if isManagementCommand(q.query) {
		return nil, badRequest("Unexpected control command. Fix semantic errors in your query.")
	}
	now := o.TenantNow()
	s := &session{
		Catalog: o.Catalog(),
		mdeOnly: t.endpoint,
		most:    mostRows(o.Quota.RequestTime, o.Quota.RequestCPU),
	}
	if o.Hidden != nil {
		s.hidden = o.Hidden(ctx)
	}
	if o.Quota.DataRange > 0 {
		// Data leave the service by the day, not by the second.
		s.events.from = now.Add(-o.Quota.DataRange).Truncate(24 * time.Hour).Add(-24 * time.Hour)
	}
	if q.timespan != "" {
		asked, err := parseTimespan(q.timespan, now)
		if err != nil {
			return nil, badRequest("Invalid Timespan: " + err.Error() + ".")
		}
		s.asked = asked
	}
	if o.Record != nil {
		o.Record(t.name, q.query)
	}
	compiled, err := kql.Compile(q.query, kql.Environment{Catalog: s, Now: now})
	if err != nil {
		return nil, queryFailure(err, o.Wire.OldResultSizeText)
	}
	if len(compiled.Statements) != 1 {
		return nil, badRequest("A hunting query has exactly one tabular expression statement. Fix semantic errors in your query.")
	}
	a, err := f.spoolRows(ctx, compiled.Statements[0], s)
	scanned := s.scanned.Load()
	f.service.cpu.spend(o.Now(), cost(scanned, a.rows.size()))
	f.service.counts[t.name].add(func(st *Stats) { st.RowsScanned += scanned })
	if err != nil {
		a.rows.close()
		return nil, queryFailure(err, o.Wire.OldResultSizeText)
	}
	a.completion.scanned = scanned
	a.completion.bytes = a.rows.size()
	a.completion.cost = cost(scanned, a.rows.size())
	return a, nil
}

// spoolRows runs the statement. The answer is not nil with an error either.
func (f *front) spoolRows(ctx context.Context, statement *kql.Statement, s *session) (*answer, error) {
	o := f.service.o
	a := &answer{columns: statement.Columns(), rows: &spool{in: o.Disk}}
	rows := f.dialect.rows(a.columns)
	var block []byte
	const blockSize = 64 << 10
	for row, err := range statement.Rows(ctx) {
		if err != nil {
			return a, limitError(err, o.Quota)
		}
		if o.Quota.Rows > 0 && a.completion.rows == o.Quota.Rows {
			a.cut = true
			break
		}
		if a.completion.rows > 0 {
			block = append(block, ',')
		}
		block = rows.appendRow(block, row)
		a.completion.rows++
		if o.Quota.Bytes > 0 && a.rows.size()+int64(len(block)) > o.Quota.Bytes {
			return a, errTooLarge
		}
		if len(block) >= blockSize {
			if _, err := a.rows.Write(block); err != nil {
				return a, err
			}
			block = block[:0]
		}
	}
	if _, err := a.rows.Write(block); err != nil {
		return a, err
	}
	c := cost(s.scanned.Load(), a.rows.size())
	return a, overTime(c, o.Quota)
}

// limitError says which limit of one request ended a scan.
func limitError(err error, q Quota) error {
	if !errors.Is(err, errTooMuch) {
		return err
	}
	if q.RequestCPU > 0 && (q.RequestTime <= 0 || q.RequestCPU <= q.RequestTime) {
		return errPreempted
	}
	return errTimeout
}

// overTime is the error of a query that cost more than one request may.
func overTime(c time.Duration, q Quota) error {
	switch {
	case q.RequestCPU > 0 && c > q.RequestCPU:
		return errPreempted
	case q.RequestTime > 0 && c > q.RequestTime:
		return errTimeout
	}
	return nil
}
