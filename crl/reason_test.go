package crl_test

import (
	"testing"

	"github.com/ftsca/ftsca/crl"
)

func TestParseReasonReadsEveryUsualSpelling(t *testing.T) {
	spellings := map[crl.Reason][]string{
		crl.Unspecified:          {"unspecified", "Unspecified"},
		crl.KeyCompromise:        {"key_compromise", "keyCompromise", "Key Compromise", "KEY-COMPROMISE", "compromised"},
		crl.CACompromise:         {"ca_compromise", "cACompromise", "CACompromise", "CA Compromise"},
		crl.AffiliationChanged:   {"affiliation_changed", "affiliationChanged"},
		crl.Superseded:           {"superseded"},
		crl.CessationOfOperation: {"cessation_of_operation", "cessationOfOperation", "Cessation Of Operation"},
		crl.CertificateHold:      {"certificate_hold", "certificateHold"},
		crl.RemoveFromCRL:        {"remove_from_crl", "removeFromCRL"},
		crl.PrivilegeWithdrawn:   {"privilege_withdrawn", "privilegeWithdrawn"},
		crl.AACompromise:         {"aa_compromise", "aACompromise"},
	}
	for _, want := range crl.Reasons() {
		if len(spellings[want]) == 0 {
			t.Errorf("%s is not tried", want)
		}
		for _, s := range append(spellings[want], want.String()) {
			if got, err := crl.ParseReason(s); err != nil || got != want {
				t.Errorf("%q: got %v, %v, want %v", s, got, err, want)
			}
		}
	}
}

func TestParseReasonNamesTheChoices(t *testing.T) {
	_, err := crl.ParseReason("lost in the river")
	want := `"lost in the river" is no reason for a revocation: the reasons are unspecified, key_compromise, ca_compromise, ` +
		"affiliation_changed, superseded, cessation_of_operation, certificate_hold, remove_from_crl, privilege_withdrawn, aa_compromise"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestACodeThatIsNoReasonPrintsAsANumber(t *testing.T) {
	for code, want := range map[crl.Reason]string{7: "reason 7", 11: "reason 11", -1: "reason -1"} {
		if got := code.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
