package rig

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport/emulator"
)

// identity is an application of the emulated tenant. It keeps a token until
// shortly before its end.
type identity struct {
	emulator *emulator.Emulator
	app      string
	mu       sync.Mutex
	tokens   map[string]azcore.AccessToken // by scope
}

// GetToken implements azcore.TokenCredential.
func (i *identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	scope := strings.Join(o.Scopes, " ")
	if t, ok := i.tokens[scope]; ok && time.Until(t.ExpiresOn) > 5*time.Minute {
		return t, nil
	}
	const lifetime = time.Hour
	token, err := i.emulator.Entra().Issue(i.app, strings.TrimSuffix(scope, "/.default"), lifetime)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	t := azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(lifetime)}
	if i.tokens == nil {
		i.tokens = map[string]azcore.AccessToken{}
	}
	i.tokens[scope] = t
	return t, nil
}
