package crl

import (
	"fmt"
	"strings"
)

// A Reason tells why a certificate was revoked. Its values are the codes of RFC 5280, 5.3.1.
type Reason int

// The reasons. RemoveFromCRL stands on no full X.509 list; on a JSON list it is a reason like any other and releases
// nobody.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

// reasonNames are the names by code, as FreeTAKServer's documents spell them. Code 7 is not used.
var reasonNames = [...]string{
	Unspecified:          "unspecified",
	KeyCompromise:        "key_compromise",
	CACompromise:         "ca_compromise",
	AffiliationChanged:   "affiliation_changed",
	Superseded:           "superseded",
	CessationOfOperation: "cessation_of_operation",
	CertificateHold:      "certificate_hold",
	RemoveFromCRL:        "remove_from_crl",
	PrivilegeWithdrawn:   "privilege_withdrawn",
	AACompromise:         "aa_compromise",
}

// Reasons returns all reasons in the order of their codes.
func Reasons() []Reason {
	var all []Reason
	for code, name := range reasonNames {
		if name != "" {
			all = append(all, Reason(code))
		}
	}
	return all
}

// ParseReason reads a reason in any usual spelling: key_compromise, keyCompromise, "Key Compromise" as openssl prints it,
// and compromised, which FreeTAKServer's documents use for it. The error of any other names the choices.
func ParseReason(s string) (Reason, error) {
	if r, ok := reasonOf(s); ok {
		return r, nil
	}
	var names []string
	for _, r := range Reasons() {
		names = append(names, r.String())
	}
	return Unspecified, fmt.Errorf("%s is no reason for a revocation: the reasons are %s", quote(s), strings.Join(names, ", "))
}

func reasonOf(s string) (Reason, bool) {
	letters := make([]byte, 0, 32)
	for _, c := range []byte(s) {
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '_' || c == '-' || c == ' ':
			continue
		}
		if len(letters) == cap(letters) {
			return Unspecified, false
		}
		letters = append(letters, c)
	}
	switch string(letters) {
	case "unspecified":
		return Unspecified, true
	case "keycompromise", "compromised":
		return KeyCompromise, true
	case "cacompromise":
		return CACompromise, true
	case "affiliationchanged":
		return AffiliationChanged, true
	case "superseded":
		return Superseded, true
	case "cessationofoperation":
		return CessationOfOperation, true
	case "certificatehold":
		return CertificateHold, true
	case "removefromcrl":
		return RemoveFromCRL, true
	case "privilegewithdrawn":
		return PrivilegeWithdrawn, true
	case "aacompromise":
		return AACompromise, true
	}
	return Unspecified, false
}

// valid tells whether r is one of the reasons.
func (r Reason) valid() bool { return r >= 0 && int(r) < len(reasonNames) && reasonNames[r] != "" }

// String returns the reason as FreeTAKServer's documents spell it, "reason 7" for a code that means nothing.
func (r Reason) String() string {
	if !r.valid() {
		return fmt.Sprintf("reason %d", int(r))
	}
	return reasonNames[r]
}
