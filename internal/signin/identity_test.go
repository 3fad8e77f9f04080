package signin

import "testing"

// No token makes the reader panic, and what it reads has a tenant.
func FuzzRead(f *testing.F) {
	f.Add(token(ours))
	f.Add("..")
	f.Add("a.e30.c")
	f.Fuzz(func(t *testing.T, text string) {
		if who, err := read(text); err == nil && who.TenantID == "" {
			t.Errorf("%q has no tenant", text)
		}
	})
}
