package entra_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

func TestRevokedTokenIsRefused(t *testing.T) {
	s := newServer(t, nil)
	first, err := s.Issue(appID, graph, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.Revoke(first)
	if _, err := s.Verify(first, graph); !errors.Is(err, entra.ErrRevoked) {
		t.Errorf("%v", err)
	}
	second, err := s.Issue(appID, graph, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(second, graph); err != nil {
		t.Errorf("the next token: %v", err)
	}
	if c := entra.Challenge(time.Unix(7, 0)); !strings.HasPrefix(c, `error="insufficient_claims", claims="eyJ`) {
		t.Error(c)
	}
}
