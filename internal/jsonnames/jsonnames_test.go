package jsonnames_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/internal/jsonnames"
)

type embedded struct {
	Inner string `json:"inner"`
}

type sample struct {
	embedded
	Plain  int
	Hidden string          `json:"-"`
	List   []sample        `json:"list,omitempty"`
	Pair   [2]int64        `json:"pair"`
	Bag    map[string]bool `json:"bag,omitzero"`
	At     *time.Time      `json:"at"`
	Text   netip.Addr      `json:"text"`
	Raw    json.RawMessage `json:"raw"`
	small  float64
}

func TestOf(t *testing.T) {
	want := []string{
		"r object", "r.inner string", "r.Plain integer", "r.list array optional", "r.list[] object", "r.pair array", "r.pair[] integer",
		"r.bag object optional", "r.bag{} boolean", "r.at time", "r.text string", "r.raw any",
	}
	if got := jsonnames.Of("r", sample{small: 1}); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
