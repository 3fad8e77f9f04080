package defender

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
)

// renewing is a credential whose token stays the same until it is refused.
type renewing struct {
	mu     sync.Mutex
	number int
	claims []string
}

func (r *renewing) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return azcore.AccessToken{Token: fmt.Sprint("token", r.number)}, nil
}

func (r *renewing) Refused(token, claims string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if token == fmt.Sprint("token", r.number) {
		r.number++
		r.claims = append(r.claims, claims)
	}
}

// A challenge of continuous access evaluation is answered by one new token with
// its claims. A service that refuses that one too ends the call.
func TestChallengeIsAnswered(t *testing.T) {
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1764367200"}}}`
	challenge := http.Header{"Www-Authenticate": {`Bearer realm="", error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(claims)) + `"`}}
	for _, message := range []string{"Continuous access evaluation resulted in challenge.", "Conditional Access does not allow this address.", "No Tvm license"} {
		for _, refusals := range []int{1, 100} {
			answerChallenge(t, challenge, claims, message, refusals)
		}
	}
}

func answerChallenge(t *testing.T, challenge http.Header, claims, message string, refusals int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		who := &renewing{}
		s := &fake{reply: func(n int) answer {
			if n <= refusals {
				return answer{status: 401, header: challenge, body: fmt.Sprintf(`{"error":{"code":"InvalidAuthenticationToken","message":%q}}`, message)}
			}
			return answer{body: good}
		}}
		c := s.caller(func(o *setup) { o.Credential = who })
		err := c.fetch(t.Context())
		if refusals == 1 && (err != nil || who.number != 1 || len(s.at) != 2 || who.claims[0] != claims) {
			t.Errorf("%s: %d calls, token %d, claims %q: %v", message, len(s.at), who.number, who.claims, err)
		}
		if refusals > 1 && (tvmexport.CauseOf(err) != tvmexport.Permission || len(s.at) != 2 || who.number != 2 || !hinted(err, "sign-in logs")) {
			t.Errorf("%s: %d calls, token %d: %v", message, len(s.at), who.number, err)
		}
	})
}

func hinted(err error, words string) bool {
	var e *tvmexport.Error
	return errors.As(err, &e) && strings.Contains(e.Hint, words)
}
