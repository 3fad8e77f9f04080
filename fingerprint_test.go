package tvmexport

import (
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
