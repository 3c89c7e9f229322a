package crl_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/crl"
)

func TestParseSerialReadsEveryUsualSpelling(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"as documented", "1A2B3C4D5E6F", "1a2b3c4d5e6f"},
		{"lower case", "1a2b3c4d5e6f", "1a2b3c4d5e6f"},
		{"colons, as openssl prints it", "1A:2B:3C:4D:5E:6F", "1a2b3c4d5e6f"},
		{"spaces, as Windows shows it", "1a 2b 3c 4d 5e 6f", "1a2b3c4d5e6f"},
		{"the invisible mark that Windows copies", "\u200e1a 2b", "1a2b"},
		{"no-break space", "1a\u00a02b", "1a2b"},
		{"white space around", "\t1a2b \n", "1a2b"},
		{"0x", "0x1A2B", "1a2b"},
		{"0X", "0X1a2b", "1a2b"},
		{"leading zeros", "00000000001A2B", "1a2b"},
		{"leading zero octet with colon", "00:C7:2B", "c72b"},
		{"first group without its zero", "A:2B", "0a2b"},
		{"odd length", "a2b", "0a2b"},
		{"one digit", "7", "07"},
		{"zero", "0", "00"},
		{"zeros", "0000", "00"},
		{"digits alone are hex too", "1234", "1234"},
		{"twenty octets", strings.Repeat("fe", 20), strings.Repeat("fe", 20)},
		{"thirty-two octets", strings.Repeat("fe", 32), strings.Repeat("fe", 32)},
		{"thirty-two octets after zeros", "0000" + strings.Repeat("fe", 32), strings.Repeat("fe", 32)},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := crl.ParseSerial(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if again, err := crl.ParseSerial(got.String()); err != nil || again != got {
				t.Errorf("its own spelling reads as %v, %v", again, err)
			}
			if crl.SerialOf(got.Big()) != got {
				t.Errorf("as a number it is %v", got.Big())
			}
		})
	}
}

func TestParseSerialRefusesWhatCanMeanTwoNumbers(t *testing.T) {
	for _, test := range []struct{ name, in, err string }{
		{"nothing", "", `"" is no serial number in hex: it has no digits`},
		{"blanks", "  ", `"  " is no serial number in hex: it has no digits`},
		{"a name", "bob", `"bob" is no serial number in hex: 'o' is no hex digit`},
		{"0x alone", "0x", `"0x" is no serial number in hex: 'x' is no hex digit`},
		{"negative", "-5", `"-5" is no serial number in hex: '-' is no hex digit`},
		{"lost zeros", "1:2:3", `"1:2:3" is no serial number in hex: two digits are missing from a pair between its colons`},
		{"lost octet", "1A::3C", `"1A::3C" is no serial number in hex: two digits are missing from a pair between its colons`},
		{"cut at a colon", "1A:2B:", `"1A:2B:" is no serial number in hex: two digits are missing from a pair between its colons`},
		{"colon first", ":1A", `":1A" is no serial number in hex: two digits are missing from a pair between its colons`},
		{"two pasted together", strings.Repeat("fe", 33), `"` + strings.Repeat("fe", 33) + `" is no serial number in hex: it is longer than 32 octets`},
		{"a whole file", strings.Repeat("z", 999), `"` + strings.Repeat("z", 80) + `"… is no serial number in hex: 'z' is no hex digit`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := crl.ParseSerial(test.in)
			if err == nil || err.Error() != test.err {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
		})
	}
}

func TestSerialsAreOrderedByNumber(t *testing.T) {
	order := []int64{0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000}
	for i, a := range order {
		for j, b := range order {
			got := crl.SerialOf(big.NewInt(a)).Compare(crl.SerialOf(big.NewInt(b)))
			if want := big.NewInt(int64(i)).Cmp(big.NewInt(int64(j))); got != want {
				t.Errorf("%x against %x: got %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestTheZeroSerialIsZero(t *testing.T) {
	var zero crl.Serial
	if zero != crl.SerialOf(new(big.Int)) || zero.String() != "00" || zero.Big().Sign() != 0 {
		t.Errorf("it is %s", zero)
	}
}
