package pkcs12

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// CheckPassword tells why a password cannot protect a PKCS #12 file that devices open: it is empty (ATAK connects with
// no file of an empty password), is not UTF-8, has control characters, or has characters beyond the 16 bits that the
// format has for one (RFC 7292, B.1). The error never holds any of the password.
func CheckPassword(password string) error {
	switch {
	case password == "":
		return errors.New("the password is empty, and ATAK connects with none of that")
	case !utf8.ValidString(password):
		return errors.New("the password is not UTF-8")
	}
	at := 0
	for _, r := range password {
		at++
		switch {
		case unicode.IsControl(r):
			return fmt.Errorf("the password has a control character at place %d", at)
		case r > 0xffff:
			return fmt.Errorf("the password has a character at place %d that the PKCS #12 format cannot hold (such as an emoji)", at)
		}
	}
	return nil
}
