package blob

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"https://acc.blob.core.windows.net/c":                                     "https://acc.blob.core.windows.net/c |",
		"https://acc.blob.core.windows.net/c/":                                    "https://acc.blob.core.windows.net/c |",
		"https://acc.dfs.core.windows.net/c/a/b/":                                 "https://acc.blob.core.windows.net/c |a/b/",
		"https://acc.z12.blob.storage.azure.net/c/a":                              "https://acc.z12.blob.storage.azure.net/c |a/",
		"abfss://c@acc.dfs.core.windows.net":                                      "https://acc.blob.core.windows.net/c |",
		"ABFSS://c@acc.dfs.core.windows.net/a%20b/c":                              "https://acc.blob.core.windows.net/c |a b/c/",
		"abfss://ws@onelake.dfs.fabric.microsoft.com/lake.Lakehouse/Files/tvm":    "https://onelake.blob.fabric.microsoft.com/ws |lake.Lakehouse/Files/tvm/",
		"https://westus-onelake.dfs.fabric.microsoft.com/ws/lake.Lakehouse/Files": "https://westus-onelake.blob.fabric.microsoft.com/ws |lake.Lakehouse/Files/",
		"https://acc.dfs.core.usgovcloudapi.net/c":                                "https://acc.blob.core.usgovcloudapi.net/c |",
		"http://127.0.0.1:10000/devstoreaccount1/c/a?sv=1&sig=secret":             "http://127.0.0.1:10000/devstoreaccount1/c sv=1&sig=secret|a/",
		"https://localhost:10000/devstoreaccount1/c":                              "https://localhost:10000/devstoreaccount1/c |",
		"https://acc.privatelink.blob.core.windows.net/c":                         "https://acc.privatelink.blob.core.windows.net/c |",
		"https://acc.blob.core.windows.net/c/dfs.blob":                            "https://acc.blob.core.windows.net/c |dfs.blob/",
		"https://acc.blob.core.windows.net/":                                      "",
		"https://127.0.0.1/account":                                               "",
		"https:///c":                                                              "",
		"http://acc.blob.core.windows.net/c":                                      "",
		"abfss://acc.dfs.core.windows.net/c":                                      "",
		"abfss://@acc.dfs.core.windows.net/c":                                     "",
		"abfs://c@acc.dfs.core.windows.net":                                       "",
		"abfss://c:secret@acc.dfs.core.windows.net":                               "",
		"https://user:secret@acc.blob.core.windows.net/c":                         "",
		"https://acc.blob.core.windows.net/c/../d":                                "",
		"https://acc.blob.core.windows.net/c\x7f?sig=secret":                      "",
	} {
		a, err := parse(text)
		if want == "" {
			if tvmexport.CauseOf(err) != tvmexport.Usage || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v, want an error without the secret", text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := a.container.String() + " " + a.signature + "|" + a.folder; got != want || !Is(text) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, path := range []string{"./tvm", "/data/tvm", `C:\tvm`, "httpsfolder", ""} {
		if Is(path) {
			t.Errorf("%q is treated as a URL", path)
		}
	}
}
