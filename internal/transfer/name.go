package transfer

import (
	"fmt"
	"strings"
)

// manifestName is the file of a manifest.
func manifestName(of Kind) string { return string(of) + ".json" }

const (
	numberDigits = 5
	sumDigits    = 16
)

// fileName is the file of an item, by its place in the manifest. With a part of the sum in it, the items of a later
// request do not overwrite those of an earlier one, whose manifest is still there.
func fileName(of Kind, index int, it Item) string {
	return fmt.Sprintf("%s-%0*d-%s-%s", of, numberDigits, index+1, it.Kind, it.SHA256[:min(sumDigits, len(it.SHA256))])
}

// isItemOf tells whether a name is one that fileName makes for this kind.
func isItemOf(of Kind, name string) bool {
	rest, ok := strings.CutPrefix(name, string(of)+"-")
	if !ok || len(rest) < numberDigits+len("-k-")+sumDigits {
		return false
	}
	number, rest := rest[:numberDigits], rest[numberDigits:]
	rest, sum := rest[:len(rest)-sumDigits], rest[len(rest)-sumDigits:]
	word, ok := strings.CutPrefix(rest, "-")
	word, also := strings.CutSuffix(word, "-")
	return ok && also && strings.Trim(number, "0123456789") == "" && isWord(word) && isHex(sum, sumDigits)
}

// temporaryOf returns what a file of package durable's that a kill left was to become; its name is ".NAME.RANDOM.tmp".
func temporaryOf(name string) (string, bool) {
	rest, ok := strings.CutSuffix(name, ".tmp")
	rest, hidden := strings.CutPrefix(rest, ".")
	dot := strings.LastIndexByte(rest, '.')
	if !ok || !hidden || dot < 0 || strings.Trim(rest[dot+1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return "", false
	}
	return rest[:dot], len(rest)-dot-1 == 10
}

// isStray tells whether an operating system leaves such a file or folder on a stick by itself.
func isStray(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "system volume information", "$recycle.bin", "thumbs.db", "desktop.ini", ".ds_store", ".spotlight-v100",
		".fseventsd", ".trashes", ".temporaryitems", "lost+found":
		return true
	}
	return strings.HasPrefix(name, "._") || strings.HasPrefix(name, ".trash-")
}
