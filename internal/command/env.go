package command

import (
	"io"
	"os"
	"os/user"
	"time"

	"github.com/ftsca/ftsca/internal/output"
	"github.com/ftsca/ftsca/internal/prompt"
	"github.com/ftsca/ftsca/internal/secret"
)

// Env is what a command sees of the world around it.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time
	Built          time.Time       // when the program was built; zero where nobody wrote it down
	Prompt         func() prompter // opens the terminal for a question, or refuses

	// Rounds of key derivation for sealed keys and for p12 files; zero means the default. Only tests lower them.
	KeyRounds, BundleRounds int
}

// prompter asks people. Where there is no terminal, each question is an error that names the flag to give.
type prompter interface {
	Text(prompt.Question) (string, error)
	Confirm(prompt.Question) (bool, error)
	Secret(prompt.Question) (secret.Secret, error)
	NewSecret(prompt.Question, func(secret.Secret) error) (secret.Secret, error)
}

// System returns the environment of the running process.
func System() Env {
	return Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv,
		Now:    time.Now,
		Built:  built(),
		Prompt: func() prompter {
			if t, err := prompt.Open(); err == nil {
				return t
			}
			return prompt.Refusing{}
		},
	}
}

// tty tells whether results go to a terminal, and how wide it is.
func (e Env) tty() (bool, int) {
	f, ok := e.Stdout.(*os.File)
	if !ok || !output.IsTerminal(f) {
		return false, 0
	}
	return true, output.Width(f)
}

// actor is who acts, for the audit trail: the account, and behind sudo the person.
func (e Env) actor() string {
	name := e.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if behind := e.Getenv("SUDO_USER"); behind != "" && behind != name {
		return behind + " as " + name
	}
	return name
}
