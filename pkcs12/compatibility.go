package pkcs12

import (
	"fmt"
	"slices"
	"strings"
)

// Answer is whether a reader opens a file.
type Answer string

// The answers. Unknown is said where nobody has seen it, as a rule with what is supposed.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Verdict is what is known of one reader, or of one family of devices, about files of a form.
type Verdict struct {
	// Reader is a program with its version, as "Android 9", or a family: "atak", "wintak", "itak", "takaware".
	Reader string
	Reads  Answer
	// Why names what of the form decides, and what happens; "" where Reads is Yes.
	Why string
	// Source is where it is known from.
	Source string
}

// Readers tells who opens files of a form: the programs that TAK devices and their operators read with. A form that was
// seen without the password may hide, within an encrypted part, a key whose protection is not judged then.
func Readers(f Form) []Verdict {
	known := knownReaders()
	verdicts := make([]Verdict, len(known))
	for i, r := range known {
		verdicts[i] = r.judge(f)
	}
	return verdicts
}

// Families sums [Readers] up by families of devices. Yes means that each reader on its devices opens the file, No that at
// least one does not, which Why names with its reason.
func Families(f Form) []Verdict {
	known := knownReaders()
	var verdicts []Verdict
	for _, family := range []string{"atak", "wintak", "itak", "takaware"} {
		sum := Verdict{Reader: family, Reads: Yes}
		var sources []string
		for _, answer := range []Answer{No, Unknown, Yes} {
			var why []string
			for _, r := range known {
				if v := r.judge(f); slices.Contains(r.families, family) && v.Reads == answer {
					if answer != Yes {
						why = append(why, fmt.Sprintf("%s (%s)", v.Reader, v.Why))
					}
					if !slices.Contains(sources, v.Source) {
						sources = append(sources, v.Source)
					}
				}
			}
			if len(why) > 0 && sum.Reads == Yes {
				sum.Reads, sum.Why = answer, strings.Join(why, ", ")
			}
		}
		sum.Source = strings.Join(sources, "; ")
		verdicts = append(verdicts, sum)
	}
	return verdicts
}

// Form returns the form of the files that an Encoder of the profile writes, as [Inspect] reads it, without rounds.
func (p Profile) Form() Form {
	if p == Modern {
		return Form{Ciphers: []string{"AES-256"}, MAC: "SHA-256"}
	}
	return Form{Ciphers: []string{"3DES"}, MAC: "SHA-1"}
}

// knownReader is a row of the table. What neither list names is unknown.
type knownReader struct {
	name     string
	families []string
	source   string
	yes      []string          // classes of algorithms that it reads
	no       map[string]string // classes that it does not read, and what happens
	supposed map[string]string // classes of which nobody has said for sure, and what is supposed
}

// The classes of algorithms of which readers know all or none.
const (
	classRC2    = "RC2"
	class3DES   = "3DES"
	classAES    = "AES"
	classSHA1   = "SHA-1 MAC"
	classSHA2   = "SHA-2 MAC"
	classPBMAC1 = "PBMAC1"
)

// classes returns what of a form a reader has to know.
func (f Form) classes() []string {
	var classes []string
	add := func(class string) {
		if !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	for _, c := range f.Ciphers {
		switch {
		case strings.HasPrefix(c, "RC2-"):
			add(classRC2)
		case strings.HasPrefix(c, "AES-"):
			add(classAES)
		default:
			add(c)
		}
	}
	if len(f.Ciphers) == 0 {
		add("no encryption")
	}
	switch {
	case f.MAC == "":
		add("no MAC")
	case strings.HasPrefix(f.MAC, "PBMAC1"):
		add(classPBMAC1)
	case f.MAC == "SHA-1":
		add(classSHA1)
	default:
		add(classSHA2)
	}
	return classes
}

func (r knownReader) judge(f Form) Verdict {
	v := Verdict{Reader: r.name, Reads: Yes, Source: r.source}
	var no, unknown []string
	for _, class := range f.classes() {
		why, refused := r.no[class]
		guess, guessed := r.supposed[class]
		switch {
		case refused:
			no = append(no, fmt.Sprintf("%s: %s", class, why))
		case guessed:
			unknown = append(unknown, fmt.Sprintf("%s: %s", class, guess))
		case !slices.Contains(r.yes, class):
			unknown = append(unknown, fmt.Sprintf("%s: nothing is known", class))
		}
	}
	switch {
	case len(no) > 0:
		v.Reads, v.Why = No, strings.Join(no, "; ")
	case len(unknown) > 0:
		v.Reads, v.Why = Unknown, strings.Join(unknown, "; ")
	}
	return v
}

// knownReaders is the table, the programs of servers and operators first.
func knownReaders() []knownReader {
	old := []string{classRC2, class3DES, classSHA1}
	all := append(slices.Clone(old), classAES, classSHA2)
	apple := []string{"itak", "takaware"}
	const later = "supposed to be read, never tried"
	const notTried = "supposed not to be read, never tried"
	return []knownReader{
		{"OpenSSL 1.1", nil, "documentation of go-pkcs12", all, map[string]string{classPBMAC1: "OpenSSL 3.4 is the first to read it"}, nil},
		{"OpenSSL 3.0, no -legacy", nil, "tried with OpenSSL 3.0.19", []string{class3DES, classAES, classSHA1, classSHA2},
			map[string]string{classRC2: "only its legacy provider has it", classPBMAC1: "OpenSSL 3.4 is the first to read it"}, nil},
		{"Java 17", nil, "tried with OpenJDK 17", all, map[string]string{classPBMAC1: "Java 26 is the first to read it"}, nil},
		{"Android 9", []string{"atak"}, "Meshtastic-Android#6567", old,
			map[string]string{classAES: "its key store begins to read it with Android 10", classPBMAC1: "its key store does not know it"},
			map[string]string{classSHA2: notTried}},
		{"Android 10 and later", []string{"atak"}, "AndroidTacticalAssaultKit-CIV#224", append(slices.Clone(old), classAES), nil,
			map[string]string{classSHA2: "mostly read, but ATAK 4.6.1.4 on Android 12 refused one", classPBMAC1: notTried}},
		{"ATAK's connection", []string{"atak"}, "ATAK 4.6 and 5.5, source of the native core (OpenSSL, in 5 with its legacy provider)", all,
			map[string]string{classPBMAC1: "its OpenSSL does not know it"}, nil},
		{"ATAK's enrolment in Java", []string{"atak"}, "ATAK 5.5, comment in cryptoutil.cpp", old,
			map[string]string{classAES: "its BouncyCastle does not read it", classPBMAC1: "its BouncyCastle does not know it"},
			map[string]string{classSHA2: notTried}},
		{"Apple, older systems", apple, "openssl#19495, openssl#19871, owntracks/booklet#75", old,
			map[string]string{classAES: "fails with error -25293, as a wrong password does"},
			map[string]string{classSHA2: notTried, classPBMAC1: notTried}},
		{"Apple, recent systems", apple, "not tried", old, nil,
			map[string]string{classAES: later, classSHA2: later, classPBMAC1: "nothing is known"}},
		{"Windows before 10, 1709", []string{"wintak"}, "general knowledge, not tried", old,
			map[string]string{classAES: "Windows 10, 1709, is the first to read it"},
			map[string]string{classSHA2: notTried, classPBMAC1: notTried}},
		{"Windows 10, 1709, and later", []string{"wintak"}, "general knowledge, not tried", old, nil,
			map[string]string{classAES: later, classSHA2: later, classPBMAC1: notTried}},
	}
}
