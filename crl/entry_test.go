package crl_test

import (
	"testing"

	"github.com/ftsca/ftsca/crl"
)

func TestUnionKeepsTheFirstOfSerialAndIssuer(t *testing.T) {
	a, b := serial(t, "1A"), serial(t, "1B")
	got := crl.Union(
		[]crl.Entry{{Serial: a, Reason: crl.Superseded}, {Serial: a, Reason: crl.KeyCompromise}},
		nil,
		[]crl.Entry{{Serial: b}, {Serial: a, Issuer: "0c"}, {Serial: a}},
	)
	want := []crl.Entry{{Serial: a, Reason: crl.Superseded}, {Serial: b}, {Serial: a, Issuer: "0c"}}
	if !sameEntries(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMissingMindsTheIssuer(t *testing.T) {
	a, b, c := serial(t, "1A"), serial(t, "1B"), serial(t, "1C")
	have := []crl.Entry{{Serial: a}, {Serial: b, Issuer: "0c"}}
	want := []crl.Entry{{Serial: a, Issuer: "0c"}, {Serial: a}, {Serial: b, Issuer: "0c"}, {Serial: b, Issuer: "0d"}, {Serial: b}, {Serial: c}}
	if got := crl.Missing(have, want); !sameEntries(got, want[3:]) {
		t.Errorf("got %v, want %v", got, want[3:])
	}
}
