package kusto

import "github.com/tvmexport/tvmexport/kusto/conn"

// TokenRefused says whether the service refused the token itself, so that a
// role would not help.
func TokenRefused(err error) bool { return conn.TokenRefused(err) }

// Untrusted says whether an error is that the SDK sends no token to a host.
func Untrusted(err error) bool { return conn.Untrusted(err) }
