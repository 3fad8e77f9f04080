//go:build !windows && (!unix || solaris || illumos || aix)

package local

import (
	"errors"
	"os"
)

func lockFile(*os.File) error { return errors.ErrUnsupported }
