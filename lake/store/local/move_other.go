//go:build unix && !linux && !darwin

package local

import "errors"

func renameExclusive(string, string) error { return errors.ErrUnsupported }
