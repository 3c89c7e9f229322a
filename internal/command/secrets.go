package command

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/internal/secret"
)

// maxSecret bounds what is read as a secret, in bytes.
const maxSecret = 4096

// secretSource is where a secret may come from without a question: a file, or an open descriptor. A secret is never a
// flag's value, which other accounts see in the list of processes.
type secretSource struct {
	file       string
	descriptor int
}

func (s *secretSource) bind(flags *pflag.FlagSet, name, what string) {
	flags.StringVar(&s.file, name+"-file", "", "`file` whose first line is "+what)
	flags.IntVar(&s.descriptor, name+"-fd", -1, "open file `descriptor` to read "+what+" from")
}

// given tells whether the flags name a source.
func (s secretSource) given() bool { return s.file != "" || s.descriptor >= 0 }

// read returns the secret that the flags name, or the zero Secret where they name none.
func (s secretSource) read() (secret.Secret, error) {
	switch {
	case s.file != "" && s.descriptor >= 0:
		return secret.Secret{}, usagef("a secret comes from a file or from a descriptor, not from both")
	case s.file != "":
		return readSecretFile(s.file)
	case s.descriptor >= 0:
		f := os.NewFile(uintptr(s.descriptor), "descriptor")
		if f == nil {
			return secret.Secret{}, usagef("descriptor %d is not open", s.descriptor)
		}
		defer f.Close()
		value, err := readSecret(f)
		if err != nil {
			return secret.Secret{}, fmt.Errorf("reading a secret from descriptor %d: %w", s.descriptor, err)
		}
		return value, nil
	}
	return secret.Secret{}, nil
}

func readSecretFile(name string) (secret.Secret, error) {
	f, err := os.Open(name)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("reading a secret: %w", err)
	}
	defer f.Close()
	value, err := readSecret(f)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("reading a secret from %s: %w", name, err)
	}
	return value, nil
}

// readSecret takes the first line, without its end.
func readSecret(r io.Reader) (secret.Secret, error) {
	line, err := bufio.NewReaderSize(io.LimitReader(r, maxSecret+1), maxSecret+1).ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return secret.Secret{}, err
	}
	if len(line) > maxSecret {
		return secret.Secret{}, fmt.Errorf("its first line is longer than %d bytes", maxSecret)
	}
	line = bytes.TrimRight(line, "\r\n")
	if len(line) == 0 {
		return secret.Secret{}, errors.New("its first line is empty")
	}
	return secret.New(line), nil
}

const passphraseWhat = "the passphrase of the authority's key"

// caPassphrase returns the passphrase of the authority's key from wherever it can be had without a question: the
// flags, FTSCA_CA_PASSPHRASE_FILE, or a systemd credential named ca-passphrase. The zero Secret means nowhere.
func (g *global) caPassphrase(source secretSource) (secret.Secret, error) {
	value, err := source.read()
	if err != nil || !value.IsZero() {
		return value, err
	}
	if name := g.env.Getenv("FTSCA_CA_PASSPHRASE_FILE"); name != "" {
		return readSecretFile(name)
	}
	if dir := g.env.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		name := filepath.Join(dir, "ca-passphrase")
		if _, err := os.Stat(name); err == nil {
			return readSecretFile(name)
		}
	}
	return secret.Secret{}, nil
}

// clientPassword returns the password of a client's files, and whether it was made here and so has to be told: from
// the flags, from FTS_CLIENT_CERT_PASSWORD as FreeTAKServer has it, else random.
func (g *global) clientPassword(source secretSource, allowWeak bool) (value secret.Secret, made bool, err error) {
	if value, err = source.read(); err != nil {
		return secret.Secret{}, false, err
	}
	where := "the password given"
	if value.IsZero() {
		if env := g.env.Getenv("FTS_CLIENT_CERT_PASSWORD"); env != "" {
			value, where = secret.FromString(env), "the password in FTS_CLIENT_CERT_PASSWORD"
		}
	}
	if value.IsZero() {
		return secret.Random(), true, nil
	}
	// Each client family encodes other characters in a p12's password in its own way.
	for _, r := range value.Reveal() {
		if r < 0x20 || r > 0x7e {
			return secret.Secret{}, false, usagef("%s has a character outside printable ASCII, which devices read differently", where)
		}
	}
	if strings.TrimSpace(value.Reveal()) != value.Reveal() {
		return secret.Secret{}, false, usagef("%s begins or ends with a blank, which devices may drop", where)
	}
	if value.WellKnown() && !allowWeak {
		return secret.Secret{}, false, hinted(usagef("%s is one that everybody knows", where),
			"give another, or none for a random one, or --allow-weak-password if it has to be")
	}
	return value, false, nil
}
