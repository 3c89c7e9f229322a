package prompt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// ErrCancelled says that the person ended the question: by Ctrl-C, by Ctrl-D or the end of input, by a signal to the
// process, or by closing the terminal. The terminal is as it was before the question, and answers nothing more.
var ErrCancelled = errors.New("cancelled")

// Question is what a person is asked.
type Question struct {
	// Text is the question without colon or question mark at its end: "Name of the CA". Control characters in it,
	// from a foreign certificate for instance, are shown written out.
	Text string
	// Flag is what gives the answer without a question, as it is typed: "--name". Empty where there is no such flag.
	Flag string
	// Default is the answer taken when Enter alone is pressed; for Confirm "yes" or "no". Empty means no default, for
	// Confirm "no". Secrets have none.
	Default string
}

// MissingAnswerError says that a question got no answer: from Refusing, or from a terminal when an empty secret was
// given each time.
type MissingAnswerError struct {
	Flag string // as in the Question, may be empty
	Text string // as in the Question
}

// Error names the question and the flag that answers it.
func (e *MissingAnswerError) Error() string {
	if e.Flag == "" {
		return fmt.Sprintf("no answer to %q: it can only be given on a terminal", e.Text)
	}
	return fmt.Sprintf("no answer to %q: give %s", e.Text, e.Flag)
}

func (q Question) missing() error {
	return &MissingAnswerError{Flag: q.Flag, Text: q.Text}
}

func (q Question) yes() bool {
	yes, _ := yesOrNo(q.Default)
	return yes
}

func yesOrNo(answer string) (yes, ok bool) {
	switch strings.ToLower(answer) {
	case "y", "yes", "true":
		return true, true
	case "n", "no", "false":
		return false, true
	}
	return false, false
}

// visible writes out what would act on the terminal instead of being seen.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if !unicode.IsControl(r) && !unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
