package prompt

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/ftsca/ftsca/internal/secret"
)

// longest is the length at which x/term stops taking characters without a word.
const longest = 4096

var (
	errEmpty  = errors.New("nothing was typed")
	errDiffer = errors.New("the two answers differ")
	errLong   = fmt.Errorf("longer than %d characters", longest-1)
)

// Secret asks for a secret that exists already, once, without echo. An empty answer is asked for again, and after the
// third is a *MissingAnswerError. It returns ErrCancelled when the person ends the question.
func (t *Terminal) Secret(q Question) (secret.Secret, error) {
	return ask(t, raw, func() (secret.Secret, error) {
		for range attempts {
			answer, err := t.hidden(visible(q.Text) + ": ")
			if err != nil || answer != "" {
				return secret.FromString(answer), err
			}
		}
		return secret.Secret{}, q.missing()
	})
}

// NewSecret asks for a secret that is about to be set, twice, without echo. An empty one, one that check objects to and
// two that differ are told and asked for again; after three attempts the last objection is the error. A nil check
// objects to nothing. It returns ErrCancelled when the person ends the question.
func (t *Terminal) NewSecret(q Question, check func(secret.Secret) error) (secret.Secret, error) {
	return ask(t, raw, func() (secret.Secret, error) {
		var objection error
		for range attempts {
			var answer string
			var err error
			if answer, objection, err = t.newSecret(q, check); err != nil {
				return secret.Secret{}, err
			}
			if objection == nil {
				return secret.FromString(answer), nil
			}
			if _, err := fmt.Fprintf(t.out, "%s.\r\n", visible(objection.Error())); err != nil {
				return secret.Secret{}, err
			}
		}
		return secret.Secret{}, fmt.Errorf("asking %q %d times: %w", q.Text, attempts, objection)
	})
}

func (t *Terminal) newSecret(q Question, check func(secret.Secret) error) (answer string, objection, err error) {
	answer, err = t.hidden(visible(q.Text) + ": ")
	switch {
	case err != nil:
		return "", nil, err
	case answer == "":
		return "", errEmpty, nil
	case check != nil:
		if err := check(secret.FromString(answer)); err != nil {
			return "", err, nil
		}
	}
	again, err := t.hidden(visible(q.Text) + " again: ")
	switch {
	case err != nil:
		return "", nil, err
	case again != answer:
		return "", errDiffer, nil
	}
	return answer, nil, nil
}

// hidden reads one line without echo; at Ctrl-C and Ctrl-D it returns io.EOF.
func (t *Terminal) hidden(label string) (string, error) {
	line := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{t.keys, t.out}, "")
	answer, err := line.ReadPassword(label)
	if err != nil {
		_, _ = io.WriteString(t.out, "\r\n")
		return "", err
	}
	if utf8.RuneCountInString(answer) >= longest {
		return "", errLong
	}
	return answer, nil
}
