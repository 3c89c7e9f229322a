package pkcs12_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/pkcs12"
)

// answers are those of verdicts, each that is not yes.
func answers(verdicts []pkcs12.Verdict) string {
	var lines []string
	for _, v := range verdicts {
		if v.Reads != pkcs12.Yes || v.Why != "" {
			lines = append(lines, fmt.Sprintf("%s: %s (%s)", v.Reader, v.Reads, v.Why))
		}
	}
	return strings.Join(lines, "\n")
}

func TestWhoReadsAForm(t *testing.T) {
	for _, tt := range []struct {
		name     string
		form     pkcs12.Form
		families string
		readers  string
	}{
		{"the profile tak", pkcs12.TAK.Form(), "", ""},
		{"the profile modern", pkcs12.Modern.Form(),
			`atak: no (Android 9 (AES: its key store begins to read it with Android 10), ATAK's enrolment in Java (AES: its BouncyCastle does not read it))
wintak: no (Windows before 10, 1709 (AES: Windows 10, 1709, is the first to read it))
itak: no (Apple, older systems (AES: fails with error -25293, as a wrong password does))
takaware: no (Apple, older systems (AES: fails with error -25293, as a wrong password does))`,
			`Android 9: no (AES: its key store begins to read it with Android 10)
Android 10 and later: unknown (SHA-2 MAC: mostly read, but ATAK 4.6.1.4 on Android 12 refused one)
ATAK's enrolment in Java: no (AES: its BouncyCastle does not read it)
Apple, older systems: no (AES: fails with error -25293, as a wrong password does)
Apple, recent systems: unknown (AES: supposed to be read, never tried; SHA-2 MAC: supposed to be read, never tried)
Windows before 10, 1709: no (AES: Windows 10, 1709, is the first to read it)
Windows 10, 1709, and later: unknown (AES: supposed to be read, never tried; SHA-2 MAC: supposed to be read, never tried)`},
		{"OpenSSL of old", pkcs12.Form{Ciphers: []string{"RC2-40", "3DES"}, MAC: "SHA-1"}, "",
			"OpenSSL 3.0, no -legacy: no (RC2: only its legacy provider has it)"},
		{"3DES and a SHA-2 MAC", pkcs12.Form{Ciphers: []string{"3DES"}, MAC: "SHA-256"},
			`atak: unknown (Android 9 (SHA-2 MAC: supposed not to be read, never tried), Android 10 and later (SHA-2 MAC: mostly read, but ATAK 4.6.1.4 on Android 12 refused one), ATAK's enrolment in Java (SHA-2 MAC: supposed not to be read, never tried))
wintak: unknown (Windows before 10, 1709 (SHA-2 MAC: supposed not to be read, never tried), Windows 10, 1709, and later (SHA-2 MAC: supposed to be read, never tried))
itak: unknown (Apple, older systems (SHA-2 MAC: supposed not to be read, never tried), Apple, recent systems (SHA-2 MAC: supposed to be read, never tried))
takaware: unknown (Apple, older systems (SHA-2 MAC: supposed not to be read, never tried), Apple, recent systems (SHA-2 MAC: supposed to be read, never tried))`, ""},
	} {
		if got := answers(pkcs12.Families(tt.form)); got != tt.families {
			t.Errorf("%s, families:\n%s\nwant\n%s", tt.name, got, tt.families)
		}
		if got := answers(pkcs12.Readers(tt.form)); (tt.readers != "" || tt.families == "") && got != tt.readers {
			t.Errorf("%s, readers:\n%s\nwant\n%s", tt.name, got, tt.readers)
		}
	}
	// Whatever it is, nobody is said to read what nobody has tried, and each verdict says where it is from.
	for _, form := range []pkcs12.Form{{}, {Ciphers: []string{"3DES (PBES2)"}, MAC: "SHA-1"}, {Ciphers: []string{"3DES"}}, {Ciphers: []string{"AES-256"}, MAC: "PBMAC1 SHA-256"}} {
		for _, v := range append(pkcs12.Readers(form), pkcs12.Families(form)...) {
			if v.Reads == pkcs12.Yes || v.Why == "" || v.Source == "" {
				t.Errorf("%s: %+v", form, v)
			}
		}
	}
}

// A profile's form is what its files have.
func TestAProfileKnowsItsForm(t *testing.T) {
	for _, p := range pkcs12.Profiles() {
		data := oneFile(t, p)
		form, err := pkcs12.Inspect(data)
		if form.Rounds = nil; err != nil || form.String() != p.Form().String() {
			t.Errorf("%s: %s, %v, is said to be %s", p, form, err, p.Form())
		}
	}
}
