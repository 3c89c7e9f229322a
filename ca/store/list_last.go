package store

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
)

// The ledger's last good list is its entries, with the sum of the text that lists them: of a million, the text has 150 MB,
// and lies in FTS_CRL.json and lastFile already. Once the ledger had the text alone, in metaBucket; that is read as well.

// sameLast tells whether the ledger's last good list is that text.
func sameLast(tx *bbolt.Tx, text sum) bool {
	bucket := tx.Bucket(lastBucket)
	return bucket != nil && string(bucket.Get(sumKey)) == string(text[:]) && tx.Bucket(metaBucket).Get(listKey) == nil
}

// lastEntries returns the ledger's last good list. It is right also where an ftsca that knows no lastBucket wrote last.
// With an error it returns what can be read of it.
func lastEntries(tx *bbolt.Tx) (last []crl.Entry, err error) {
	if bucket := tx.Bucket(lastBucket); bucket != nil {
		if last, err = crl.ParseEntries(bucket.Get(entriesKey)); err != nil {
			err = fmt.Errorf("reading the ledger: %w", err)
		}
	}
	if text := tx.Bucket(metaBucket).Get(listKey); text != nil {
		// Entries keep nothing of the text, which is the transaction's and ends with it.
		last = crl.Union(last, entriesOf(text))
	}
	return last, err
}

// putLast keeps the last good list in the ledger, with the sum of its text.
func putLast(tx *bbolt.Tx, text sum, entries []crl.Entry) error {
	if sameLast(tx, text) {
		return nil
	}
	bucket, err := tx.CreateBucketIfNotExists(lastBucket)
	if err != nil {
		return err
	}
	const entry = 32
	compact := crl.AppendEntries(make([]byte, 0, len(entries)*entry), entries)
	return errors.Join(bucket.Put(entriesKey, compact), bucket.Put(sumKey, text[:]), tx.Bucket(metaBucket).Delete(listKey))
}

// entriesOf reads a list that only we write; what a fault has left of it counts.
func entriesOf(data []byte) []crl.Entry {
	if list, err := crl.Parse(data); err == nil {
		return list.Entries()
	}
	return crl.Salvage(data)
}
