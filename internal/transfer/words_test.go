package transfer_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/transfer"
)

func sumOf(t testing.TB, digits string) [32]byte {
	t.Helper()
	data, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	var sum [32]byte
	copy(sum[:], data)
	return sum
}

// The test vectors of BIP-39 (https://github.com/trezor/python-mnemonic/blob/master/vectors.json): the first ten words of
// an entropy do not depend on its checksum.
var vectors = []struct{ entropy, words string }{
	{"00000000000000000000000000000000", "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon"},
	{"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner"},
	{"80808080808080808080808080808080", "letter advice cage absurd amount doctor acoustic avoid letter advice"},
	{"ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo"},
	{"9e885d952ad362caeb4efe34a8e91bd2", "ozone drill grab fiber curtain grace pudding thank cruise elder"},
	{"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
		"void come effort suffer camp survey warrior heavy shoot primary"},
}

func TestWordsAreThoseOfBIP39(t *testing.T) {
	for _, v := range vectors {
		if got := strings.Join(transfer.Words(sumOf(t, v.entropy)), " "); got != v.words {
			t.Errorf("%s: %s\nwant %s", v.entropy, got, v.words)
		}
	}
}

func TestEachOfTheFirst110BitsCountsAndNoOther(t *testing.T) {
	sum := sumOf(t, vectors[4].entropy)
	for bit := range 256 {
		other := sum
		other[bit/8] ^= 1 << (7 - bit%8)
		if same := transfer.CheckWords(strings.Join(transfer.Words(other), " "), sum) == nil; same != (bit >= 110) {
			t.Errorf("bit %d: same words is %t", bit, same)
		}
	}
}

func TestWordsAreTakenAsPeopleWriteThem(t *testing.T) {
	sum := sumOf(t, vectors[4].entropy)
	for name, text := range map[string]string{
		"as told":           vectors[4].words,
		"in capitals":       strings.ToUpper(vectors[4].words),
		"on two lines":      " \tozone drill grab fiber curtain\r\n  grace pudding thank cruise elder\n",
		"with hyphens":      strings.ReplaceAll(vectors[4].words, " ", "-"),
		"with long hyphens": strings.ReplaceAll(vectors[4].words, " ", " – "),
		"with commas":       strings.ReplaceAll(vectors[4].words, " ", ", ") + ".",
		"by four letters":   "ozon dril grab fibe curt grac pudd than crui elde",
		"by five letters":   "Ozone Drill Grab Fiber Curta Grace Puddi Thank Cruis Elder",
	} {
		if err := transfer.CheckWords(text, sum); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherWordsAreRefused(t *testing.T) {
	sum := sumOf(t, vectors[4].entropy)
	for _, tt := range []struct{ name, text, want string }{
		{"none", "", "these are 0 words, not 10"},
		{"one too few", "drill grab fiber curtain grace pudding thank cruise elder", "these are 9 words, not 10"},
		{"one too many", vectors[4].words + " eight", "these are 11 words, not 10"},
		{"another", "ozone drill grab fiber curtain grace pudding thank cruise elbow",
			`word 10, "elbow", is not that of this transfer: it is not the one that the other side has`},
		{"in another order", "drill ozone grab fiber curtain grace pudding thank cruise elder",
			`word 1, "drill", is not that of this transfer: it is not the one that the other side has`},
		{"three letters", "ozone dri grab fiber curtain grace pudding thank cruise elder", `word 2, "dri", is not on the list: was it misheard?`},
		{"misspelt", "ozone drill grab fibre curtain grace pudding thank cruise elder", `word 4, "fibre", is not on the list: was it misheard?`},
		{"after the last", "ozone drill grab fiber curtain grace pudding thank cruise zoom", `word 10, "zoom", is not on the list: was it misheard?`},
		{"too long a word", "ozones drill grab fiber curtain grace pudding thank cruise elder", `word 1, "ozones", is not on the list: was it misheard?`},
		{"that ring the bell", "\aozone drill grab fiber curtain grace pudding thank cruise elder", `word 1, "\aozone", is not on the list: was it misheard?`},
		{"endless", strings.Repeat("zoo ", 300), "these are more than 1000 octets, not 10 words"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := transfer.CheckWords(tt.text, sum)
			mustSay(t, "DIR", err, tt.want)
			if _, ok := errors.AsType[*transfer.WordsError](err); !ok {
				t.Errorf("it is a %T", err)
			}
		})
	}
}

func TestFourLettersTellAnyWordOfTheList(t *testing.T) {
	seen := map[string]bool{}
	for n := range 2048 {
		// The first eleven bits of the sum, and nothing else.
		word := transfer.Words([32]byte{byte(n >> 3), byte(n << 5)})[0]
		begin := word[:min(4, len(word))]
		if seen[begin] {
			t.Errorf("%s begins as another", word)
		}
		seen[begin] = true
		words, err := transfer.ParseWords(begin + strings.Repeat(" zoo", 9))
		if err != nil || words[0] != word {
			t.Errorf("%s is read as %q, %v", begin, words, err)
		}
	}
}

// FuzzParseWords holds that what is read is ten words of the list, and is read as the same again.
func FuzzParseWords(f *testing.F) {
	f.Add(vectors[4].words)
	f.Add("OZON-dril, grab fibe curt grac pudd than crui elde.")
	f.Fuzz(func(t *testing.T, text string) {
		words, err := transfer.ParseWords(text)
		if err != nil {
			if _, ok := errors.AsType[*transfer.WordsError](err); !ok || words != nil {
				t.Errorf("%q and the error %v", words, err)
			}
			return
		}
		again, err := transfer.ParseWords(strings.Join(words, " "))
		if err != nil || strings.Join(again, " ") != strings.Join(words, " ") || len(words) != 10 {
			t.Errorf("%q became %q, %v", words, again, err)
		}
	})
}
