package conn

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
)

// renewing is a credential whose token stays the same until it is refused.
type renewing struct {
	mu     sync.Mutex
	number int
	claims string
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
		r.number, r.claims = r.number+1, claims
	}
}

// cluster answers queries and commands by a function, and the sign-in metadata
// as a cluster does.
type cluster struct {
	mu     sync.Mutex
	calls  int
	answer func(w http.ResponseWriter, r *http.Request)
}

func (c *cluster) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/auth/metadata") {
		_, _ = io.WriteString(w, `{"AzureAD":{"LoginEndpoint":"https://login.microsoftonline.com","KustoServiceResourceId":"https://kusto.kusto.windows.net"}}`)
	} else {
		c.mu.Lock()
		c.calls++
		c.mu.Unlock()
		c.answer(w, r)
	}
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

func (c *cluster) client(t *testing.T, credential azcore.TokenCredential, log *bytes.Buffer) *Conn {
	t.Helper()
	client, err := New(Options{
		Cluster: "https://adx.westeurope.kusto.windows.net", Database: "d", Credential: credential, HTTPClient: &http.Client{Transport: c},
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

const kustoClaims = `{"access_token":{"nbf":{"essential":true,"value":"1764367200"}}}`

// A token that Kusto refuses is replaced once, with the claims of the challenge.
func TestRefusedTokenOfKusto(t *testing.T) {
	for _, endless := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			who := &renewing{}
			c := &cluster{}
			c.answer = func(w http.ResponseWriter, r *http.Request) {
				if endless || r.Header.Get("Authorization") == "Bearer token0" {
					w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="`+base64.StdEncoding.EncodeToString([]byte(kustoClaims))+`"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"error":{"code":"General_BadRequest","@message":"enough","@permanent":true}}`)
			}
			_, err := c.client(t, who, &bytes.Buffer{}).Query(t.Context(), Statement{Op: "test", Text: "T"})
			if endless && (tvmexport.CauseOf(err) != tvmexport.Permission || c.calls != 2) {
				t.Errorf("%d calls: %v", c.calls, err)
			}
			if !endless && (err == nil || !strings.Contains(err.Error(), "enough") || c.calls != 2 || who.claims != kustoClaims) {
				t.Errorf("%d calls, claims %q: %v", c.calls, who.claims, err)
			}
		})
	}
}

const planted = "PLUMAGEQUARTZ"

// What is not Kusto's answer is asked for twice at most and then named, and no
// text quotes what it holds.
func TestForeignAnswersOfKusto(t *testing.T) {
	const header = `[{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}` + "\n"
	row := `{"a":"` + planted + `","b":["` + planted + `"]}`
	for name, tt := range map[string]struct {
		status     int
		kind, body string
		zip        bool
		calls      int
		says       []string
	}{
		"a page":           {200, "text/html", `<html><head><title>Guest network</title></head><body>` + row, false, 2, []string{`HTTP 200 OK with Content-Type text/html: it is an HTML page titled "Guest network"`, "a proxy"}},
		"a page, gzip":     {200, "text/html", `<html><head><title>Guest network</title></head><body>` + row, true, 2, []string{"Guest network", "a proxy"}},
		"a page with 403":  {403, "text/html", `<html><title>Blocked</title>` + row, false, 1, []string{"HTTP 403 Forbidden with Content-Type text/html", `"Blocked"`, "docs/roles.md", "a proxy"}},
		"XML":              {200, "text/xml", `<?xml version="1.0"?><rows>` + row + `</rows>`, false, 2, []string{"an XML document"}},
		"empty":            {200, "", "", false, 2, []string{"its body is empty", "a proxy"}},
		"text":             {200, "text/plain", planted, false, 2, []string{"neither a JSON object nor a JSON array"}},
		"an object":        {200, "application/json", row, false, 2, []string{"neither a result nor an error"}},
		"an error object":  {200, "application/json", `{"error":{"code":"Oops","@message":"The moon is full.","@permanent":true}}`, false, 1, []string{"HTTP 200 OK with Content-Type application/json and an error object: The moon is full."}},
		"compressed twice": {200, "application/json", "\x1f\x8b" + planted, true, 2, []string{"compressed more than once"}},
		"another frame":    {200, "application/json", header + `,{"FrameType":"` + planted + `","x":` + row + "}\n]", false, 2, []string{"the Kusto SDK does not know", "twice"}},
		"a list of rows":   {200, "application/json", "[" + row + "]", false, 0, nil},
		"a cut row":        {200, "application/json", header + `,{"FrameType":"TableFragment","Rows":[["` + planted, false, 0, nil},
		"500 with rows":    {500, "application/json", row, false, 0, nil},
		"a redirect":       {307, "", "https://portal.example/x", false, 1, []string{"redirects to another host, https://portal.example; it is not followed", "kusto.cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, log := &cluster{}, &bytes.Buffer{}
				c.answer = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tt.kind)
					if tt.status == 307 {
						w.Header().Set("Location", tt.body)
					}
					body := []byte(tt.body)
					if tt.zip {
						var out bytes.Buffer
						z := gzip.NewWriter(&out)
						_, _ = z.Write(body)
						_ = z.Close()
						w.Header().Set("Content-Encoding", "gzip")
						body = out.Bytes()
					}
					w.WriteHeader(tt.status)
					_, _ = w.Write(body)
				}
				client := c.client(t, nil, log)
				_, err := client.Query(t.Context(), Statement{Op: "test", Text: "T"})
				calls := c.calls
				_, other := client.Command(t.Context(), Statement{Op: "test", Text: ".show x", Idempotent: true})
				if err == nil || other == nil {
					t.Fatalf("no error: %v, %v", err, other)
				}
				if said := fmt.Sprintln(err, other) + log.String(); strings.Contains(said, planted) {
					t.Errorf("rows are quoted: %s", said)
				}
				if tt.calls > 0 && calls != tt.calls {
					t.Errorf("%d calls, want %d: %v", calls, tt.calls, err)
				}
				for _, s := range tt.says {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("%v does not say %q", err, s)
					}
				}
			})
		})
	}
}

// An answer that is cut off is asked for again, and is named as that at each length:
// also where it is compressed and nothing of it can be read. An empty body is no cut one.
func TestCutAnswersOfKusto(t *testing.T) {
	zipped := func(text string) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return out.Bytes()
	}
	const v1 = `{"Tables":[{"TableName":"Table_0","Columns":[{"ColumnName":"a","DataType":"Int64","ColumnType":"long"}],"Rows":[[1]]}]}`
	cutBody := func(whole string) func(n, of int) string {
		return func(n, of int) string {
			switch n {
			case 0:
				return "its body is empty"
			case of:
				return whole
			}
			return "the answer was cut off"
		}
	}
	for name, tt := range map[string]struct {
		encoding string
		body     []byte
		cut      func(n, of int) string // what is said of the first n bytes; "": nothing is wrong with them
	}{
		"rows": {"gzip", zipped(v1), func(n, of int) string {
			if n >= of-10 {
				return "" // only gzip's end is missing
			}
			return cutBody("")(n, of)
		}},
		"an error": {"gzip", zipped(`{"error":{"code":"Oops","@message":"The moon is full.","@permanent":true}}`), cutBody("The moon is full.")},
		"nothing":  {"gzip", zipped(""), cutBody("its body is empty")},
		"not compressed": {"gzip", []byte(v1), func(n, _ int) string {
			if n == 0 {
				return "its body is empty"
			}
			return "Content-Encoding is gzip, but the body is not compressed"
		}},
		"damaged": {"gzip", append(zipped("")[:10], 0xff), cutBody("its body could not be decompressed")},
	} {
		t.Run(name, func(t *testing.T) {
			for n := range len(tt.body) + 1 {
				want := tt.cut(n, len(tt.body))
				if want == "" {
					continue
				}
				synctest.Test(t, func(t *testing.T) {
					c := &cluster{answer: func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("Content-Type", "application/json")
						w.Header().Set("Content-Encoding", tt.encoding)
						_, _ = w.Write(tt.body[:n])
					}}
					_, err := c.client(t, nil, &bytes.Buffer{}).Command(t.Context(), Statement{Op: "test", Text: ".show x", Idempotent: true})
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%d of %d bytes: %v does not say %q", n, len(tt.body), err, want)
					}
					if cut := strings.HasPrefix(want, "the answer"); cut != (tvmexport.ActionOf(err) == tvmexport.Retry) {
						t.Errorf("%d of %d bytes: the action after %v is %v", n, len(tt.body), err, tvmexport.ActionOf(err))
					}
				})
			}
		})
	}
}
