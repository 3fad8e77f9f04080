package local

import (
	"os"

	"golang.org/x/sys/unix"
)

func renameExclusive(from, to string) error {
	return os.NewSyscallError("renamex_np", unix.RenamexNp(from, to, unix.RENAME_EXCL))
}
