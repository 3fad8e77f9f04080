package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// older is a revision of this repository whose program runs next to today's, as
// while a fleet is upgraded: its ledger has the columns of today, and it knows
// nothing of what today's program writes into them.
const older = "ea37feb310ed63439f5d557de7a35dfe464d73bf"

// buildOlder builds the program of a revision into a folder. why says why it
// cannot be had, as in a copy of the sources without their history.
func buildOlder(ctx context.Context, revision, dir string) (bin, why string, err error) {
	if out, err := exec.CommandContext(ctx, "git", "cat-file", "-e", revision+"^{commit}").CombinedOutput(); err != nil {
		return "", fmt.Sprintf("the revision %s is not in the history here: %v %s", revision, err, bytes.TrimSpace(out)), nil
	}
	sources := filepath.Join(dir, "older")
	if err := os.MkdirAll(sources, 0o700); err != nil {
		return "", "", err
	}
	archive := filepath.Join(dir, "older.tar")
	bin = filepath.Join(dir, "tvmexport-older")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "./cmd/tvmexport")
	build.Dir = sources
	for _, c := range []*exec.Cmd{
		exec.CommandContext(ctx, "git", "archive", "--format=tar", "--output="+archive, revision),
		exec.CommandContext(ctx, "tar", "-xf", archive, "-C", sources),
		build,
	} {
		if out, err := c.CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("build the program of %s: %s: %w\n%s", revision, c, err, out)
		}
	}
	return bin, "", nil
}
