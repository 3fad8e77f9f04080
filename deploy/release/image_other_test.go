//go:build !linux

package release_test

import "testing"

// startInRoot needs Linux.
func startInRoot(t *testing.T, _ string) {
	t.Log("not Linux: the program was not started in the image's root")
}
