package publish

import (
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

func TestHolderOf(t *testing.T) {
	for _, c := range []struct {
		name            string
		list            []claimed
		holder, instead tvmexport.RunID
	}{
		{"free", nil, "", ""},
		{"taken", []claimed{{Run: "a", State: kql.PublishingState}}, "a", ""},
		{"two: the first", []claimed{{Run: "a", State: kql.PublishingState}, {Run: "b", State: kql.PublishingState}}, "a", ""},
		{"given up", []claimed{{Run: "a", State: kql.PublishingState}, {Run: "a", State: kql.AbandonedState}}, "", "a"},
		{"given up and taken", []claimed{{Run: "a", State: kql.PublishingState}, {Run: "a", State: kql.AbandonedState}, {Run: "b", State: kql.PublishingState}}, "b", "a"},
		{"given up twice", []claimed{{Run: "a", State: kql.PublishingState}, {Run: "a", State: kql.AbandonedState}, {Run: "b", State: kql.PublishingState}, {Run: "b", State: kql.AbandonedState}}, "", "b"},
	} {
		if holder, instead := holderOf(c.list); holder != c.holder || instead != c.instead {
			t.Errorf("%s: %q, %q, want %q, %q", c.name, holder, instead, c.holder, c.instead)
		}
	}
}

func TestBaseKeys(t *testing.T) {
	for _, c := range []struct {
		of   base
		want string
	}{
		{base{Table: "T"}, "tvmexport:T:none:2"},
		{base{Table: "T", Previous: "r1"}, "tvmexport:T:r1:2"},
		{base{Table: "T", Previous: "r1", Instead: "r2"}, "tvmexport:T:r1~r2:2"},
	} {
		if got := c.of.key(2); got != c.want {
			t.Errorf("key: %s, want %s", got, c.want)
		}
	}
}
