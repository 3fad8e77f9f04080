package tvmexport

import (
	"slices"
	"testing"
)

func TestFingerprintAdds(t *testing.T) {
	a, b := Fingerprint{Known: true, Sums: [3]int64{1, 2, 3}}, Fingerprint{Known: true, Sums: [3]int64{10, 20, 30}}
	if got := a.Add(b); !got.Same(Fingerprint{Known: true, Sums: [3]int64{11, 22, 33}}) || !got.Same(b.Add(a)) {
		t.Errorf("the sum is %v", got)
	}
	if got := a.Add(EmptyFingerprint); !got.Same(a) {
		t.Errorf("with no rows it is %v", got)
	}
	unknown := Fingerprint{}
	if unknown.Same(unknown) || a.Add(unknown).Known || unknown.String() != "" {
		t.Error("what is not known equals something")
	}
}

func FuzzFingerprint(f *testing.F) {
	for _, text := range []string{"", "1.2.3", "-1.ff.0", "a.b", "1.2.3.4", "7fffffffffffffff.0.0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p, again Fingerprint
		if p.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(p.String())); err != nil || again != p {
			t.Errorf("%q reads as %+v and again as %+v (%v)", text, p, again, err)
		}
	})
}

// A list of fingerprints is the list that it was made of.
func TestFingerprints(t *testing.T) {
	a, b := Fingerprint{Known: true, Sums: [3]int64{1, 2, 3}}, Fingerprint{Known: true, Sums: [3]int64{10, 20, 30}}
	for _, tt := range []struct {
		list []Fingerprint
		sum  Fingerprint
	}{
		{nil, EmptyFingerprint},
		{[]Fingerprint{EmptyFingerprint}, EmptyFingerprint},
		{[]Fingerprint{a, EmptyFingerprint, EmptyFingerprint, b}, a.Add(b)},
		{[]Fingerprint{EmptyFingerprint, {}, a}, Fingerprint{}},
	} {
		f := NewFingerprints(tt.list...)
		if f.Len() != len(tt.list) || f.IsZero() != (len(tt.list) == 0) || f.Sum() != tt.sum || f.At(len(tt.list)).Known {
			t.Errorf("%v: %d fingerprints with the sum %v", tt.list, f.Len(), f.Sum())
		}
		for i, want := range tt.list {
			if got := f.At(i); got != want {
				t.Errorf("%v: at %d is %v", tt.list, i, got)
			}
		}
		if got := f.List(); !slices.Equal(got, tt.list) || (got == nil) != (len(tt.list) == 0) {
			t.Errorf("%v: the list is %v", tt.list, got)
		}
		if !NewFingerprints(f.List()...).Equal(f) {
			t.Errorf("%v: another list of the same is not equal", tt.list)
		}
	}
	if NewFingerprints(a, EmptyFingerprint).Equal(NewFingerprints(a)) || NewFingerprints(a).Equal(NewFingerprints(b)) {
		t.Error("different lists are equal")
	}
}
