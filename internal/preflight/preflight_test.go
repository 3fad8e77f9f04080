package preflight_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/preflight"
)

func good(name string, needs ...string) preflight.Check {
	return preflight.Check{Name: name, Needs: needs, Do: func(context.Context) preflight.Result { return preflight.Found(preflight.Good("", "fine")) }}
}

func bad(name string, affects ...string) preflight.Check {
	return preflight.Check{Name: name, Do: func(context.Context) preflight.Result {
		f := preflight.Bad("", &tvmexport.Error{Op: "x", Cause: tvmexport.Permission, Err: errors.New("no"), Hint: "do this"}, "")
		f.Affects = affects
		return preflight.Found(f)
	}}
}

func said(t *testing.T, ctx context.Context, checks ...preflight.Check) map[string]preflight.Status {
	t.Helper()
	out := map[string]preflight.Status{}
	told := 0
	for _, f := range preflight.Run(ctx, checks, func(preflight.Finding) { told++ }) {
		out[f.Check] = f.Status
		told--
	}
	if told != 0 {
		t.Error("not every finding was said as it came")
	}
	return out
}

func TestWhatBuildsOnSomethingBrokenIsSkipped(t *testing.T) {
	unless := good("g")
	unless.Unless = []string{"b", "e"}
	lenient := good("h")
	lenient.Unless = []string{"c"} // which is skipped, not broken
	want := map[string]preflight.Status{
		"a": preflight.OK, "b": preflight.Broken, "c": preflight.Skipped, "d": preflight.Skipped,
		"e": preflight.OK, "f": preflight.Skipped, "g": preflight.Skipped, "h": preflight.OK,
	}
	got := said(t, t.Context(), good("a"), bad("b", "host"), good("c", "b"), good("d", "c"), good("e", "a"), good("f", "a", "host"), unless, lenient)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAResultLeadsToFurtherChecks(t *testing.T) {
	var order []string
	step := func(name string) preflight.Check {
		return preflight.Check{Name: name, Do: func(context.Context) preflight.Result { order = append(order, name); return preflight.Result{} }}
	}
	first := preflight.Check{Name: "1", Do: func(context.Context) preflight.Result {
		order = append(order, "1")
		return preflight.Result{Then: []preflight.Check{step("2"), step("3")}}
	}}
	preflight.Run(t.Context(), []preflight.Check{first, step("4")}, func(preflight.Finding) {})
	if d := cmp.Diff([]string{"1", "2", "3", "4"}, order); d != "" {
		t.Error(d)
	}
}

func TestAnInterruptedCheckSaysWhatWasNotLookedAt(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := preflight.Check{Name: "a", Do: func(context.Context) preflight.Result {
		cancel(errors.New("enough"))
		return preflight.Found(preflight.Good("", "fine"))
	}}
	got := said(t, ctx, stop, good("b"))
	if d := cmp.Diff(map[string]preflight.Status{"a": preflight.OK, "b": preflight.Skipped}, got); d != "" {
		t.Error(d)
	}
}

func TestFindings(t *testing.T) {
	e := &tvmexport.Error{Op: "count", Table: "T", Cause: tvmexport.Usage, Err: errors.New("no such table"), Hint: "correct the name"}
	f := preflight.Bad("T", e, "")
	if f.Text != "no such table" || f.Fix != "correct the name" || f.Cause != tvmexport.Usage {
		t.Errorf("%+v", f)
	}
	if f := preflight.Bad("T", e, "another"); f.Fix != "another" {
		t.Errorf("%+v", f)
	}
	list := []preflight.Finding{f, preflight.Good("", "fine"), {Status: preflight.Broken, Cause: tvmexport.Permission}}
	if d := cmp.Diff([]tvmexport.Cause{tvmexport.Usage, tvmexport.Permission}, preflight.Causes(list)); d != "" {
		t.Error(d)
	}
	if n := preflight.Count(list); n[preflight.Broken] != 2 || n[preflight.OK] != 1 {
		t.Error(n)
	}
}
