package assessment

import (
	"io"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// The content of the files of a data set, with compression.
func BenchmarkFiles(b *testing.B) {
	start := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	tn := tenant.New(tenant.Options{Devices: 200, Start: start, Clock: func() time.Time { return start }})
	parts := tn.Newest().Parts(DefaultDevicesPerFile)
	for _, asked := range sets {
		b.Run(asked.name, func(b *testing.B) {
			for b.Loop() {
				for _, p := range parts {
					if err := writeRows(b.Context(), asked, p, io.Discard); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
