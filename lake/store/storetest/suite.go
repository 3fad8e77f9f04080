package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tvmexport/tvmexport/lake/store"
)

// Test runs the suite on stores that open creates, each of them empty.
func Test(t *testing.T, open func(t *testing.T) store.Store) {
	for name, f := range map[string]func(*testing.T, store.Store){
		"whole file": wholeFile, "conditions": conditions, "racing writers": racing, "racing swaps": swaps,
		"ranges": ranges, "listing": listing, "upload": upload, "missing file": missing, "names": names, "probe": probe,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func read(t *testing.T, s store.Store, name string) string {
	t.Helper()
	data, _, err := store.ReadAll(t.Context(), s, name, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func wholeFile(t *testing.T, s store.Store) {
	ctx := t.Context()
	info := must[store.Info](t)(s.Put(ctx, "a/b/c.json", []byte("one"), store.Condition{}))
	if info.Size != 3 || info.Name != "a/b/c.json" || info.ETag == "" {
		t.Errorf("Put: %+v", info)
	}
	must[store.Info](t)(s.Put(ctx, "a/b/c.json", []byte("three"), store.Condition{}))
	if got := read(t, s, "a/b/c.json"); got != "three" {
		t.Errorf("read %q after the second Put", got)
	}
	now := must[store.Info](t)(s.Stat(ctx, "a/b/c.json"))
	if now.Size != 5 || now.ETag == info.ETag || now.Modified.IsZero() {
		t.Errorf("Stat: %+v, before: %+v", now, info)
	}
	if clock, err := s.Now(ctx); err != nil || clock.IsZero() {
		t.Errorf("Now: %v, %v", clock, err)
	}
	if err := s.Delete(ctx, "a/b/c.json"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, "a/b/c.json"); err != nil {
		t.Errorf("the second Delete: %v", err)
	}
}

func conditions(t *testing.T, s store.Store) {
	ctx := t.Context()
	if _, err := s.Put(ctx, "lease", []byte("a"), store.IfMatch("0x1")); !errors.Is(err, store.ErrChanged) {
		t.Errorf("IfMatch of a missing file: %v, want ErrChanged", err)
	}
	first := must[store.Info](t)(s.Put(ctx, "lease", []byte("a"), store.IfAbsent()))
	if _, err := s.Put(ctx, "lease", []byte("b"), store.IfAbsent()); !errors.Is(err, store.ErrExists) {
		t.Errorf("IfAbsent of an existing file: %v, want ErrExists", err)
	}
	second := must[store.Info](t)(s.Put(ctx, "lease", []byte("c"), store.IfMatch(first.ETag)))
	if _, err := s.Put(ctx, "lease", []byte("d"), store.IfMatch(first.ETag)); !errors.Is(err, store.ErrChanged) {
		t.Errorf("IfMatch of an old ETag: %v, want ErrChanged", err)
	}
	if stat := must[store.Info](t)(s.Stat(ctx, "lease")); stat.ETag != second.ETag {
		t.Errorf("Stat has the ETag %q, Put returned %q", stat.ETag, second.ETag)
	}
	if got := read(t, s, "lease"); got != "c" {
		t.Errorf("the file holds %q, want c", got)
	}
}

// racing: of many writers of one name, one succeeds, and its content stays.
func racing(t *testing.T, s store.Store) {
	const writers, files = 8, 5
	for f := range files {
		name := fmt.Sprintf("log/%020d.json", f)
		won := make([]bool, writers)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				_, err := s.Put(t.Context(), name, bytes.Repeat([]byte{byte('a' + w)}, 1000), store.IfAbsent())
				won[w] = err == nil
				if err != nil && !errors.Is(err, store.ErrExists) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		winner := slices.Index(won, true)
		if winner < 0 || slices.Contains(won[winner+1:], true) {
			t.Fatalf("winners: %v, want one", won)
		}
		if got, want := read(t, s, name), strings.Repeat(string(rune('a'+winner)), 1000); got != want {
			t.Errorf("the file is not the winner's")
		}
	}
}

// swaps: writers that increment a number by its ETag lose no increment.
func swaps(t *testing.T, s store.Store) {
	const writers, each = 4, 5
	must[store.Info](t)(s.Put(t.Context(), "n", nil, store.IfAbsent()))
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				data, info, err := store.ReadAll(t.Context(), s, "n", 1<<10)
				if err == nil {
					_, err = s.Put(t.Context(), "n", append(data, 'x'), store.IfMatch(info.ETag))
				}
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrChanged):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := read(t, s, "n"); len(got) != writers*each {
		t.Errorf("%d increments are there, want %d", len(got), writers*each)
	}
}

func ranges(t *testing.T, s store.Store) {
	must[store.Info](t)(s.Put(t.Context(), "f", []byte("0123456789"), store.Condition{}))
	for _, c := range []struct {
		r    store.Range
		want string
	}{
		{store.Range{}, "0123456789"},
		{store.Range{Offset: 3}, "3456789"},
		{store.Range{Offset: 3, Length: 2}, "34"},
		{store.Range{Offset: 8, Length: 5}, "89"},
		{store.Range{Offset: -4}, "6789"},
		{store.Range{Offset: -4, Length: 1}, "6"},
		{store.Range{Offset: -40}, "0123456789"},
	} {
		o, err := s.Open(t.Context(), "f", c.r)
		if err != nil {
			t.Fatalf("%+v: %v", c.r, err)
		}
		got, err := io.ReadAll(o.Body)
		o.Body.Close()
		if err != nil || string(got) != c.want || o.Size != 10 || o.ETag == "" {
			t.Errorf("%+v: %q, %v, %+v", c.r, got, err, o.Info)
		}
	}
	r := store.NewReaderAt(t.Context(), s, must[store.Info](t)(s.Stat(t.Context(), "f")))
	p := make([]byte, 4)
	if n, err := r.ReadAt(p, 2); n != 4 || err != nil || string(p) != "2345" {
		t.Errorf("ReadAt: %d, %v, %q", n, err, p)
	}
	if n, err := r.ReadAt(p, 8); n != 2 || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt across the end: %d, %v", n, err)
	}
	if n, err := r.ReadAt(p, 10); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt behind the end: %d, %v", n, err)
	}
	must[store.Info](t)(s.Put(t.Context(), "f", []byte("another"), store.Condition{}))
	if _, err := r.ReadAt(p, 2); !errors.Is(err, store.ErrChanged) {
		t.Errorf("ReadAt of a file that was replaced: %v, want ErrChanged", err)
	}
}

func listing(t *testing.T, s store.Store) {
	all := []string{"a.txt", "a/1.json", "a/2/x.parquet", "a/3.json", "ab", "b ä/c+d%20.json", "b=1/x"}
	for _, name := range slices.Backward(all) {
		must[store.Info](t)(s.Put(t.Context(), name, []byte(name), store.Condition{}))
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"", "", all},
		{"a/", "", all[1:4]},
		{"a", "", all[:5]},
		{"a/", "a/2", all[2:4]},
		{"a/", "a/2/x.parquet", all[3:4]},
		{"a/3", "", all[3:4]},
		{"none/", "", nil},
	} {
		var got []string
		for i, err := range s.List(t.Context(), c.prefix, c.after) {
			if err != nil {
				t.Fatal(err)
			}
			if i.Size != int64(len(i.Name)) || i.Modified.IsZero() {
				t.Errorf("listed %+v", i)
			}
			got = append(got, i.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("List(%q, %q): %q, want %q", c.prefix, c.after, got, c.want)
		}
	}
	for range s.List(t.Context(), "", "") {
		break // the caller may stop
	}
}

func upload(t *testing.T, s store.Store) {
	ctx := t.Context()
	chunk := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	begin := func() store.Upload {
		u := must[store.Upload](t)(s.Create(ctx, "data/big.parquet"))
		for range 9 {
			must[int](t)(u.Write(chunk))
		}
		return u
	}
	u := begin()
	if _, err := s.Stat(ctx, "data/big.parquet"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a file before its Commit: %v, want ErrNotFound", err)
	}
	for i, err := range s.List(ctx, "data/", "") {
		t.Errorf("an unfinished file is listed: %v, %v", i, err)
	}
	info := must[store.Info](t)(u.Commit(ctx))
	if info.Size != 9<<20 {
		t.Errorf("Commit: %+v", info)
	}
	if err := u.Abort(); err != nil {
		t.Errorf("Abort after Commit: %v", err)
	}
	second := begin()
	if _, err := second.Commit(ctx); !errors.Is(err, store.ErrExists) {
		t.Errorf("the second Commit of a name: %v, want ErrExists", err)
	}
	if err := second.Abort(); err != nil {
		t.Error(err)
	}
	o := must[store.Object](t)(s.Open(ctx, "data/big.parquet", store.Range{Offset: 8<<20 + 3, Length: 4}))
	got := must[[]byte](t)(io.ReadAll(o.Body))
	o.Body.Close()
	if string(got) != "3456" {
		t.Errorf("read %q", got)
	}
	canceled, cancel := context.WithCancel(ctx)
	third := must[store.Upload](t)(s.Create(canceled, "data/other"))
	cancel()
	if _, err := third.Commit(canceled); err == nil {
		t.Error("Commit ignores that its context has ended")
	}
	if err := third.Abort(); err != nil {
		t.Error(err)
	}
	empty := must[store.Upload](t)(s.Create(ctx, "data/empty"))
	if info := must[store.Info](t)(empty.Commit(ctx)); info.Size != 0 {
		t.Errorf("an empty file: %+v", info)
	}
}

func missing(t *testing.T, s store.Store) {
	_, open := s.Open(t.Context(), "no/such.file", store.Range{})
	_, stat := s.Stat(t.Context(), "no/such.file")
	for op, err := range map[string]error{"Open": open, "Stat": stat} {
		if !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "such.file") {
			t.Errorf("%s: %v, want ErrNotFound with the name", op, err)
		}
	}
}

func names(t *testing.T, s store.Store) {
	for _, name := range []string{"", "/abs", "../up", "a/../b", "a//b", "a/", "."} {
		if _, err := s.Put(t.Context(), name, nil, store.Condition{}); err == nil {
			t.Errorf("a file %q can be written", name)
		}
		if _, err := s.Open(t.Context(), name, store.Range{}); err == nil {
			t.Errorf("a file %q can be read", name)
		}
	}
}

func probe(t *testing.T, s store.Store) {
	if err := store.Probe(t.Context(), s); err != nil {
		t.Error(err)
	}
	for i := range s.List(t.Context(), "", "") {
		t.Errorf("Probe leaves %s", i.Name)
	}
}
