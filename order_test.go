package tvmexport_test

import (
	"testing"

	"github.com/tvmexport/tvmexport"
)

func TestDestinationsThatCollide(t *testing.T) {
	on := func(table, into string) tvmexport.Order {
		return tvmexport.Order{Table: table, Into: into, Load: tvmexport.Snapshot, Active: true}
	}
	off := func(table, into string) tvmexport.Order {
		o := on(table, into)
		o.Active = false
		return o
	}
	for name, c := range map[string]struct {
		orders  []tvmexport.Order
		refused []string
	}{
		"all apart":                    {[]tvmexport.Order{on("A", "ARaw"), on("B", "BRaw")}, nil},
		"its own name":                 {[]tvmexport.Order{on("A", "A"), on("B", "BRaw")}, nil},
		"two into one":                 {[]tvmexport.Order{on("A", "Raw"), on("B", "Raw"), on("C", "CRaw")}, []string{"A", "B"}},
		"one of the two is off":        {[]tvmexport.Order{on("A", "Raw"), off("B", "Raw")}, []string{"B"}},
		"both are off":                 {[]tvmexport.Order{off("A", "Raw"), off("B", "Raw")}, []string{"A", "B"}},
		"another's landing table":      {[]tvmexport.Order{on("A", "BLanding"), on("B", "BRaw")}, []string{"A"}},
		"another's typed table":        {[]tvmexport.Order{on("A", "BTyped"), off("B", "BRaw")}, []string{"A"}},
		"another's refill table":       {[]tvmexport.Order{on("A", "BRefill"), on("B", "BRaw")}, []string{"A"}},
		"its own landing table":        {[]tvmexport.Order{on("A", "ALanding")}, []string{"A"}},
		"the name of another source":   {[]tvmexport.Order{on("A", "B"), on("B", "BRaw")}, []string{"A"}},
		"names differ in case":         {[]tvmexport.Order{on("A", "Raw"), on("B", "raw")}, nil},
		"another reason is kept as is": {[]tvmexport.Order{{Table: "A", Into: "Raw", Err: tvmexport.ErrSuperseded}, on("B", "BRaw")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tvmexport.RefuseCollisions(c.orders)
			var refused []string
			for _, o := range c.orders {
				if o.Err != nil && o.Err != tvmexport.ErrSuperseded { //nolint:errorlint // as it was given
					refused = append(refused, o.Table)
					if got := tvmexport.CauseOf(o.Err); got != tvmexport.Usage {
						t.Errorf("%s: cause %v", o.Table, got)
					}
				}
			}
			if len(refused) != len(c.refused) {
				t.Fatalf("refused %v, want %v", refused, c.refused)
			}
			for i := range refused {
				if refused[i] != c.refused[i] {
					t.Errorf("refused %v, want %v", refused, c.refused)
				}
			}
		})
	}
}
