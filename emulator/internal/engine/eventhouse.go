package engine

import (
	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
)

// checkFlavor refuses, in an Eventhouse of Microsoft Fabric, what its documentation does
// not describe: the pages of these commands apply to Azure Data Explorer only, such as
// https://learn.microsoft.com/kusto/management/replace-extents.
func checkFlavor(s *session, c any) error {
	if !s.e.o.Eventhouse {
		return nil
	}
	what := ""
	switch c := c.(type) {
	case *command.MoveExtents:
		what = ".move extents"
	case *command.ReplaceExtents:
		what = ".replace extents"
	case *command.ChangeTags:
		what = "." + string(c.Verb) + " extent tags"
	case *command.DeleteRecords:
		what = ".delete table records"
	case *command.PrettyName:
		what = ".alter and .drop database prettyname"
	case *command.AlterPolicy:
		what = azureOnly(c.Policy)
	case *command.DeletePolicy:
		what = azureOnly(c.Policy)
	case *command.ShowPolicy:
		what = azureOnly(c.Policy)
	}
	if what == "" {
		return nil
	}
	return badRequest("'%s' is not supported by this Eventhouse: it is documented for Azure Data Explorer only", what)
}

// azureOnly names the commands of a policy that Fabric does not document, "" if it does.
func azureOnly(policy string) string {
	if policy == "sharding" || policy == policyStreaming {
		return "policy " + policy
	}
	return ""
}
