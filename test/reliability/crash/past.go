package main

import "context"

// snapshots are the tables of which every committed state can be asked for.
var snapshots = []string{"DeviceTvmSoftwareInventory", "DeviceTvmHardwareFirmware", "DeviceTvmCertificateInfo"}

// lookBack holds every state that a clean run ended with against what the source
// held then.
func (w *world) lookBack(ctx context.Context, t *tally) {
	compared, differ := w.book.Differences(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.past += compared
	t.failed = append(t.failed, differ...)
}
