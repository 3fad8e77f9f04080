package main

import (
	"bytes"
	"log"
	"testing"
)

func TestTheStandardLogQuotesNoAnswers(t *testing.T) {
	var out bytes.Buffer
	l := log.New(unquoted{&out}, "", 0)
	l.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", `{"DeviceName":"x"}`, nil)
	l.Print("http: TLS handshake error")
	if want := "Unsolicited response received on idle HTTP channel\nhttp: TLS handshake error\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
