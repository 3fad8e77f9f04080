//go:build !windows

package signin

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A program whose answer is cut is asked again, a few times.
func TestAzureCLIAnswersInPart(t *testing.T) {
	for _, tt := range []struct {
		cut    int // answers
		works  bool
		method Method
	}{
		{0, true, AzureCLI}, {1, true, AzureCLI}, {maxCutShort, true, AzureCLI}, {maxCutShort + 1, false, AzureCLI}, {2, true, Default},
	} {
		t.Run(fmt.Sprintf("%s, %d cut", tt.method, tt.cut), func(t *testing.T) {
			part := base64.RawURLEncoding.EncodeToString
			token := part([]byte(`{"alg":"none"}`)) + "." + part([]byte(`{"tid":"`+ours+`","appid":"`+app+`"}`)) + "." + part([]byte("signature"))
			folder := t.TempDir()
			whole := fmt.Sprintf(`{"accessToken":"%s","expires_on":%d,"tokenType":"Bearer"}`, token, time.Now().Add(time.Hour).Unix())
			script := fmt.Sprintf("#!/bin/sh\necho x >> %[1]s/asked\nif [ $(wc -l < %[1]s/asked) -le %[2]d ]; then printf '%%s' '%[3]s'; else printf '%%s' '%[4]s'; fi\n",
				folder, tt.cut, whole[:60], whole)
			if err := os.WriteFile(filepath.Join(folder, "az"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
			t.Setenv("AZURE_TOKEN_CREDENTIALS", "AzureCLICredential")
			c, err := New(Options{Method: tt.method, TenantID: ours, Section: "auth", Env: env(map[string]string{"AZURE_TOKEN_CREDENTIALS": "AzureCLICredential"})})
			if err != nil {
				t.Fatal(err)
			}
			_, err = ask(t, c)
			if (err == nil) != tt.works {
				t.Errorf("the error is %v", err)
			}
			asked, readErr := os.ReadFile(filepath.Join(folder, "asked"))
			if want := min(tt.cut, maxCutShort) + 1; readErr != nil || strings.Count(string(asked), "x") != want {
				t.Errorf("asked %d times, want %d", strings.Count(string(asked), "x"), want)
			}
		})
	}
}
