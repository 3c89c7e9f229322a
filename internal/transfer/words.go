package transfer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/cosmos/go-bip39"
)

const (
	wordCount = 10
	wordBits  = 11
	maxSpoken = 1000 // octets of words that somebody typed: ten have at most 89
)

// Words returns ten words of the English list of BIP-39 that stand for the first 110 bits of a sum, eleven bits each as
// BIP-39 has them, to be read aloud or over a radio. Each is known by its first four letters.
func Words(sum [32]byte) []string {
	words := make([]string, wordCount)
	for i := range words {
		n := 0
		for bit := i * wordBits; bit < (i+1)*wordBits; bit++ {
			n = n<<1 | int(sum[bit/8]>>(7-bit%8)&1)
		}
		words[i] = bip39.EnglishWordList[n]
	}
	return words
}

// WordsError says why words are not those of a transfer. It does not tell the right ones, which are to come from the
// other side.
type WordsError struct{ Reason string }

func (e *WordsError) Error() string { return e.Reason }

// ParseWords reads ten words as somebody wrote down what was read aloud: in any case, apart by blanks, hyphens, commas
// or full stops, each whole or by its first four letters or more. The error is a *[WordsError].
func ParseWords(text string) ([]string, error) {
	if len(text) > maxSpoken {
		return nil, &WordsError{fmt.Sprintf("these are more than %d octets, not %d words", maxSpoken, wordCount)}
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) || r == ',' || r == '.'
	})
	if len(words) != wordCount {
		return nil, &WordsError{fmt.Sprintf("these are %d words, not %d", len(words), wordCount)}
	}
	for i, w := range words {
		// The list is sorted, and no two of its words share four letters.
		at, whole := slices.BinarySearch(bip39.EnglishWordList, w)
		if !whole && (len(w) < 4 || at == len(bip39.EnglishWordList) || !strings.HasPrefix(bip39.EnglishWordList[at], w)) {
			return nil, &WordsError{fmt.Sprintf("word %d, %s, is not on the list: was it misheard?", i+1, quote(w))}
		}
		words[i] = bip39.EnglishWordList[at]
	}
	return words, nil
}

// CheckWords tells by a nil error that text, as [ParseWords] reads it, has the [Words] of sum. Otherwise the error is a
// *[WordsError].
func CheckWords(text string, sum [32]byte) error {
	given, err := ParseWords(text)
	if err != nil {
		return err
	}
	for i, w := range Words(sum) {
		if given[i] != w {
			return &WordsError{fmt.Sprintf("word %d, %q, is not that of this transfer: it is not the one that the other side has", i+1, given[i])}
		}
	}
	return nil
}
