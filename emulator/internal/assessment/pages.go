package assessment

import (
	"bufio"
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// lines are the rows of a data set, file by file, as a walk through its pages sees them.
type lines struct {
	path  string // TimePath
	files []func(ctx context.Context) iter.Seq2[tenant.Row, error]
}

// linesOf are those of a data set: of the snapshot of the place that is asked for, or of
// the newest one.
func (s *Service) linesOf(asked set, p parameters) (lines, *failure) {
	snapshot, kept := s.o.Tenant.Newest(), true
	if p.place != nil {
		snapshot, kept = s.snapshotAt(p.place.ExportDefinition.TimePath)
	}
	if !kept {
		return lines{}, invalid("The $skiptoken has expired.")
	}
	l := lines{path: snapshot.Generated().Format(pathLayout)}
	if asked.name == changes.name {
		return s.linesOfChanges(l, snapshot, p)
	}
	for _, part := range s.parts.of(snapshot, s.o.DevicesPerFile) {
		l.files = append(l.files, func(ctx context.Context) iter.Seq2[tenant.Row, error] { return part.Rows(ctx, asked.name) })
	}
	return l, nil
}

// linesOfChanges are the changes since a time: all of the step into which it falls, and
// all later ones. The files of a walk are the steps.
func (s *Service) linesOfChanges(l lines, newest tenant.Snapshot, p parameters) (lines, *failure) {
	if newest.Mark.Sub(p.since) > tenant.ChangesKept {
		return l, invalid("sinceTime must be at most 14 days ago.")
	}
	list := s.o.Tenant.Snapshots()
	for i := 1; i < len(list); i++ {
		before, after := list[i-1], list[i]
		if after.Mark.After(newest.Mark) || after.Mark.Before(p.since) {
			continue
		}
		l.files = append(l.files, func(ctx context.Context) iter.Seq2[tenant.Row, error] {
			return after.Changes(ctx, before.Export, value.NewDateTime(after.Mark).Ticks())
		})
	}
	return l, nil
}

// servePage answers with rows from a place on, and the address of the next page if there
// are more.
func (s *Service) servePage(w http.ResponseWriter, r *http.Request, asked set, p parameters) *failure {
	l, failed := s.linesOf(asked, p)
	if failed != nil {
		return failed
	}
	at := place{}
	if p.place != nil {
		at = *p.place
	}
	at.ExportDefinition.TimePath = l.path
	most := p.page
	if p.top > 0 {
		most = p.top
	}
	columns := tenant.ExportColumns(asked.name)
	form := newRowForm(asked.form, columns, false)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	body := counter{out: bufio.NewWriterSize(w, 64<<10)}
	body.write([]byte(`{"@odata.context":"` + contextOf + "Collection(microsoft.windowsDefenderATP.api." + asked.context + `)","value":[`))
	rows, more, err := 0, false, error(nil)
	var line []byte
	for ; at.ExportFileIndex < len(l.files) && !more && err == nil; at.ExportFileIndex++ {
		number := 0
		var row tenant.Row
		for row, err = range l.files[at.ExportFileIndex](r.Context()) {
			if err != nil {
				break
			}
			if number++; number <= at.LineStoppedAt {
				continue
			}
			if rows == most {
				more = true
				at.LineStoppedAt = number - 1
				break
			}
			if line = line[:0]; rows > 0 {
				line = append(line, ',')
			}
			line = form.append(line, row)
			body.write(line)
			rows++
		}
		if more {
			break
		}
		at.LineStoppedAt = 0
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the documented way to break off an answer
	}
	tail := []byte("]")
	if more && p.top == 0 {
		tail = append(tail, `,"@odata.nextLink":`...)
		tail = value.NewString(nextLink(r, p, at)).AppendJSON(tail)
	}
	body.write(append(tail, '}'))
	_ = body.out.Flush() // only the connection can fail, and then nobody reads the answer
	s.count(asked.name, func(c *Stats) { c.Rows += int64(rows); c.Bytes += body.n })
	return nil
}

// counter counts what it writes.
type counter struct {
	out *bufio.Writer
	n   int64
}

func (c *counter) write(b []byte) {
	c.n += int64(len(b))
	_, _ = c.out.Write(b) // only the connection can fail, and then nobody reads the answer
}

// nextLink is the address of the page that begins at a place. Names of parameters are in
// lower case there.
func nextLink(r *http.Request, p parameters, at place) string {
	var q strings.Builder
	if p.given != "" {
		q.WriteString("sincetime=" + url.QueryEscape(p.given) + "&")
	}
	q.WriteString("pagesize=" + strconv.Itoa(p.page) + "&$skiptoken=" + url.QueryEscape(at.token()))
	next := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawQuery: q.String()}
	return next.String()
}
