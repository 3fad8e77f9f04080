package landing

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
)

// queueOf is a queue over a fake of the service.
func queueOf(t *testing.T, service http.RoundTripper) *Queue {
	t.Helper()
	to, err := conn.New(conn.Options{Cluster: "https://127.0.0.1", Database: "security", HTTPClient: &http.Client{Transport: service}})
	if err != nil {
		t.Fatal(err)
	}
	q := New(to, 1)
	t.Cleanup(func() {
		_ = q.Close()
		_ = to.Close()
	})
	return q
}

func TestDetachable(t *testing.T) {
	d := &detachable{from: strings.NewReader("abc")}
	if b, err := io.ReadAll(d); string(b) != "abc" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	d.detach()
	if _, err := d.Seek(0, io.SeekStart); !errors.Is(err, errDetached) {
		t.Errorf("seek after detach: %v", err)
	}
	if _, err := d.Read(make([]byte, 1)); !errors.Is(err, errDetached) {
		t.Errorf("read after detach: %v", err)
	}
}

// An upload that failed discards its own client only.
func TestDiscardQueueLeavesAFresherOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := queueOf(t, &conntest.Fake{})
		old, err := c.OpenQueue(t.Context(), "T")
		if err != nil {
			t.Fatal(err)
		}
		c.discardQueue(old)
		fresh, err := c.OpenQueue(t.Context(), "T")
		if err != nil || fresh == old {
			t.Fatalf("the same client again, %v", err)
		}
		c.discardQueue(old)
		if again, err := c.OpenQueue(t.Context(), "T"); err != nil || again != fresh {
			t.Errorf("the fresh client was discarded, %v", err)
		}
	})
}
