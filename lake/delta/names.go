package delta

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

const (
	logFolder = "_delta_log"
	lastName  = "_last_checkpoint"
)

var (
	commitName     = regexp.MustCompile(`^(\d{20})\.json$`)
	checkpointName = regexp.MustCompile(`^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$`)
)

func (t *Table) log(name string) string { return path.Join(t.folder, logFolder, name) }

func (t *Table) commitFile(version int64) string {
	return t.log(fmt.Sprintf("%020d.json", version))
}

func (t *Table) checkpointFile(version int64) string {
	return t.log(fmt.Sprintf("%020d.checkpoint.parquet", version))
}

// File is the name of a data file in the store.
func (t *Table) File(p string) string { return path.Join(t.folder, p) }

// versionIn is the version in a name; false if there is none.
func versionIn(digits string) (int64, bool) {
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// escape is a path as the log has it: as in a URL.
func escape(p string) string { return (&url.URL{Path: p}).EscapedPath() }

// unescape reads a path of the log. A file outside the folder of the table is
// an error.
func unescape(p string) (string, error) {
	plain, err := url.PathUnescape(p)
	if err != nil {
		return "", fmt.Errorf("the path %q of a file is not escaped as in a URL", p)
	}
	if !fs.ValidPath(plain) || plain == "." || strings.Contains(strings.SplitN(plain, "/", 2)[0], ":") {
		return "", fmt.Errorf("the path %q is outside the folder of the table", p)
	}
	return plain, nil
}

var errPath = errors.New("a path of a file in a table is relative, with slashes, without . and ..")

func checkPath(p string) error {
	if got, err := unescape(escape(p)); err != nil || got != p || strings.HasPrefix(p, logFolder+"/") {
		return fmt.Errorf("%q: %w", p, errPath)
	}
	return nil
}

func fold(s string) string { return strings.ToLower(s) }
