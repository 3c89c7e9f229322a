package prompt

import "github.com/ftsca/ftsca/internal/secret"

// Refusing answers for nobody: each question is a *MissingAnswerError, even one with a default, since a script that
// relies on a default nobody saw is a script that breaks unseen. The zero value is ready.
type Refusing struct{}

// Text returns a *MissingAnswerError.
func (Refusing) Text(q Question) (string, error) { return "", q.missing() }

// Confirm returns a *MissingAnswerError.
func (Refusing) Confirm(q Question) (bool, error) { return false, q.missing() }

// Secret returns a *MissingAnswerError.
func (Refusing) Secret(q Question) (secret.Secret, error) { return secret.Secret{}, q.missing() }

// NewSecret returns a *MissingAnswerError; check is not called.
func (Refusing) NewSecret(q Question, _ func(secret.Secret) error) (secret.Secret, error) {
	return secret.Secret{}, q.missing()
}
