package lake_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/lake"
	"github.com/tvmexport/tvmexport/lake/delta"
)

// meddled is a lake in which another program rearranges the files of Devices before the commit of a run.
type meddled struct {
	*lake.Client
	meddle func()
}

func (m meddled) Commit(ctx context.Context, c tvmexport.Commit) error {
	if c.Run.Table.Name == "Devices" {
		m.meddle()
	}
	return m.Client.Commit(ctx, c)
}

// TestFilesAreRearrangedMeanwhile: another engine gathers the files of a table, and leaves out our tags, between
// the publication of a run and its commit. The run carries over the rows from the new files.
func TestFilesAreRearrangedMeanwhile(t *testing.T) {
	s := newTenant()
	s.set(0)
	root := t.TempDir()
	to := s.open(t, root)
	c := lake.New(lake.Options{Store: to, Version: "v1.2.3"})
	if _, _, err := c.Init(t.Context(), s.tables()); err != nil {
		t.Fatal(err)
	}
	if err := c.Seed(t.Context(), s.tables()); err != nil {
		t.Fatal(err)
	}
	if err := s.export(t.Context(), to, "first"); err != nil {
		t.Fatal(err)
	}
	table := delta.Open(to, "Devices", delta.Options{Engine: "another one"})
	meddle := func() {
		_, err := table.Commit(t.Context(), nil, func(_ context.Context, v *delta.Snapshot) (x delta.Transaction, err error) {
			x.Rearrange = true
			for a := range v.Files() {
				x.Remove = append(x.Remove, a.Path)
				copied := a
				copied.Path, copied.Tags = strings.TrimSuffix(a.Path, ".parquet")+"-moved.parquet", nil
				data, err := os.ReadFile(filepath.Join(root, "Devices", filepath.FromSlash(a.Path)))
				if err != nil {
					return x, err
				}
				if err := os.WriteFile(filepath.Join(root, "Devices", filepath.FromSlash(copied.Path)), data, 0o600); err != nil {
					return x, err
				}
				x.Add = append(x.Add, copied)
			}
			return x, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for day := range 3 {
		s.set(day + 1)
		x := s.exporter(meddled{lake.New(lake.Options{Store: to, Version: "v1.2.3"}), meddle}, "meddled")
		report, err := x.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range report.Outcomes {
			if o.Err != nil {
				t.Fatal(o.Err)
			}
		}
		s.agrees(t, to)
		consistent(t, to)
	}
}
