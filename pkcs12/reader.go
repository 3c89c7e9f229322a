package pkcs12

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// The library that writes does not read. It derives as many rounds as a file asks for, and a walk ahead of it cannot
// see those of a key that is hidden in an encrypted part; it drops friendly names, takes no trust store without Java's
// mark, and no file of more than two parts.

// limits are the rounds that a file may ask for in one derivation, and in all of them.
type limits struct{ one, all int }

// reader reads one file.
type reader struct {
	limits
	asked int // rounds asked for by what has been read so far
	form  Form
}

// charge counts the rounds of one derivation, before it or any later one is made.
func (r *reader) charge(n int) error {
	if n > r.all-r.asked {
		return fmt.Errorf("it asks for more than %d rounds of key derivation in all", r.all)
	}
	r.asked += n
	return nil
}

// ask charges rounds that a file asks for in one derivation.
func (r *reader) ask(n int64) (int, error) {
	if n < 1 || n > int64(r.one) {
		return 0, fmt.Errorf("it asks for %d rounds of key derivation: 1 to %d are taken", n, r.one)
	}
	r.form.addRounds(int(n))
	return int(n), r.charge(int(n))
}

// takeRounds reads an iteration count and charges it.
func (r *reader) takeRounds(in *cryptobyte.String) (int, error) {
	var n int64
	if !in.PeekASN1Tag(tag.INTEGER) {
		return 0, errForm
	}
	if !in.ReadASN1Integer(&n) {
		// Most likely a number of more than 63 bits.
		return 0, fmt.Errorf("it asks for rounds of key derivation beyond counting: 1 to %d are taken", r.one)
	}
	return r.ask(n)
}

// open returns all that is in the file, its sealed keys as they are, and the password in the form that fits the file.
func (r *reader) open(data []byte, text string) ([]bag, password, error) {
	f, err := r.parse(data)
	if err != nil {
		return nil, password{}, err
	}
	if f.mac == nil {
		return nil, password{}, errors.New("it has no MAC, so nothing tells whether another hand changed it or the password is right: " + anew)
	}
	p, err := newPassword(text)
	if err != nil {
		return nil, p, err
	}
	p, err = r.unlock(f.mac, p)
	if errors.Is(err, ErrPassword) && f.opensAny(p) {
		err = ErrAltered
	}
	if err != nil {
		return nil, p, err
	}
	var bags []bag
	for _, s := range f.safes {
		opened, err := r.unseal(s, p)
		if err != nil {
			return nil, p, err
		}
		bags = append(bags, opened...)
	}
	return bags, p, nil
}

// unseal returns the bags of a part.
func (r *reader) unseal(s safe, p password) ([]bag, error) {
	if s.scheme == nil {
		return s.bags, nil
	}
	content, err := s.scheme.open(p, s.ciphertext, "an encrypted part")
	if err != nil {
		return nil, err
	}
	return r.takeBags(content)
}

// opensAny tells whether the password decrypts anything of the file: then it is right, and where the MAC is another, the
// file was altered.
func (f *pfx) opensAny(p password) bool {
	for _, s := range f.safes {
		if s.scheme != nil && s.scheme.opens(p, s.ciphertext) {
			return true
		}
		for _, b := range s.bags {
			if b.kind == sealedKey && b.scheme.opens(p, b.content) {
				return true
			}
		}
	}
	return false
}

// unlock checks the MAC. An empty password is written as one NUL or as nothing, as the maker of the file likes.
func (r *reader) unlock(m *mac, p password) (password, error) {
	err := m.check(p)
	if errors.Is(err, ErrPassword) && p.text == "" {
		if err := r.charge(m.kdf.rounds); err != nil {
			return p, err
		}
		p.bmp = nil
		err = m.check(p)
	}
	return p, err
}
