package assessment

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport/emulator/internal/storage"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// exportFiles is the answer to a call for files
// (https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities,
// section 2).
type exportFiles struct {
	Context   string   `json:"@odata.context"`
	Files     []string `json:"exportFiles"`
	Generated string   `json:"generatedTime"`
}

// contextOf begins the context of an answer; the name of a type follows.
const contextOf = "https://api.security.microsoft.com/api/$metadata#"

func (s *Service) serveFiles(w http.ResponseWriter, asked set, p parameters) *failure {
	snapshot := s.o.Tenant.Newest()
	now := s.o.Now()
	valid := asked.sas.usual
	if p.valid > 0 {
		valid = p.valid
	}
	grant := storage.Grant{Permissions: "r", From: now.Add(-time.Minute), Until: now.Add(valid)}
	answer := exportFiles{
		Context: contextOf + "microsoft.windowsDefenderATP.api.ExportFilesResponse",
		Files:   []string{}, Generated: snapshot.Generated().Format(time.RFC3339),
	}
	for i, part := range s.parts.of(snapshot, s.o.DevicesPerFile) {
		answer.Files = append(answer.Files, s.o.Storage.BlobURL(s.o.Base, s.o.HostForm, container, s.fileName(asked, snapshot, part, i), grant))
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return &failure{status: http.StatusInternalServerError, code: "InternalServerError", message: err.Error()}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // only the connection can fail, and then nobody reads the answer
	return nil
}

// fileName is the path of a file below its container: the time, the kind, the
// organisation, the device group, and a name.
func (s *Service) fileName(asked set, snapshot tenant.Snapshot, part tenant.Export, i int) string {
	folder := snapshot.Generated().Format(pathLayout) + asked.folder
	id := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s %s %d", s.o.TenantID, folder, i))
	return fmt.Sprintf("%s/json/OrgId=%s/_RbacGroupId=%d/part-%05d-%s.c000.json.gz", folder, s.o.TenantID, part.Group().ID, i, id)
}

// writeFile makes the content of a file: a row on each line, compressed. The file of a
// group without devices is empty.
func (s *Service) writeFile(ctx context.Context, name string, w io.Writer) error {
	asked, snapshot, ok := s.snapshotOfFile(name)
	if !ok {
		return storage.ErrNoContent
	}
	parts := s.parts.of(snapshot, s.o.DevicesPerFile)
	i, ok := numberOfFile(name)
	if !ok || i >= len(parts) || s.fileName(asked, snapshot, parts[i], i) != name {
		return storage.ErrNoContent
	}
	s.count(asked.name, func(c *Stats) { c.Files++ })
	if parts[i].Empty() {
		return nil
	}
	return writeRows(ctx, asked, parts[i], w)
}

// organisationOf is the id of the tenant in the path of a file, "" if there is none.
func organisationOf(name string) string {
	_, after, _ := strings.Cut(name, "/OrgId=")
	id, _, _ := strings.Cut(after, "/")
	return id
}

// numberOfFile is the number that a name has after "part-": that of its part.
func numberOfFile(name string) (int, bool) {
	_, after, _ := strings.Cut(path.Base(name), "part-")
	digits, _, _ := strings.Cut(after, "-")
	n, err := strconv.ParseUint(digits, 10, 31)
	return int(n), err == nil
}

// snapshotOfFile is the data set of a file and the snapshot that it belongs to.
func (s *Service) snapshotOfFile(name string) (set, tenant.Snapshot, bool) {
	parts := strings.SplitN(name, "/", 4)
	if len(parts) < 4 {
		return set{}, tenant.Snapshot{}, false
	}
	asked, known := setOfFolder(parts[2])
	snapshot, kept := s.snapshotAt(parts[0] + "/" + parts[1] + "/")
	return asked, snapshot, known && kept
}

// snapshotAt is the snapshot of a TimePath, if it is kept.
func (s *Service) snapshotAt(timePath string) (tenant.Snapshot, bool) {
	at, err := time.Parse(pathLayout, timePath)
	if err != nil {
		return tenant.Snapshot{}, false
	}
	return s.o.Tenant.Generated(at)
}

func writeRows(ctx context.Context, asked set, part tenant.Export, w io.Writer) error {
	form := newRowForm(asked.form, tenant.ExportColumns(asked.name), true)
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	var line []byte
	for row, err := range part.Rows(ctx, asked.name) {
		if err != nil {
			return err
		}
		line = append(form.append(line[:0], row), '\n')
		if _, err := z.Write(line); err != nil {
			return err
		}
	}
	return z.Close()
}
