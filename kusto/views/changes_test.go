package views

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// TestChangeNames: a column that is called like one of Changes gets a name of its own.
func TestChangeNames(t *testing.T) {
	got := changeNames([]tvmexport.Column{{Name: "DeviceId"}, {Name: "At"}, {Name: "At_"}, {Name: "Before"}}, ownNames)
	want := []tvmexport.Column{{Name: "DeviceId"}, {Name: "At__"}, {Name: "At_"}, {Name: "Before_"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
