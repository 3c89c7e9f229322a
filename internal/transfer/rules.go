package transfer

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// check says what about a manifest is not as it must be. Its error is a *FormError.
func (m Manifest) check() error {
	fault := func(format string, args ...any) error { return &FormError{fmt.Sprintf(format, args...)} }
	switch {
	case m.Format != Format:
		return fault("its format is %d, not %d", m.Format, Format)
	case m.Kind != Request && m.Kind != Answer:
		return fault("its kind is %s, neither %q nor %q", quote(string(m.Kind)), Request, Answer)
	case !isHex(m.ID, 32):
		return fault("its id is not 32 digits of lower-case hex")
	case m.From.Name == "":
		return fault("the store that it is from has no name")
	case !isLine(m.From.Name):
		return fault("the name of the store that it is from %s", badLine)
	case !isHex(m.From.Key, 64):
		return fault("the key of the store that it is from is not 64 digits of lower-case hex")
	case m.Made.Year() < 2000 || m.Made.Year() > 9999:
		return fault("the year in which it was made is %d", m.Made.Year())
	case !m.Made.Equal(m.Made.Truncate(time.Second)) || m.Made.Format("Z07:00") != "Z":
		return fault("the time at which it was made is not in UTC and whole seconds")
	case m.Kind == Request && m.InReplyTo != "":
		return fault("it is a request, and in reply to something")
	case m.Kind == Answer && !isHex(m.InReplyTo, 64):
		return fault("it is an answer, and what it replies to is not 64 digits of lower-case hex")
	case len(m.Items) == 0:
		return fault("it has no items")
	case len(m.Items) > MaxItems:
		return fault("it has more than %d items", MaxItems)
	}
	total := int64(0)
	for i, it := range m.Items {
		if reason := it.check(m.Kind, i); reason != "" {
			return fault("item %d %s", i+1, reason)
		}
		total += it.Size
	}
	if total > MaxTotal {
		return fault("its items have more than %d MiB", MaxTotal>>20)
	}
	return m.checkAnswers()
}

// check returns "" for an item that is right where it stands.
func (it Item) check(of Kind, index int) string {
	switch {
	case !isWord(it.Kind):
		return "has the kind " + quote(it.Kind) + ", which is no word of a-z, 0-9 and '-'"
	case !isLine(it.Note):
		return "has a note that " + badLine
	case !isLine(it.Refused):
		return "has a reason to refuse that " + badLine
	case of == Request && (it.Answers != "" || it.Refused != ""):
		return "is asked, and answers"
	case of == Answer && !isItemOf(Request, it.Answers):
		return "answers " + quote(it.Answers) + ", which is no item's name"
	case it.Refused != "" && (it.File != "" || it.SHA256 != "" || it.Size != 0):
		return "is refused, and has content"
	case it.Refused != "":
		return ""
	case !isHex(it.SHA256, 64):
		return "has a sum that is not 64 digits of lower-case hex"
	case it.Size < 1:
		return "is empty"
	case it.Size > MaxItem:
		return fmt.Sprintf("has more than %d MiB", MaxItem>>20)
	case it.File != fileName(of, index, it):
		return "has the file " + quote(it.File) + ", not " + fileName(of, index, it)
	}
	return ""
}

// checkAnswers sees to it that no question is answered in two ways.
func (m Manifest) checkAnswers() error {
	type question struct{ file, kind string }
	seen := map[question]int{}
	refused, answered := map[string]int{}, map[string]int{}
	for i, it := range m.Items {
		if m.Kind == Request {
			continue
		}
		q := question{it.Answers, it.Kind}
		if other, ok := seen[q]; ok {
			return &FormError{fmt.Sprintf("items %d and %d both answer %s with %s", other, i+1, it.Answers, it.Kind)}
		}
		seen[q] = i + 1
		if it.Refused != "" {
			refused[it.Answers] = i + 1
		} else {
			answered[it.Answers] = i + 1
		}
		if refused[it.Answers] > 0 && answered[it.Answers] > 0 {
			return &FormError{fmt.Sprintf("item %d answers %s, which item %d refuses", answered[it.Answers], it.Answers, refused[it.Answers])}
		}
	}
	return nil
}

// badLine says what isLine has found, with MaxText.
const badLine = "is not one line of at most 500 octets that can be printed"

// isLine tells whether a text can go to a terminal as it is.
func isLine(s string) bool {
	return len(s) <= MaxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}

func isWord(s string) bool {
	return s != "" && len(s) <= 32 && s[0] != '-' && s[len(s)-1] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
