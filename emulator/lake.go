package emulator

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

// StorageResource is what tokens for Azure Storage are for.
const StorageResource = "https://storage.azure.com"

const storageAppID = "e406a681-f3d4-42a8-90b6-c2b029497af1"

// lakeContainer takes files from identities that sign in with a token and have the role
// Storage Blob Data Contributor: the exporting application, and the identities of the
// machine.
var lakeContainer = storage.Resource{Kind: storage.Blob, Account: "emulatorlake", Name: "tvm"}

// lakeAddress is the URL of the container.
func lakeAddress(at addresses) string {
	if name, ok := strings.CutPrefix(at.storage, hostForm); ok {
		return "https://" + lakeContainer.Account + ".blob." + name + "/" + lakeContainer.Name
	}
	return "https://" + at.storage + "/" + lakeContainer.Account + "/" + lakeContainer.Name
}

// storageTokens decides on requests for blobs that come with a token. See
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory.
func storageTokens(e *Emulator) func(*http.Request, storage.Resource, string) error {
	return func(r *http.Request, at storage.Resource, _ string) error {
		token, err := entra.Bearer(r)
		if err != nil {
			return &storage.Error{Status: http.StatusUnauthorized, Code: "NoAuthenticationInformation", Message: "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."}
		}
		claims, err := e.verify(r.Context(), token, StorageResource, storageAppID)
		if err != nil {
			return &storage.Error{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationInfo", Message: "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.", Detail: err.Error()}
		}
		if at != lakeContainer || !slices.Contains([]string{ExporterID, machineID, userID}, claims.AppID) {
			return &storage.Error{Status: http.StatusForbidden, Code: "AuthorizationPermissionMismatch", Message: "This request is not authorized to perform this operation using this permission."}
		}
		return nil
	}
}
