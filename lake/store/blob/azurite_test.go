package blob_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/blob"
	"github.com/tvmexport/tvmexport/lake/store/storetest"
)

// The account of Azurite, which is the same everywhere
// (https://learn.microsoft.com/azure/storage/common/storage-connect-azurite).
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// accountSignature is a signature for everything in the account. See
// https://learn.microsoft.com/rest/api/storageservices/create-account-sas.
func accountSignature(t *testing.T) string {
	t.Helper()
	q := url.Values{"sv": {"2021-08-06"}, "ss": {"b"}, "srt": {"co"}, "sp": {"rwdlac"}, "se": {time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z")}}
	fields := []string{azuriteAccount, q.Get("sp"), q.Get("ss"), q.Get("srt"), "", q.Get("se"), "", "", q.Get("sv"), "", ""}
	key, err := base64.StdEncoding.DecodeString(azuriteKey)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.Join(fields, "\n")))
	q.Set("sig", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return q.Encode()
}

// TestAzurite runs the suite on Azurite, whose URL is in the environment: make interop starts it.
func TestAzurite(t *testing.T) {
	base := os.Getenv("TVMEXPORT_TEST_AZURITE")
	if base == "" {
		t.Skip("TVMEXPORT_TEST_AZURITE is not set: make interop sets it")
	}
	signature := accountSignature(t)
	storetest.Test(t, func(t *testing.T) store.Store {
		container := base + "/" + azuriteAccount + "/" + strings.ToLower(rand.Text())
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, container+"?restype=container&"+signature, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			t.Fatalf("create the container: %s", answer.Status)
		}
		s, err := blob.Open(container+"/a folder/tvm?"+signature, blob.Options{BlockBytes: 4 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(s.Location("x"), "sig=") {
			t.Errorf("the location shows the signature: %s", s.Location("x"))
		}
		return s
	})
}
