package defender

import (
	"errors"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// What a credential has sorted already keeps its cause, its action and its words.
func TestSortedSignInError(t *testing.T) {
	why := errors.New("Entra cannot be reached")
	err := failureOf("DeviceInfo").signIn(&tvmexport.Error{
		Op: "sign in (auth)", Action: tvmexport.Retry, Err: why, Hint: "check the network",
	})
	if !errors.Is(err, why) || tvmexport.ActionOf(err) != tvmexport.Retry || tvmexport.CauseOf(err) != tvmexport.Unknown {
		t.Errorf("%v: action %v, cause %v", err, tvmexport.ActionOf(err), tvmexport.CauseOf(err))
	}
	if got := err.Error(); got != "fetch DeviceInfo: sign in (auth): Entra cannot be reached (check the network)" {
		t.Error(got)
	}
}
