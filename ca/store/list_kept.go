package store

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
)

// keptList is an authority's last revocation list, as the ledger keeps it; the zero keptList is none.
type keptList struct {
	Number *big.Int  `json:"number"`
	Made   time.Time `json:"made,omitzero"` // its thisUpdate; zero in ledgers that were written before it was kept

	// encoded is the list, PEM in base64. It stands last, and is memory of the transaction that nobody has looked at yet:
	// a reader or writer of JSON would hold a long list several times.
	encoded []byte
}

// What stands in the ledger around keptList.encoded.
var (
	beforeList = []byte(`,"pem":"`)
	afterList  = []byte(`"}`)
)

// encode is a list in PEM as the ledger keeps it.
func encode(list []byte) (parsed *crl.X509, data []byte, err error) {
	if parsed, err = crl.ParseX509Head(list); err != nil {
		return nil, nil, err
	}
	head, err := json.Marshal(keptList{Number: numberOf(parsed), Made: parsed.ThisUpdate})
	if err != nil {
		return nil, nil, err
	}
	data = make([]byte, 0, len(head)+len(beforeList)+base64.StdEncoding.EncodedLen(len(list))+len(afterList))
	data = append(append(data, head[:len(head)-1]...), beforeList...)
	return parsed, append(base64.StdEncoding.AppendEncode(data, list), afterList...), nil
}

// numberOf is a list's number, zero where it has none.
func numberOf(list *crl.X509) *big.Int {
	if list.Number == nil {
		return new(big.Int)
	}
	return list.Number
}

// getList returns an authority's last list; the zero keptList where it has signed none.
func getList(tx *bbolt.Tx, authority *x509.Certificate) (l keptList, err error) {
	data := tx.Bucket(listBucket).Get([]byte(crl.KeyID(authority)))
	if data == nil {
		return l, nil
	}
	head, list, found := bytes.Cut(data, beforeList)
	list, ended := bytes.CutSuffix(list, afterList)
	if err = errors.New("it breaks off"); found && ended {
		err = json.Unmarshal(append(bytes.Clone(head), '}'), &l)
	}
	if err != nil {
		return keptList{}, fmt.Errorf("reading the last revocation list of %q: %w", authority.Subject.CommonName, err)
	}
	l.encoded = list
	return l, nil
}

// appendPEM appends the list to b, within the transaction.
func (l keptList) appendPEM(b []byte) ([]byte, error) {
	b, err := base64.StdEncoding.AppendDecode(b, l.encoded)
	if err != nil {
		return nil, fmt.Errorf("reading the last revocation list: %w", err)
	}
	return b, nil
}

// made tells when a list was, the zero time where there is none, within the transaction.
func (l keptList) made() (time.Time, error) {
	if len(l.encoded) == 0 || !l.Made.IsZero() {
		return l.Made, nil
	}
	pem, err := l.appendPEM(nil)
	if err != nil {
		return time.Time{}, err
	}
	list, err := crl.ParseX509Head(pem)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the last revocation list: %w", err)
	}
	return list.ThisUpdate, nil
}

// SignedList returns the last revocation list of one of the store's authorities in PEM; nothing where it signed none.
func (s *Store) SignedList(ctx context.Context, authority *x509.Certificate) (list []byte, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		l, err := getList(tx, authority)
		if err == nil {
			list, err = l.appendPEM(nil)
		}
		return err
	})
	return list, err
}

// putList keeps a list that is newer than the one kept.
func putList(tx *bbolt.Tx, l SignedList) error {
	parsed, data, err := encode(l.PEM)
	if err != nil {
		return err
	}
	return putEncoded(tx, l.Authority, numberOf(parsed), data)
}

// putEncoded is putList for what encode returned.
func putEncoded(tx *bbolt.Tx, authority *x509.Certificate, number *big.Int, data []byte) error {
	kept, err := getList(tx, authority)
	if err != nil || kept.Number != nil && number.Cmp(kept.Number) <= 0 {
		return err
	}
	return tx.Bucket(listBucket).Put([]byte(crl.KeyID(authority)), data)
}
