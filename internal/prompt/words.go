package prompt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/AlecAivazis/survey/v2"
	"github.com/AlecAivazis/survey/v2/terminal"
)

// Text asks for a line of words and returns it without the spaces around it. Enter alone gives q.Default, which may be
// empty: whoever asks judges the answer. It returns ErrCancelled when the person ends the question.
func (t *Terminal) Text(q Question) (string, error) {
	input := &survey.Input{Message: visible(q.Text) + ":", Default: visible(q.Default)}
	answer, err := ask(t, surveyMode, func() (answer string, err error) {
		err = t.survey(input, &answer)
		return answer, err
	})
	if errors.Is(err, errMute) {
		t.mute = true
		answer, err = ask(t, edited, func() (string, error) { return t.plain(input.Message, input.Default) })
	}
	if err != nil {
		return "", err
	}
	if answer == "" || answer == input.Default {
		return q.Default, nil // as it is, not as it is shown
	}
	return strings.TrimSpace(answer), nil
}

// Confirm asks for yes or no. Enter alone gives q.Default; an answer that is neither is asked for again. It returns
// ErrCancelled when the person ends the question.
func (t *Terminal) Confirm(q Question) (bool, error) {
	confirm := &survey.Confirm{Message: visible(q.Text) + "?", Default: q.yes()}
	answer, err := ask(t, surveyMode, func() (answer bool, err error) {
		err = t.survey(confirm, &answer)
		return answer, err
	})
	if errors.Is(err, errMute) {
		t.mute = true
		answer, err = ask(t, edited, func() (bool, error) { return t.plainConfirm(q, confirm.Message) })
	}
	return answer, err
}

// survey puts a question through survey, and returns errMute when this terminal is not one that survey can use.
func (t *Terminal) survey(question survey.Prompt, answer any) (err error) {
	if t.mute {
		return errMute
	}
	// survey uses the cursor's position without looking whether it was told one: a terminal that goes away at that
	// moment must not take the process with it.
	defer func() {
		if recover() != nil {
			err = io.EOF
		}
	}()
	keys := &surveyKeys{keyboard: t.keys, wait: t.reportWait}
	err = survey.AskOne(question, answer, survey.WithStdio(keys, surveyScreen{t.out, keys}, t.out))
	switch {
	case errors.Is(err, terminal.InterruptErr):
		return ErrCancelled
	case errors.Is(err, errMute):
		_, _ = io.WriteString(t.out, "\r\n")
	}
	return err
}

func (t *Terminal) plainConfirm(q Question, message string) (bool, error) {
	choice := "y/N"
	if q.yes() {
		choice = "Y/n"
	}
	for range attempts {
		answer, err := t.plain(message, choice)
		if err != nil {
			return false, err
		}
		if answer == "" {
			return q.yes(), nil
		}
		if yes, ok := yesOrNo(answer); ok {
			return yes, nil
		}
	}
	return false, q.missing()
}

// plain reads one line as the terminal itself edits it: for terminals without escape sequences. What came in before
// the terminal was found to be one of these was never shown, so it is shown now.
func (t *Terminal) plain(message, hint string) (string, error) {
	if hint != "" {
		message += " (" + hint + ")"
	}
	ahead := t.keys.ahead[:lineEnd(t.keys.ahead)]
	if _, err := fmt.Fprintf(t.out, "%s %s", message, bytes.ReplaceAll(ahead, []byte("\r"), []byte("\n"))); err != nil {
		return "", err
	}
	var line []byte
	buf := make([]byte, 4096)
	for {
		n, err := t.keys.Read(buf)
		switch {
		case err != nil:
			return "", err
		case bytes.ContainsAny(buf[:n], string([]byte{ctrlC, ctrlD})):
			return "", ErrCancelled
		}
		line = append(line, buf[:n]...)
		if bytes.ContainsAny(buf[:n], "\r\n") {
			// A cursor report that came too late looks like something typed.
			return strings.TrimSpace(string(cursorReport.ReplaceAll(line, nil))), nil
		}
	}
}
