package engine

import (
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// doubtful is how many answers may be refused as too large beyond twice those that
// were accepted. Where smaller parts help, a slice that is divided makes one more
// answer than it had refusals.
const doubtful = 256

// helpless says that smaller parts do not help: a service that refuses them as it
// refused the larger ones would be asked without an end. nil while they may help.
func (f *fetching) helpless(why error) error {
	f.refusals++
	if f.refusals <= doubtful+2*f.progress.Slices {
		return nil
	}
	return &tvmexport.Error{
		Op: "fetch", Table: f.plan.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Refused,
		Err:  fmt.Errorf("%d answers were refused as too large and %d accepted, so smaller parts do not help: %w", f.refusals, f.progress.Slices, why),
		Hint: "run again later; if it persists, look at what the service answers to a query of a few rows",
	}
}
