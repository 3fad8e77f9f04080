package pseudonym_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/internal/pseudonym"
)

// The pseudonyms are those that anybody's HMAC-SHA256 gives:
//
//	printf 'device-1' | openssl dgst -sha256 -hmac 'a key of sixteen or more'
func TestAPseudonymIsTheKeyedHash(t *testing.T) {
	key := []byte("a key of sixteen or more")
	m := pseudonym.New(key)
	const want = "8fd03d9f0aa082c232e7da266aad058dbe44a8488c5c6310c028228798fe30d4"
	for range 2 { // a maker is used for many values
		if got := string(m.Append(nil, []byte("device-1"))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		m.Append(nil, []byte("something between"))
	}
	if got := string(m.Append([]byte("x="), []byte("device-1"))); got != "x="+want {
		t.Errorf("appended: %s", got)
	}
	if pseudonym.Mark(key) == pseudonym.Mark([]byte("another key, just as long")) || len(pseudonym.Mark(key)) != 12 {
		t.Error("marks do not distinguish keys")
	}
}
