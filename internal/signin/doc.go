// Package signin signs in to Microsoft Entra ID, by every method that a program
// without a user has, and checks that what it gets is of the tenant that was
// asked for. It is the only importer of azidentity; what azidentity reads from
// the environment, it honours.
//
// A Credential is an azcore.TokenCredential. It hands no token out whose tenant
// (tid) is not the configured one, so that nothing can be read or written with
// it. Errors are *tvmexport.Error and hold no secret.
package signin
