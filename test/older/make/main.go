// Make makes a database with the program of an earlier version: committed runs, and what killed processes leave behind.
// It writes what the database then holds, as commands that make the same database again, and what that program said and
// its readers saw. test/older/database.sh runs it in a checkout of that version, against the emulator of that version.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	bin := flag.String("bin", "", "the program of the earlier version")
	revision := flag.String("revision", "", "its revision, for the record")
	out := flag.String("out", "", "folder that the files are written to")
	first := flag.Bool("first", false, "the story for the first versions of the program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *bin, *revision, *out, *first); err != nil {
		fmt.Fprintln(os.Stderr, "make:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, revision, out string, first bool) error {
	c := config
	if first {
		c = ""
	}
	w, err := newWorld(bin, c)
	if err != nil {
		return err
	}
	defer w.close()
	w.record.Revision = revision
	if first {
		if err := w.first(ctx); err != nil {
			return err
		}
		return w.write(ctx, out)
	}
	if err := w.story(ctx); err != nil {
		return err
	}
	if err := w.look(ctx); err != nil {
		return err
	}
	return w.write(ctx, out)
}
