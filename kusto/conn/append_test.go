package conn

import (
	"testing"

	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// An extent without rows does not show that rows were appended: the condition of the
// command may have kept them out.
func TestAppendOnce(t *testing.T) {
	id := kql.Column{Name: "ExtentId", Kind: "guid"}
	count := kql.Column{Name: "RowCount", Kind: "long"}
	const extent = "11111111-1111-1111-1111-111111111111"
	for name, tt := range map[string]struct {
		answer conntest.Reply
		wrote  bool
	}{
		"no extent":               {conntest.Reply{Columns: []kql.Column{id, count}}, false},
		"an empty extent":         {conntest.Reply{Columns: []kql.Column{id, count}, Rows: [][]any{{extent, 0}}}, false},
		"an extent":               {conntest.Reply{Columns: []kql.Column{id, count}, Rows: [][]any{{extent, 1}}}, true},
		"an empty one and a full": {conntest.Reply{Columns: []kql.Column{id, count}, Rows: [][]any{{extent, 0}, {extent, 2}}}, true},
		"of unknown size":         {conntest.Reply{Columns: []kql.Column{id}, Rows: [][]any{{extent}}}, true},
	} {
		f := &conntest.Fake{Answer: func(string) conntest.Reply { return tt.answer }}
		wrote, err := connect(t, f).AppendOnce(t.Context(), "commit", "T", ".set-or-append T <| U")
		if err != nil || wrote != tt.wrote {
			t.Errorf("%s: wrote is %t, %v, want %t", name, wrote, err, tt.wrote)
		}
	}
}
