package pkcs12_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/pkcs12"
)

var update = flag.Bool("update", false, "write the golden files anew")

// opened is what a program finds in a file.
type opened struct {
	keys, certs int
	text        string // all that it says
}

// program reads files that are not its own. read returns an error where it refuses the file.
type program struct {
	name    string
	needs   []string
	read    func(t *testing.T, file, passwordFile string) (opened, error)
	refuses string // the file that it does not open
}

// The files of the matrix, by their columns in the document.
const (
	takIdentity    = "`tak` identity"
	takTrust       = "`tak` trust store"
	modernIdentity = "`modern` identity"
	modernTrust    = "`modern` trust store"
	rc2Identity    = "OpenSSL 1's identity"
)

func columns() []string {
	return []string{takIdentity, takTrust, modernIdentity, modernTrust, rc2Identity}
}

func programs() []program {
	return []program{
		{"OpenSSL 3, without `-legacy`", []string{"openssl"}, readWithOpenSSL, rc2Identity},
		{"Java's `keytool`", []string{"keytool"}, readWithKeytool, ""},
		{"NSS (`pk12util`, `certutil`)", []string{"pk12util", "certutil"}, readWithNSS, ""},
		{"GnuTLS (`certtool`)", []string{"certtool"}, readWithGnuTLS, ""},
		{"Python (`cryptography`)", []string{"python3"}, readWithPython, ""},
	}
}

func say(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "JAVA_TOOL_OPTIONS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return string(out), err
}

func pemsIn(text string, err error) (opened, error) {
	return opened{strings.Count(text, "PRIVATE KEY-----\n"), strings.Count(text, "-----BEGIN CERTIFICATE-----\n"), text}, err
}

func readWithOpenSSL(_ *testing.T, file, passwordFile string) (opened, error) {
	o, err := pemsIn(say("openssl", "pkcs12", "-in", file, "-passin", "file:"+passwordFile, "-noenc"))
	o.keys /= 2 // the lines at both ends
	return o, err
}

func readWithKeytool(_ *testing.T, file, passwordFile string) (opened, error) {
	text, err := say("keytool", "-J-XX:TieredStopAtLevel=1", "-list", "-v", "-storetype", "PKCS12", "-keystore", file, "-storepass:file", passwordFile)
	return opened{strings.Count(text, "Entry type: PrivateKeyEntry"), strings.Count(text, "\nOwner: "), text}, err
}

func readWithNSS(t *testing.T, file, passwordFile string) (opened, error) {
	db := "sql:" + t.TempDir()
	if _, err := say("certutil", "-N", "-d", db, "--empty-password"); err != nil {
		t.Fatal(err)
	}
	if _, err := say("pk12util", "-i", file, "-d", db, "-w", passwordFile); err != nil {
		return opened{}, err
	}
	list, err := say("certutil", "-L", "-d", db)
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := say("certutil", "-K", "-d", db) // which fails where there is none
	return opened{strings.Count(keys, "\n<"), len(regexp.MustCompile(`(?m),[a-zA-Z]*,[a-zA-Z]* *$`).FindAllString(list, -1)), list}, nil
}

func readWithGnuTLS(t *testing.T, file, passwordFile string) (opened, error) {
	secret, err := os.ReadFile(passwordFile)
	if err != nil {
		t.Fatal(err)
	}
	o, err := pemsIn(say("certtool", "--p12-info", "--inder", "--infile", file, "--password", strings.TrimSpace(string(secret))))
	if err == nil && !strings.Contains(o.text, "Decrypting...") {
		err = fmt.Errorf("certtool decrypted nothing:\n%s", o.text)
	}
	o.keys = strings.Count(o.text, "PKCS #8 Encrypted key")
	return o, err
}

func readWithPython(t *testing.T, file, passwordFile string) (opened, error) {
	if _, err := say("python3", "-c", "import cryptography"); err != nil {
		testpki.Lack(t, "python's cryptography")
	}
	text, err := say("python3", "-c", `
import sys
from cryptography.hazmat.primitives.serialization import pkcs12
with open(sys.argv[1], "rb") as f, open(sys.argv[2], "rb") as pw:
    p = pkcs12.load_pkcs12(f.read(), pw.read().strip())
print("key" if p.key else "no key")
for c in [p.cert, *p.additional_certs]:
    if c:
        print("certificate", c.certificate.subject.rfc4514_string(), c.friendly_name)
`, file, passwordFile)
	return opened{strings.Count(text, "key\n") - strings.Count(text, "no key\n"), strings.Count(text, "certificate CN="), text}, err
}

// Everybody who should read a file reads all of it: the identity with its chain, the trust store with every authority
// under a name of its own.
func TestEveryProgramOpensWhatItShould(t *testing.T) {
	tak, modern := write(t, pkcs12.TAK, password), write(t, pkcs12.Modern, password)
	old := filepath.Join("testdata", "openssl3-legacy.p12")
	files := map[string]string{takIdentity: tak.identity, takTrust: tak.trust, modernIdentity: modern.identity, modernTrust: modern.trust, rc2Identity: old}
	holds := map[string]opened{takIdentity: {keys: 1, certs: 3}, takTrust: {certs: 2}, modernIdentity: {keys: 1, certs: 3}, modernTrust: {certs: 2}, rc2Identity: {keys: 1, certs: 2}}
	for _, p := range programs() {
		for _, column := range columns() {
			t.Run(p.needs[0]+" "+column, func(t *testing.T) {
				t.Parallel()
				for _, name := range p.needs {
					testpki.Need(t, name)
				}
				got, err := p.read(t, files[column], tak.password)
				if p.refuses == column {
					if err == nil {
						t.Errorf("it reads what it is said to refuse:\n%s", got.text)
					}
					return
				}
				want := holds[column]
				if err != nil || got.keys != want.keys || got.certs != want.certs {
					t.Fatalf("it finds %d keys of %d, %d certificates of %d, %v in\n%s", got.keys, want.keys, got.certs, want.certs, err, got.text)
				}
				if column == takTrust || column == modernTrust {
					if name := `(?i)valley rescue ca \([0-9a-f]{8}\)`; !regexp.MustCompile(name).MatchString(got.text) {
						t.Errorf("no authority is called %s:\n%s", name, got.text)
					}
				}
			})
		}
	}
}

// The document says what the test above has seen, and what is known of readers that no test can run.
func TestTheDocumentOfCompatibilityIsUpToDate(t *testing.T) {
	name := filepath.Join("..", "docs", "compatibility.md")
	want := document()
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what it would be now: go test ./pkcs12 -run Document -update writes it anew", name)
	}
}

func document() []byte {
	var b bytes.Buffer
	row := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	rule := func(n int) { row(strings.Split(strings.Repeat("--- ", n-1)+"---", " ")...) }
	b.WriteString(`<!-- Written by go test ./pkcs12 -run Document -update. -->
# Who opens a p12 file

ftsca writes p12 files in two profiles. ` + "`--p12 tak`" + `, the usual one, is 3DES with a SHA-1 MAC: every reader below opens it. It holds nobody
off who can guess the password, so ftsca makes random ones. ` + "`--p12 modern`" + ` is AES-256 with a SHA-256 MAC, for those whose rules forbid the older
algorithms; what that costs is in the tables. ` + "`ftsca p12 show FILE`" + ` says the same of any file, and ` + "`ftsca p12 convert FILE --p12 tak`" + ` mends one.

## Checked

These programs open our files in the tests of this repository, each time that they run, and list every certificate. OpenSSL 1's identity is
what ` + "`openssl pkcs12 -export`" + ` of OpenSSL 1 writes unasked, and OpenSSL 3 with ` + "`-legacy`" + `: certificates in RC2-40.

`)
	row(append([]string{"program"}, columns()...)...)
	rule(1 + len(columns()))
	for _, p := range programs() {
		cells := []string{p.name}
		for _, column := range columns() {
			if p.refuses == column {
				cells = append(cells, "**no**")
			} else {
				cells = append(cells, "yes")
			}
		}
		row(cells...)
	}
	forms := []struct {
		name string
		form pkcs12.Form
	}{
		{"`tak`", pkcs12.TAK.Form()},
		{"`modern`, OpenSSL 3, Java", pkcs12.Modern.Form()},
		{"OpenSSL 1", pkcs12.Form{Ciphers: []string{"RC2-40", "3DES"}, MAC: "SHA-1"}},
		{"PBMAC1", pkcs12.Form{Ciphers: []string{"AES-256"}, MAC: "PBMAC1 SHA-256"}},
	}
	header := []string{"reader"}
	for _, f := range forms {
		header = append(header, f.name)
	}
	table := func(verdicts func(pkcs12.Form) []pkcs12.Verdict, last string) {
		head := header
		if last != "" {
			head = append(head, last)
		}
		row(head...)
		rule(len(head))
		for i, v := range verdicts(forms[0].form) {
			cells := []string{v.Reader}
			for _, f := range forms {
				answer := string(verdicts(f.form)[i].Reads)
				if answer == string(pkcs12.No) {
					answer = "**no**"
				}
				cells = append(cells, answer)
			}
			if last != "" {
				cells = append(cells, v.Source)
			}
			row(cells...)
		}
	}
	b.WriteString(`
## Known

What is known from source, from reports and from trials by hand, as the last column says. "unknown" is what nobody has tried, or what some
report to fail and others not.

`)
	table(pkcs12.Readers, "known from")
	b.WriteString("\nWhy not yes:\n\n")
	for i, v := range pkcs12.Readers(forms[0].form) {
		var why []string
		for _, f := range forms {
			for part := range strings.SplitSeq(pkcs12.Readers(f.form)[i].Why, "; ") {
				if part != "" && !slices.Contains(why, part) {
					why = append(why, part)
				}
			}
		}
		fmt.Fprintf(&b, "- %s: %s.\n", v.Reader, strings.Join(why, "; "))
	}
	b.WriteString("\n## By family\n\nYes means every reader on the family's devices, no that at least one does not open it.\n\n")
	header[0] = "family"
	table(pkcs12.Families, "")
	return b.Bytes()
}
