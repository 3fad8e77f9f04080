package local

import (
	"errors"
	"io/fs"
	"os"
)

var errNoExclusive = errors.New("the file system has neither hard links nor moves that do not replace a file")

// linkExclusive gives a file a second name, unless that exists, and removes the
// first. It returns errors.ErrUnsupported where the file system has no links.
func linkExclusive(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) && sameFile(from, to) {
		err = nil // a network file system repeated a request whose answer was lost
	}
	if err == nil {
		os.Remove(from) // else Clean removes it
		return nil
	}
	if unsupported(err) {
		return errors.ErrUnsupported
	}
	return err
}

func sameFile(a, b string) bool {
	i, err := os.Lstat(a)
	if err != nil {
		return false
	}
	j, err := os.Lstat(b)
	return err == nil && os.SameFile(i, j)
}
