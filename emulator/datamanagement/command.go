package datamanagement

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/engine"
	"github.com/tvmexport/tvmexport/emulator/kql/value"
)

// words are a command's text before its with clause, in lower case, with single
// spaces.
func words(text string) string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	if i := strings.Index(text+" ", " with "); i >= 0 {
		text = text[:i]
	} else if i := strings.Index(text, " with("); i >= 0 {
		text = text[:i]
	}
	return strings.TrimRight(text, "; ")
}

// Owns says whether a command is one that only the ingestion service knows.
func Owns(text string) bool {
	w := words(text)
	return strings.HasPrefix(w, ".get ") || w == ".show ingestion resources"
}

// Command answers a command that was sent to the ingestion service. The error is
// a *engine.Error.
func (s *Service) Command(ctx context.Context, c engine.Call) (*engine.Result, error) {
	switch w := words(c.Text); {
	case w == ".get kusto identity token":
		token, err := s.issueIdentity(c.Principal)
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
	case w == ".show version":
		return table([]string{"BuildVersion", "BuildTime", "ServiceType", "ProductVersion"},
			[]string{"1.0.0.0", "", "DataManagement", "tvmexport emulator"}), nil
	case strings.HasPrefix(w, ".refresh ") && strings.HasSuffix(w, " cache ingestionbatchingpolicy"):
		return s.o.Engine.Command(ctx, c)
	default:
		return nil, refusal("'%s' is not a command of the ingestion service (data management) that this emulator knows: "+
			"it knows .get kusto identity token, .get ingestion resources, .show version and .refresh ... cache ingestionbatchingpolicy; "+
			"send others to the cluster's own URI", excerpt(c.Text))
	}
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
