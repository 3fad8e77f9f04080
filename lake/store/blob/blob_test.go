package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/blob"
	"github.com/tvmexport/tvmexport/lake/store/storetest"
)

// credential takes tokens from the emulator.
type credential struct {
	e  *emulatortest.Emulator
	as emulatortest.Identity
}

func (c credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.e.Token(emulatortest.TokenRequest{Resource: o.Scopes[0], As: c.as})
	return azcore.AccessToken{Token: token, ExpiresOn: c.e.Now().Add(time.Hour)}, err
}

// lake is a store in the container of an emulator.
type lake struct {
	*blob.Store
	e *emulatortest.Emulator
}

func open(t *testing.T, folder string, transport http.RoundTripper) lake {
	t.Helper()
	e := emulatortest.New(t, emulatortest.Devices(1))
	client := *e.Client()
	if transport != nil {
		transport.(*wire).to, client.Transport = client.Transport, transport
	}
	s, err := blob.Open(e.Endpoints().Lake+folder, blob.Options{Credential: credential{e, emulatortest.Exporter}, HTTPClient: &client, BlockBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return lake{s, e}
}

func inject(t *testing.T, e *emulatortest.Emulator, f emulatortest.Fault) *emulatortest.Injection {
	t.Helper()
	f.Endpoint = "blob"
	i, err := e.Inject(f)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestStore(t *testing.T) {
	for name, folder := range map[string]string{"container": "", "folder": "/archive/tvm ä"} {
		t.Run(name, func(t *testing.T) {
			storetest.Test(t, func(t *testing.T) store.Store { return open(t, folder, nil) })
		})
	}
}

// Stores of two folders of a container do not see each other's files.
func TestFolders(t *testing.T) {
	a := open(t, "/tvm", nil)
	b, err := blob.Open(a.e.Endpoints().Lake+"/tv", blob.Options{Credential: credential{a.e, ""}, HTTPClient: a.e.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Put(t.Context(), "x", []byte("1"), store.IfAbsent()); err != nil {
		t.Fatal(err)
	}
	for i := range b.List(t.Context(), "", "") {
		t.Errorf("the other folder lists %s", i.Name)
	}
	if want := a.e.Endpoints().Lake + "/tvm/x"; a.Location("x") != want {
		t.Errorf("Location: %s, want %s", a.Location("x"), want)
	}
}

// A write whose answer is lost is sent again. That it then finds its own file is
// success; that it finds another one is not.
func TestLostAnswers(t *testing.T) {
	for _, status := range []int{500, 503, 408} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, "", nil)
			lost := func() *emulatortest.Injection {
				return inject(t, s.e, emulatortest.Fault{Status: status, Apply: true, Count: 1})
			}
			hit := lost()
			first, err := s.Put(t.Context(), "a", []byte("ours"), store.IfAbsent())
			if err != nil || hit.Hits() != 1 {
				t.Fatalf("%d: IfAbsent: %v, %d hits", status, err, hit.Hits())
			}
			hit = lost()
			second, err := s.Put(t.Context(), "a", []byte("ours again"), store.IfMatch(first.ETag))
			if err != nil || hit.Hits() != 1 {
				t.Fatalf("%d: IfMatch: %v, %d hits", status, err, hit.Hits())
			}
			if now, err := s.Stat(t.Context(), "a"); err != nil || now.ETag != second.ETag {
				t.Errorf("%d: the ETag is %q, Put returned %q: %v", status, now.ETag, second.ETag, err)
			}
			lost()
			if _, err := s.Put(t.Context(), "a", []byte("theirs"), store.IfAbsent()); !errors.Is(err, store.ErrExists) {
				t.Errorf("%d: a name in use: %v, want ErrExists", status, err)
			}
			lost()
			if _, err := s.Put(t.Context(), "a", []byte("theirs"), store.IfMatch(first.ETag)); !errors.Is(err, store.ErrChanged) {
				t.Errorf("%d: an old ETag: %v, want ErrChanged", status, err)
			}
			for _, size := range []int{100, 3<<20 + 5} { // one block, several
				for after := range 6 {
					name := string(rune('b'+after)) + "-" + http.StatusText(200+size%7)
					u, err := s.Create(t.Context(), name)
					if err != nil {
						t.Fatal(err)
					}
					i := inject(t, s.e, emulatortest.Fault{Status: status, Apply: true, Count: 1, After: after})
					_, err = u.Write(bytes.Repeat([]byte("x"), size))
					if err == nil {
						_, err = u.Commit(t.Context())
					}
					i.Remove()
					if err != nil {
						t.Errorf("%d: an upload of %d bytes whose answer %d is lost: %v", status, size, after, err)
					}
					if now, err := s.Stat(t.Context(), name); err != nil || now.Size != int64(size) {
						t.Errorf("the file has %d bytes: %v", now.Size, err)
					}
				}
			}
		})
	}
}

// An upload that loses to another one of the same name says so, although the service
// discarded its blocks.
func TestLosingUpload(t *testing.T) {
	s := open(t, "", nil)
	begin := func() store.Upload {
		u, err := s.Create(t.Context(), "f")
		if err == nil {
			_, err = u.Write(make([]byte, 2<<20))
		}
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	a, b := begin(), begin()
	if _, err := a.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(t.Context()); !errors.Is(err, store.ErrExists) {
		t.Errorf("the second upload: %v, want ErrExists", err)
	}
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("a file is written after its Commit")
	}
}

// A body that is cut continues, and one that is cut again and again is an error.
func TestCutBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "", nil)
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
		if _, err := s.Put(t.Context(), "f", data, store.IfAbsent()); err != nil {
			t.Fatal(err)
		}
		read := func() ([]byte, error) {
			o, err := s.Open(t.Context(), "f", store.Range{Offset: 10})
			if err != nil {
				return nil, err
			}
			defer o.Body.Close()
			return io.ReadAll(o.Body)
		}
		some := inject(t, s.e, emulatortest.Fault{CutAfter: 5000, Count: 4})
		if got, err := read(); err != nil || !bytes.Equal(got, data[10:]) || some.Hits() != 4 {
			t.Errorf("after %d cuts: %d bytes, %v", some.Hits(), len(got), err)
		}
		some.Remove()
		o, err := s.Open(t.Context(), "f", store.Range{})
		if err != nil {
			t.Fatal(err)
		}
		o.Body.Close()
		if _, err := s.Put(t.Context(), "f", data[1:], store.Condition{}); err != nil {
			t.Fatal(err)
		}
		none := inject(t, s.e, emulatortest.Fault{Status: 503})
		defer none.Remove()
		if _, err := read(); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("a service that is down: %v", err)
		}
	})
}

// Failures that pass are waited for, as long as the service asks; others are not.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "", nil)
		inject(t, s.e, emulatortest.Fault{Status: 503, Headers: map[string]string{"Retry-After": "40"}, Count: 1})
		began := time.Now()
		if _, err := s.Put(t.Context(), "f", nil, store.IfAbsent()); err != nil || time.Since(began) < 40*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		refused := inject(t, s.e, emulatortest.Fault{Status: 403})
		_, err := s.Stat(t.Context(), "f")
		if tvmexport.CauseOf(err) != tvmexport.Permission || refused.Hits() != 1 {
			t.Errorf("without permission, after %d requests: %v", refused.Hits(), err)
		}
	})
}

// Sign-ins without a role, and containers that do not exist, are named.
func TestRefused(t *testing.T) {
	e := emulatortest.New(t, emulatortest.Devices(1))
	at := e.Endpoints().Lake
	for name, c := range map[string]struct {
		url  string
		as   emulatortest.Identity
		want tvmexport.Cause
	}{
		"no role":      {at, emulatortest.Admin, tvmexport.Permission},
		"no container": {strings.Replace(at, "/tvm", "/none", 1), emulatortest.Exporter, tvmexport.Usage},
	} {
		s, err := blob.Open(c.url, blob.Options{Credential: credential{e, c.as}, HTTPClient: e.Client()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Put(t.Context(), "f", nil, store.IfAbsent())
		_, clock := s.Now(t.Context())
		var listed error
		for _, err := range s.List(t.Context(), "", "") {
			listed = err
		}
		for op, err := range map[string]error{"Put": err, "List": listed} {
			if tvmexport.CauseOf(err) != c.want {
				t.Errorf("%s: %s: %v", name, op, err)
			}
		}
		if clock == nil {
			t.Errorf("%s: the time can be read", name)
		}
	}
}

// wire is a transport that a test changes.
type wire struct {
	to     http.RoundTripper
	change func(*http.Request)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	w.change(r)
	return w.to.RoundTrip(r)
}

// A store that ignores conditions is refused.
func TestProbe(t *testing.T) {
	for _, header := range []string{"If-None-Match", "If-Match"} {
		var removed atomic.Int64
		s := open(t, "", &wire{change: func(r *http.Request) {
			if r.Method == http.MethodPut && r.Header.Get(header) != "" {
				removed.Add(1)
				r.Header.Del(header)
			}
		}})
		err := store.Probe(t.Context(), s)
		if tvmexport.CauseOf(err) != tvmexport.Usage || removed.Load() == 0 {
			t.Errorf("a store that ignores %s: %v", header, err)
		}
		for i := range s.List(t.Context(), "", "") {
			t.Errorf("the probe leaves %s", i.Name)
		}
	}
}
