package engine

import (
	"context"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// executeScript is .execute database script: one command after the other, each
// with the caller's own roles, and not as one transaction. The page is
// https://learn.microsoft.com/kusto/management/execute-database-script.
func executeScript(ctx context.Context, s *session, c *command.ExecuteScript) (*rows, error) {
	if _, err := s.scopeFor(Admin); err != nil {
		return nil, err
	}
	if err := checkProperties(c.With, "continueonerrors", "throwonerrors"); err != nil {
		return nil, err
	}
	if len(c.Commands) == 0 {
		return nil, badRequest("The script has no commands: each begins with a dot on a line of its own")
	}
	goOn, throw := truth(given(c.With, "continueonerrors")), truth(given(c.With, "throwonerrors"))
	if goOn && throw {
		return nil, badRequest("ContinueOnErrors and ThrowOnErrors do not work together: only one of them can be true")
	}
	r := &rows{columns: []value.Column{
		guidColumn("OperationId"), stringColumn("CommandType"), stringColumn("CommandText"), stringColumn("Result"), stringColumn("Reason"),
	}}
	var failed error
	for _, text := range c.Commands {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		kind, result, err := executeOne(ctx, s, text)
		reason := ""
		if err != nil {
			if isContext(err) {
				return nil, err
			}
			if failed == nil {
				failed = err
			}
			result, reason = stateFailed, err.Error()
		}
		r.add(append([]value.Value{guidValue(newID())}, stringValues(kind, text, result, reason)...)...)
		if err != nil && !goOn {
			break
		}
	}
	if throw && failed != nil {
		return nil, failed
	}
	return r, nil
}

func executeOne(ctx context.Context, s *session, text string) (kind, result string, err error) {
	statement, err := command.Parse(text)
	if err != nil {
		return "", "", parseError(text, err)
	}
	kind = commandType(statement.Keyword)
	switch {
	case s.e.commands.show(statement.Command):
		return kind, "Skipped", nil
	case statement.Keyword == ".execute database script":
		return kind, "", badRequest("A script cannot hold a script")
	}
	if _, err := s.do(ctx, statement.Command); err != nil {
		return kind, "", asError(err)
	}
	return kind, stateCompleted, nil
}

// commandType is the name by which results call a kind of command:
// TableCreateMerge for .create-merge table.
func commandType(keyword string) string {
	verb, entity, _ := strings.Cut(strings.TrimPrefix(keyword, "."), " ")
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(entity+" "+verb, func(r rune) bool { return r == ' ' || r == '-' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
