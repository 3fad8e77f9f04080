package lake

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
	"github.com/tvmexport/tvmexport/lake/store"
)

// Tags of files.
const (
	groupTag = "tvmexport.group" // a partition: all rows of the file are in it
	depthTag = "tvmexport.depth" // of the groups of the table
)

// nullGroup is the group of the rows without a watermark, which come again with each run.
const nullGroup = tvmexport.NullWatermark

const (
	// rowsPerGroup is how many rows a group has at most, if partitions of the depth in
	// which rows are compared are small enough. A changed partition costs the rewriting of its group.
	rowsPerGroup = 16384
	// mostFileBytes is where a file ends. A group can have several.
	mostFileBytes = 256 << 20
)

func jsonOf(v any) (json.RawMessage, error) { return json.Marshal(v) }

// groupIn is the group of a file. A file of another engine has none: it can hold any row.
func groupIn(a delta.Add) string {
	if g, ok := a.Tags[groupTag]; ok {
		return g
	}
	return string(tvmexport.AllPartitions)
}

// groupDepth is how many digits groups have: those of the table's files, or by the number of
// rows of a full run.
func groupDepth(r *runFile, s *delta.Snapshot) int {
	if r.LoadType != tvmexport.Snapshot {
		return 0
	}
	if r.Header.Kind != tvmexport.FullRun {
		depth := 0
		for a := range s.Files() {
			if n, err := strconv.Atoi(a.Tags[depthTag]); err == nil {
				depth = max(depth, n)
			}
		}
		return min(depth, r.Header.Depth)
	}
	depth := 0
	for rows := r.Publication.Rows; rows > rowsPerGroup && depth < r.Header.Depth; rows /= 16 {
		depth++
	}
	return depth
}

// filling writes the files of a run.
type filling struct {
	to     *publisher
	run    *runFile
	table  string
	depth  int
	layout layout
	base   *delta.Snapshot
	open   map[string]*groupWriter
	codec  *parquet.Codec

	replaced map[tvmexport.Partition]bool // partitions whose rows are replaced; nil: none
	carry    map[string][]delta.Add       // files by group whose other rows are carried over
	foreign  []delta.Add                  // files of other groups, or of other engines, whose rows are divided among groups
}

// fill writes the files of a run, and notes them in its file.
func (p *publisher) fill(ctx context.Context, h head, r *runFile, x tvmexport.Publication) error {
	have, err := h.snapshot.Columns()
	if err != nil {
		return p.fail("publish", x.Run.Table.Name, x.Run.Table.Name, err)
	}
	l, _ := layoutOf(have, tvmexport.NameableColumns(r.Shown))
	f := &filling{
		to: p, run: r, table: x.Run.Table.Name, depth: groupDepth(r, h.snapshot), layout: l, base: h.snapshot,
		open: map[string]*groupWriter{}, codec: parquet.NewCodec(), carry: map[string][]delta.Add{},
	}
	r.Add, r.Remove = nil, nil
	f.replace()
	defer f.abort()
	if err := f.divide(ctx); err != nil {
		return err
	}
	rows, err := f.batches(ctx, x)
	if err != nil {
		return err
	}
	for _, group := range slices.Sorted(maps.Keys(f.carry)) { // without new rows
		if _, err := f.writer(ctx, group); err != nil {
			return err
		}
	}
	for _, group := range slices.Sorted(maps.Keys(f.open)) {
		if err := f.finish(ctx, group); err != nil {
			return err
		}
	}
	if rows != x.Rows {
		return &tvmexport.Error{
			Op: "publish", Table: f.table, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
			Err: fmt.Errorf("the landed batches of run %s have %d rows to publish, but %d were confirmed", x.Run.ID, rows, x.Rows), Hint: "run again",
		}
	}
	return nil
}

// replace finds the files whose rows a delta run of a Snapshot replaces.
func (f *filling) replace() {
	if f.run.LoadType != tvmexport.Snapshot || f.run.Header.Kind == tvmexport.FullRun {
		return
	}
	f.replaced = map[tvmexport.Partition]bool{}
	touched := map[string]bool{}
	for _, r := range f.run.Partitions {
		f.replaced[r.Partition] = true
		touched[f.group(string(r.Partition))] = true
	}
	for a := range f.base.Files() {
		group := groupIn(a)
		if touched[group] {
			f.carry[group] = append(f.carry[group], a)
			f.run.Remove = append(f.run.Remove, a.Path)
			continue
		}
		for t := range touched {
			if tvmexport.Partition(group).Overlaps(tvmexport.Partition(t)) {
				f.foreign = append(f.foreign, a)
				f.run.Remove = append(f.run.Remove, a.Path)
				break
			}
		}
	}
}

// group is the group of a row with this partition.
func (f *filling) group(label string) string {
	switch {
	case strings.HasPrefix(label, nullGroup):
		return nullGroup
	case f.run.LoadType != tvmexport.Snapshot:
		return string(tvmexport.AllPartitions)
	}
	return string(tvmexport.Partition(label).At(f.depth))
}

// batches writes the rows of the landed batches, and counts them.
func (f *filling) batches(ctx context.Context, x tvmexport.Publication) (rows int64, err error) {
	list, err := f.to.landing.batches(ctx, f.table, "")
	if err != nil {
		return 0, err
	}
	landed := make(map[tvmexport.BatchID]landedBatch, len(list))
	for _, b := range list {
		landed[b.Batch] = b
	}
	last := map[string]tvmexport.BatchID{} // by group: the last batch that can have rows of it
	for _, step := range x.Steps {
		for _, id := range step.Batches {
			for _, p := range landed[id].Manifest.Partitions {
				last[f.group(string(x.Run.Label(p)))] = id
			}
		}
	}
	var late *copies
	for _, step := range x.Steps {
		if step.Late != nil && late == nil {
			if late, err = f.seen(ctx, x); err != nil {
				return 0, err
			}
		}
		for _, id := range step.Batches {
			b, ok := landed[id]
			if !ok {
				return rows, f.to.fail("publish", landingFolder(f.table, x.Run.ID)+string(id), f.table, fmt.Errorf("the batch is gone: %w", store.ErrNotFound))
			}
			n, err := f.batch(ctx, x.Run, b, step, late)
			if err != nil {
				return rows, err
			}
			rows += n
			for group := range f.open {
				if last[group] == id && group != string(tvmexport.AllPartitions) {
					if err := f.finish(ctx, group); err != nil {
						return rows, err
					}
				}
			}
		}
	}
	return rows, nil
}

// batch writes the rows of one batch. Of a late one, only rows that readers lack.
func (f *filling) batch(ctx context.Context, run tvmexport.Run, b landedBatch, step tvmexport.PublicationStep, late *copies) (rows int64, err error) {
	o, err := f.to.store.Open(ctx, b.File, store.Range{})
	if err != nil {
		return 0, err
	}
	defer o.Body.Close()
	e := newEncoder(f.layout)
	id, begun := parquet.Text([]byte(run.ID)), parquet.Time(run.StartedAt)
	runAt, partitionAt, timeAt := f.layout.index(RunColumn), f.layout.index(PartitionColumn), f.layout.index(TimeColumn)
	err = eachLine(o.Body, func(line landedLine) error {
		if line.number == 0 {
			return nil
		}
		values, err := e.row(line.record)
		if err != nil {
			return err
		}
		if step.Late != nil {
			if there, err := late.take(values); err != nil || there {
				return err
			}
		}
		w, err := f.writer(ctx, f.group(line.partition))
		if err != nil {
			return err
		}
		values[runAt], values[partitionAt], values[timeAt] = id, parquet.Text([]byte(line.partition)), begun
		rows++
		return w.append(ctx, values)
	})
	if err != nil {
		return rows, f.to.fail("publish", b.File, f.table, err)
	}
	return rows, nil
}

// writer is the writer of a group. A new one begins with the rows that are carried over.
func (f *filling) writer(ctx context.Context, group string) (*groupWriter, error) {
	if w := f.open[group]; w != nil {
		return w, nil
	}
	w := &groupWriter{of: f, group: group}
	f.open[group] = w
	files := f.carry[group]
	delete(f.carry, group)
	return w, f.kept(ctx, files, func(_ string, row []parquet.Value) error { return w.append(ctx, row) })
}

// divide carries over rows of files that do not belong to one of the groups.
func (f *filling) divide(ctx context.Context) error {
	return f.kept(ctx, f.foreign, func(partition string, row []parquet.Value) error {
		w, err := f.writer(ctx, f.group(partition))
		if err != nil {
			return err
		}
		return w.append(ctx, row)
	})
}

// kept yields the rows of files whose partitions are not replaced.
func (f *filling) kept(ctx context.Context, files []delta.Add, take func(partition string, row []parquet.Value) error) error {
	partitionAt := f.layout.index(PartitionColumn)
	for _, a := range files {
		for row, err := range f.to.reader.rows(ctx, f.table, a, f.layout.columns) {
			if err != nil {
				return err
			}
			partition := string(row[partitionAt].Text())
			if f.replaced[tvmexport.Partition(partition)] {
				continue
			}
			if err := take(partition, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish completes the files of a group.
func (f *filling) finish(ctx context.Context, group string) error {
	w := f.open[group]
	delete(f.open, group)
	return w.close(ctx)
}

func (f *filling) abort() {
	for _, w := range f.open {
		w.abort()
	}
}

// groupWriter writes the files of a group.
type groupWriter struct {
	of     *filling
	group  string
	path   string
	upload store.Upload
	file   *parquet.Writer
}

func (w *groupWriter) append(ctx context.Context, row []parquet.Value) error {
	if w.file == nil {
		name := strings.TrimPrefix(strings.NewReplacer("~", "-rest", ":", "").Replace(w.group), "-")
		if name == "" {
			name = "all"
		}
		w.path = fmt.Sprintf("%s/%s/%s-%s.parquet", dataFolder, w.of.run.Header.ID, name, rand.Text()[:12])
		var err error
		if w.upload, err = w.of.to.store.Create(ctx, w.of.to.table(w.of.table).File(w.path)); err != nil {
			return err
		}
		if w.file, err = parquet.NewWriter(w.upload, w.of.layout.columns, w.of.codec); err != nil {
			return err
		}
	}
	if err := w.file.Append(row); err != nil {
		return err
	}
	if w.file.Bytes() > mostFileBytes {
		return w.close(ctx)
	}
	return nil
}

// close completes the file, reads it back, and notes it.
func (w *groupWriter) close(ctx context.Context) error {
	if w.file == nil {
		return nil
	}
	sum, err := w.file.Close()
	if err != nil {
		return err
	}
	info, err := w.upload.Commit(ctx)
	if err != nil {
		return err
	}
	w.of.run.Add = append(w.of.run.Add, delta.Add{
		Path: w.path, Size: info.Size, Modified: delta.MillisOf(info.Modified), Stats: sum.Stats,
		Tags: map[string]string{groupTag: w.group, depthTag: strconv.Itoa(w.of.depth)},
	})
	w.file, w.upload = nil, nil
	if err := parquet.Check(store.NewReaderAt(ctx, w.of.to.store, info), info.Size, sum); err != nil {
		return w.of.to.fail("publish", info.Name, w.of.table, fmt.Errorf("the file is not as it was written: %w", err))
	}
	return nil
}

func (w *groupWriter) abort() {
	if w.upload != nil {
		_ = w.upload.Abort() // nobody knows of the file
	}
}
