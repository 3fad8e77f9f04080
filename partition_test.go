package tvmexport

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	tests := []struct {
		key   string
		depth int
		want  Partition
	}{
		{"3fa0", 0, ""},
		{"3fa0", 2, "3f"},
		{"3f", 2, "3f"},
		{"3f", 3, "3f~"},
		{"", 0, ""},
		{"", 2, "~"},
		{"3FA0", 2, "3~"},
		{"FA0", 2, "~"},
		{"3-device", 3, "3~"},
		{"é", 1, "~"},
	}
	for _, tt := range tests {
		if got := Of(tt.key, tt.depth); got != tt.want {
			t.Errorf("Of(%q, %d) = %q, want %q", tt.key, tt.depth, got, tt.want)
		}
	}
}

// Every key is in exactly one partition of a depth, and in one child of each
// partition that holds it.
func TestPartitionsAreDisjointAndComplete(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	keys := []string{"", "3", "3f", "3f~", "~", "#", "g", "3fz", "3Fa"}
	for range 500 {
		b := make([]byte, random.IntN(6))
		for i := range b {
			b[i] = "0123456789abcdefg~#F-"[random.IntN(21)]
		}
		keys = append(keys, string(b))
	}
	for _, key := range keys {
		p := AllPartitions
		for p.Valid() && !p.Rest() && p.Depth() < 4 {
			var holding []Partition
			for _, d := range []byte(hexDigits + "~") {
				if child := p.Child(d); child.Contains(key) {
					holding = append(holding, child)
				}
			}
			if len(holding) != 1 {
				t.Fatalf("key %q is in %q below %q, want one", key, holding, p)
			}
			if depth := p.Depth() + 1; !holding[0].Rest() && Of(key, depth) != holding[0] {
				t.Fatalf("Of(%q, %d) = %q, but %q contains it", key, depth, Of(key, depth), holding[0])
			}
			p = holding[0]
		}
	}
}

func TestPartitionForms(t *testing.T) {
	tests := []struct {
		p      Partition
		key    string
		rest   bool
		row    string
		hashed bool
		valid  bool
	}{
		{"", "", false, "", false, true},
		{"3f", "3f", false, "", false, true},
		{"3f~", "3f", true, "", false, true},
		{"~", "", true, "", false, true},
		{"3f#", "3f", false, "", true, true},
		{"3f~#a0", "3f", true, "a0", true, true},
		{"3F", "3F", false, "", false, false},
		{"3f#zz", "3f", false, "zz", true, false},
	}
	for _, tt := range tests {
		row, hashed := tt.p.RowHash()
		got := []any{tt.p.Key(), tt.p.Rest(), row, hashed, tt.p.Valid()}
		want := []any{tt.key, tt.rest, tt.row, tt.hashed, tt.valid}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", tt.p, d)
		}
	}
}
