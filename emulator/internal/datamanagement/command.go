package datamanagement

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// words are a command's text before its with clause and what it is piped into, in
// lower case and with single spaces.
func words(text string) string {
	text, _ = withoutQuery(text)
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	if i := strings.Index(text+" ", " with "); i >= 0 {
		text = text[:i]
	} else if i := strings.Index(text, " with("); i >= 0 {
		text = text[:i]
	}
	return strings.TrimRight(text, "; ")
}

// withoutQuery divides a text into the command and the query over its result: operators
// behind a bar, or statements behind a semicolon. A command of this package holds neither
// mark itself.
func withoutQuery(text string) (head, query string) {
	at := strings.IndexAny(text, "|;")
	if at < 0 {
		return text, ""
	}
	head, query = text[:at], strings.TrimSpace(text[at+1:])
	if text[at] == '|' {
		query = command.Results + " | " + query
	}
	return head, query
}

// Owns says whether a command is one that only the ingestion service knows.
func Owns(text string) bool {
	w := words(text)
	return strings.HasPrefix(w, ".get ") || w == ".show ingestion resources" || w == ".show export containers"
}

// Command answers a command that was sent to the ingestion service. The error is
// a *engine.Error.
func (s *Service) Command(ctx context.Context, c engine.Call) (*engine.Result, error) {
	result, err := s.command(ctx, c)
	if err != nil {
		return nil, err
	}
	_, query := withoutQuery(c.Text)
	if query == "" {
		return result, nil
	}
	return piped(ctx, result, query, s.now())
}

func (s *Service) command(ctx context.Context, c engine.Call) (*engine.Result, error) {
	switch w := words(c.Text); {
	case w == ".get kusto identity token":
		token, err := s.identities.issue(c.Principal)
		if err != nil {
			return nil, refusal("The identity token could not be made: %v", err)
		}
		return table([]string{"AuthorizationContext"}, []string{token}), nil
	case w == ".get ingestion resources", w == ".show ingestion resources":
		var rows [][]string
		for _, r := range s.o.Storage.Resources() {
			rows = append(rows, []string{r.Type, r.Root})
		}
		return table([]string{"ResourceTypeName", "StorageRoot"}, rows...), nil
	case w == ".show export containers":
		var rows [][]string
		for _, r := range s.o.Storage.ExportContainers() {
			rows = append(rows, []string{r.Root})
		}
		return table([]string{"StorageRoot"}, rows...), nil
	case w == ".show version":
		return s.showVersion(ctx, c)
	case strings.HasPrefix(w, ".refresh ") && strings.HasSuffix(w, " cache ingestionbatchingpolicy"):
		return s.o.Engine.Command(ctx, c)
	default:
		return nil, refusal("'%s' is not a command of the ingestion service (data management) that this emulator knows: "+
			"it knows .get kusto identity token, .get ingestion resources, .show export containers, .show version and .refresh ... cache ingestionbatchingpolicy; "+
			"send others to the cluster's own URI", excerpt(c.Text))
	}
}

// showVersion is the engine's, apart from the type of the service.
func (s *Service) showVersion(ctx context.Context, c engine.Call) (*engine.Result, error) {
	c.Text = ".show version"
	result, err := s.o.Engine.Command(ctx, c)
	if err != nil {
		return nil, err
	}
	t := &result.Tables[0]
	at := slices.IndexFunc(t.Columns, func(c value.Column) bool { return c.Name == "ServiceType" })
	rows := t.Rows
	t.Rows = func(yield func([]value.Value, error) bool) {
		for row, err := range rows {
			if err == nil && at >= 0 {
				row[at] = value.NewString("DataManagement")
			}
			if !yield(row, err) {
				return
			}
		}
	}
	return result, nil
}

func excerpt(text string) string {
	const most = 200
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

func refusal(format string, args ...any) *engine.Error {
	return &engine.Error{
		Code: engine.CodeBadRequest, Status: http.StatusBadRequest, Permanent: true,
		Type: "Kusto.Data.Exceptions.KustoBadRequestException", Summary: "Request is invalid and cannot be executed.",
		Message: "Request is invalid and cannot be processed: " + fmt.Sprintf(format, args...),
	}
}

// table is a result of strings.
func table(names []string, rows ...[]string) *engine.Result {
	columns := make([]value.Column, len(names))
	for i, n := range names {
		columns[i] = value.Column{Name: n, Kind: value.String}
	}
	return &engine.Result{Tables: []engine.ResultTable{{Name: "Table_0", Columns: columns, Rows: texts(rows)}}}
}

func texts(rows [][]string) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		for _, row := range rows {
			values := make([]value.Value, len(row))
			for i, text := range row {
				values[i] = value.NewString(text)
			}
			if !yield(values, nil) {
				return
			}
		}
	}
}
