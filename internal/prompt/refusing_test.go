package prompt_test

import (
	"errors"
	"testing"

	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
)

// prompter is what a command declares: both kinds must meet it.
type prompter interface {
	Text(prompt.Question) (string, error)
	Confirm(prompt.Question) (bool, error)
	Secret(prompt.Question) (secret.Secret, error)
	NewSecret(prompt.Question, func(secret.Secret) error) (secret.Secret, error)
}

var (
	_ prompter = (*prompt.Terminal)(nil)
	_ prompter = prompt.Refusing{}
)

func TestRefusingNamesTheFlag(t *testing.T) {
	var p prompter = prompt.Refusing{}
	ask := map[string]func(prompt.Question) error{
		"Text":    func(q prompt.Question) error { _, err := p.Text(q); return err },
		"Confirm": func(q prompt.Question) error { _, err := p.Confirm(q); return err },
		"Secret":  func(q prompt.Question) error { _, err := p.Secret(q); return err },
		"NewSecret": func(q prompt.Question) error {
			_, err := p.NewSecret(q, func(secret.Secret) error { t.Error("the check was called"); return nil })
			return err
		},
	}
	tests := []struct {
		name string
		q    prompt.Question
		want string
	}{
		{"Flag", prompt.Question{Text: "Name of the CA", Flag: "--name"}, `no answer to "Name of the CA": give --name`},
		{"DefaultIsNotTaken", prompt.Question{Text: "Go on", Flag: "--yes", Default: "yes"}, `no answer to "Go on": give --yes`},
		{"NoFlag", prompt.Question{Text: "Go on"}, `no answer to "Go on": it can only be given on a terminal`},
	}
	for kind, question := range ask {
		for _, tt := range tests {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				err := question(tt.q)
				if err == nil || err.Error() != tt.want {
					t.Fatalf("error is %v, want %s", err, tt.want)
				}
				var missing *prompt.MissingAnswerError
				if !errors.As(err, &missing) || missing.Flag != tt.q.Flag || missing.Text != tt.q.Text {
					t.Errorf("error is %#v", err)
				}
			})
		}
	}
}
