package engine

import (
	"context"
	"fmt"
	"reflect"
)

// handler does the management commands of one type.
type handler struct {
	of    reflect.Type
	shows bool // it changes nothing
	do    func(ctx context.Context, s *session, c any) (*rows, error)
}

// commands are the handlers by the types of package command that they are for.
type commands map[reflect.Type]handler

// show says whether a command only shows something.
func (all commands) show(c any) bool { return all[reflect.TypeOf(c)].shows }

// newCommands are all management commands, in groups by the object that they concern.
// It is a function, as some of them do other commands.
func newCommands() commands {
	all := commands{}
	for _, group := range [][]handler{
		tableCommands(), mappingCommands(), functionCommands(), groupCommands(), viewCommands(), policyCommands(), principalCommands(),
		extentCommands(), loadCommands(), operationCommands(), databaseCommands(),
	} {
		for _, h := range group {
			all[h.of] = h
		}
	}
	return all
}

func tableCommands() []handler {
	return []handler{
		changes(defineTables), changes(cloneTable), changes(renameTables), changes(clearTable), changes(dropColumns),
		changes(clearSchemaCache), runs(deleteRecords), shows(showTables), shows(showSchema),
		changes(describeEntity), changes(dropEntities), // functions and views too
	}
}

func mappingCommands() []handler {
	return []handler{changes(defineMapping), changes(dropMapping), shows(showMappings)}
}

func functionCommands() []handler {
	return []handler{changes(defineFunction), shows(showFunctions)}
}

func groupCommands() []handler {
	return []handler{changes(defineGroup), changes(dropGroup), shows(showGroups)}
}

func viewCommands() []handler {
	return []handler{runs(defineView), changes(enableView), shows(showViews)}
}

func policyCommands() []handler {
	return []handler{changes(alterPolicy), changes(deletePolicy), shows(showPolicy)}
}

func principalCommands() []handler {
	return []handler{changes(changePrincipals), shows(showPrincipals), shows(showRoles)}
}

func extentCommands() []handler {
	return []handler{runs(moveExtents), runs(replaceExtents), runs(updateTable), runs(dropExtents), runs(changeTags), shows(showExtents)}
}

func loadCommands() []handler {
	return []handler{runs(loadQuery), runs(ingestInline)}
}

func operationCommands() []handler {
	return []handler{shows(showOperations), shows(showOperationDetails), shows(showFailures)}
}

func databaseCommands() []handler {
	return []handler{
		changes(setPrettyName), changes(refreshCache), runs(executeScript),
		shows(showDatabases), shows(showCluster), shows(showVersion),
	}
}

// runs is the handler of a command that queries or loads rows.
func runs[C any](do func(context.Context, *session, C) (*rows, error)) handler {
	return handler{of: reflect.TypeFor[C](), do: func(ctx context.Context, s *session, c any) (*rows, error) {
		typed, ok := c.(C)
		if !ok {
			return nil, internalError(fmt.Errorf("a command of type %T is not of type %v", c, reflect.TypeFor[C]()))
		}
		return do(ctx, s, typed)
	}}
}

// changes is the handler of a command that changes what databases hold.
func changes[C any](do func(*session, C) (*rows, error)) handler {
	return runs(func(_ context.Context, s *session, c C) (*rows, error) { return do(s, c) })
}

// shows is the handler of a command that only shows something.
func shows[C any](do func(*session, C) (*rows, error)) handler {
	h := changes(do)
	h.shows = true
	return h
}
