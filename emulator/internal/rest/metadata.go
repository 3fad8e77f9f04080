package rest

import (
	"encoding/json"
	"net/http"
)

// Metadata tells clients how to sign in. Empty fields are those of the public
// cloud.
type Metadata struct {
	LoginEndpoint          string // authority without tenant
	KustoClientAppID       string
	KustoClientRedirectURI string
	KustoServiceResourceID string // the required audience of tokens
	FirstPartyAuthorityURL string
}

func (m Metadata) filled() Metadata {
	for field, otherwise := range map[*string]string{
		&m.LoginEndpoint:          "https://login.microsoftonline.com",
		&m.KustoClientAppID:       "db662dc1-0cfe-4e1c-a843-19a68e65be58",
		&m.KustoClientRedirectURI: "https://microsoft/kustoclient",
		&m.KustoServiceResourceID: "https://kusto.kusto.windows.net",
	} {
		if *field == "" {
			*field = otherwise
		}
	}
	if m.FirstPartyAuthorityURL == "" {
		m.FirstPartyAuthorityURL = m.LoginEndpoint + "/f8cdef31-a31e-4b4a-93e4-5f571e91255a"
	}
	return m
}

// serveMetadata is /v1/rest/auth/metadata, which asks for no token.
func (f *front) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	type azureAD struct {
		LoginEndpoint          string
		LoginMfaRequired       bool
		KustoClientAppID       string `json:"KustoClientAppId"`
		KustoClientRedirectURI string `json:"KustoClientRedirectUri"`
		KustoServiceResourceID string `json:"KustoServiceResourceId"`
		FirstPartyAuthorityURL string `json:"FirstPartyAuthorityUrl"`
	}
	text, err := json.Marshal(map[string]azureAD{"AzureAD": {
		LoginEndpoint: f.Metadata.LoginEndpoint, KustoClientAppID: f.Metadata.KustoClientAppID,
		KustoClientRedirectURI: f.Metadata.KustoClientRedirectURI, KustoServiceResourceID: f.Metadata.KustoServiceResourceID,
		FirstPartyAuthorityURL: f.Metadata.FirstPartyAuthorityURL,
	}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	// Only the connection can fail here, and then nobody reads the answer.
	_, _ = w.Write(text)
}
