package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/internal/durable"
)

// publishIssued appends recorded certificates to the endpoint's list, as far as they are not among its last lines
// already, as after a kill between the two. The caller holds the lock.
func (s *Store) publishIssued(promised []promise) error {
	var lines, others [][]byte // others' are those that dead processes may have listed
	err := s.look(func(tx *bbolt.Tx) error {
		for _, p := range promised {
			key := tx.Bucket(serialBucket).Get([]byte(p.Serial))
			if key == nil {
				continue // what was delivered is no certificate
			}
			r, err := decodeRecord(tx.Bucket(indexBucket).Get(key))
			if err != nil {
				return err
			}
			line, err := r.line()
			if err != nil {
				return err
			}
			switch {
			case r.Purpose.IsAuthority():
			case p.ours:
				lines = append(lines, line)
			default:
				others = append(others, line)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	path := s.endpoint(issuedFile)
	if len(others) > 0 {
		listed, err := tail(path, 2*len(bytes.Join(others, nil))+tailSlack)
		if err != nil {
			return fmt.Errorf("looking at what is listed for the endpoint: %w", err)
		}
		lines = append(lines, slices.DeleteFunc(others, func(line []byte) bool {
			return bytes.Contains(listed, append([]byte{'\n'}, line...))
		})...)
	}
	if len(lines) == 0 {
		return nil
	}
	if err := durable.Append(path, bytes.Join(lines, nil), 0o644); err != nil {
		return fmt.Errorf("listing the certificates for the endpoint: %w", err)
	}
	return nil
}

// line is what the endpoint's list says of a certificate: nothing of how people are reached, or of what lies on the desk.
func (r Record) line() ([]byte, error) {
	r.Contact, r.Mark, r.Families, r.Packages, r.Delivered, r.RevokeAt = "", "", nil, nil, time.Time{}, time.Time{}
	data, err := json.Marshal(r)
	return append(data, '\n'), err
}

// tailSlack is more than the lines that another process may have added since a kill and before the recovery.
const tailSlack = 64 << 10

// tail returns the last n bytes of a file, behind a newline where they are all of it. No file has no bytes.
func tail(path string, n int) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() <= int64(n) {
		data, err := io.ReadAll(f)
		return append([]byte{'\n'}, data...), err
	}
	data := make([]byte, n)
	_, err = f.ReadAt(data, info.Size()-int64(n))
	return data, err
}

// compose returns the files that are derived from the authorities and their revocation lists.
func (s *Store) compose(tx *bbolt.Tx) (map[string][]byte, error) {
	kept, err := getAuthorities(tx)
	if err != nil {
		return nil, err
	}
	a, err := kept.load(tx)
	if err != nil {
		return nil, err
	}
	all := a.All()
	lists, size := make([]keptList, len(all)), 0
	for i, cert := range all {
		if lists[i], err = getList(tx, cert); err != nil {
			return nil, err
		}
		size += len(cert.Raw)*2 + base64.StdEncoding.DecodedLen(len(lists[i].encoded))
	}
	bundle := make([]byte, 0, size)
	for _, cert := range all {
		bundle = append(bundle, encodeCertificate(cert.Raw)...)
	}
	begin := len(bundle)
	for _, l := range lists {
		if bundle, err = l.appendPEM(bundle); err != nil {
			return nil, err
		}
	}
	return map[string][]byte{x509File: bundle[begin:], caFile: bundle}, nil
}

// publish writes the derived files. Their sums are noted before, so that what another hand wrote is told from what we
// did. The caller holds the lock.
func (s *Store) publish() error {
	var files map[string][]byte
	err := s.change(func(tx *bbolt.Tx) error {
		var err error
		if files, err = s.compose(tx); err != nil {
			return err
		}
		return putPublished(tx.Bucket(metaBucket), files)
	})
	if err != nil {
		return fmt.Errorf("publishing the authorities: %w", err)
	}
	return s.writePublished(files)
}

func (s *Store) writePublished(files map[string][]byte) error {
	err := durable.WriteFiles([]durable.File{
		{Name: s.endpoint(x509File), Data: files[x509File], Mode: 0o644},
		{Name: s.endpoint(caFile), Data: files[caFile], Mode: 0o644},
	})
	if err != nil {
		return fmt.Errorf("publishing the authorities and their revocation lists: %w", err)
	}
	return nil
}

// putPublished notes the SHA-256 of what is about to be published.
func putPublished(meta *bbolt.Bucket, files map[string][]byte) error {
	sums := map[string]string{}
	for name, data := range files {
		sum := sha256.Sum256(data)
		sums[name] = hex.EncodeToString(sum[:])
	}
	data, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	return meta.Put(publishedKey, data)
}
