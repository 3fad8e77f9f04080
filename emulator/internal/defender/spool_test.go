package defender

import (
	"bytes"
	"os"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
)

func TestSpool(t *testing.T) {
	for _, blocks := range []int{0, 1, 4<<20/1000 - 1, 4<<20/1000 + 2, 9000} {
		dir := t.TempDir()
		s := &spool{in: disk.Folder{Dir: dir}}
		var want bytes.Buffer
		for i := range blocks {
			block := bytes.Repeat([]byte{byte(i)}, 1000)
			want.Write(block)
			if _, err := s.Write(block); err != nil {
				t.Fatal(err)
			}
		}
		var got bytes.Buffer
		if err := s.copyTo(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want.Bytes(), got.Bytes()) || s.size() != int64(want.Len()) {
			t.Errorf("%d blocks: what comes out is not what went in", blocks)
		}
		s.close()
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%d blocks: %v is left, %v", blocks, left, err)
		}
	}
}
