package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// publishIssued appends a recorded certificate to the endpoint's list, unless it is its last line already, as after a
// kill between the two. The caller holds the lock.
func (s *Store) publishIssued(serial string) error {
	var record []byte
	err := s.look(func(tx *bbolt.Tx) error {
		record = bytes.Clone(tx.Bucket(indexBucket).Get(tx.Bucket(serialBucket).Get([]byte(serial))))
		return nil
	})
	if err != nil {
		return err
	}
	path := s.endpoint(issuedFile)
	if data, err := os.ReadFile(path); err == nil && bytes.HasSuffix(data, append(bytes.Clone(record), '\n')) {
		return nil
	}
	if err := durable.Append(path, append(record, '\n'), 0o644); err != nil {
		return fmt.Errorf("listing the certificate for the endpoint: %w", err)
	}
	return nil
}

// Publication tells what signing a revocation list did.
type Publication struct {
	Entries  int         // in the list
	Number   *big.Int    // the CRL's number
	Taken    []crl.Entry // revocations that another program had signed into ca.pem, and that were read back
	SetAside string      // where a ca.pem that another hand had changed was kept; "" where there was none
	Vanished []crl.Entry // in force although FTS_CRL.json no longer has them
}

// SignCRL signs all that is in force and publishes it as FTS_CRL.pem and within ca.pem, valid for the given days
// (zero: [ca.DefaultCRLDays]). What another program signed into ca.pem since the last time is taken into the list
// first, and what another hand changed there is set aside.
func (s *Store) SignCRL(ctx context.Context, a *ca.Authority, days int) (Publication, error) {
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return Publication{}, err
	}
	defer unlock()
	if err := s.recover(); err != nil {
		return Publication{}, err
	}
	var p Publication
	if p.Taken, p.SetAside, err = s.readBack(a); err != nil {
		return Publication{}, err
	}
	if len(p.Taken) > 0 {
		var edit Outcome
		if err := s.edit(p.Taken, &edit); err != nil {
			return Publication{}, fmt.Errorf("taking up what another program revoked: %w", err)
		}
	}
	standing, err := s.standing()
	if err != nil {
		return Publication{}, err
	}
	if standing.Broken != nil {
		return Publication{}, standing.Broken
	}
	p.Vanished, p.Entries = standing.Vanished, len(standing.InForce)
	var last *big.Int
	err = s.look(func(tx *bbolt.Tx) error {
		if data := tx.Bucket(metaBucket).Get(numberKey); data != nil {
			last = new(big.Int).SetBytes(data)
		}
		return nil
	})
	if err != nil {
		return Publication{}, err
	}
	list, number, err := a.SignCRL(standing.InForce, last, days)
	if err != nil {
		return Publication{}, err
	}
	p.Number = number
	bundle := append(encodeChain(a.Chain()), list...)
	// The number is used up before the list is seen anywhere, so that a kill can never make it come twice.
	err = s.change(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if err := meta.Put(numberKey, number.Bytes()); err != nil {
			return err
		}
		if err := putPublished(meta, map[string][]byte{x509File: list, caFile: bundle}); err != nil {
			return err
		}
		if err := meta.Put(listKey, listOf(standing.InForce).Bytes()); err != nil {
			return err
		}
		return s.record(tx, AuditEntry{Act: "sign-crl", Detail: fmt.Sprintf("number %s, %d entries", number, p.Entries)})
	})
	if err != nil {
		return Publication{}, fmt.Errorf("recording the revocation list: %w", err)
	}
	if err := durable.WriteFile(s.endpoint(x509File), list, 0o644); err != nil {
		return Publication{}, fmt.Errorf("publishing the revocation list: %w", err)
	}
	if err := durable.WriteFile(s.endpoint(caFile), bundle, 0o644); err != nil {
		return Publication{}, fmt.Errorf("publishing the authority's certificates: %w", err)
	}
	return p, nil
}

// readBack looks at ca.pem before it is overwritten. A FreeTAKServer that revokes signs its list into that file, with
// the authority's key and without raising the list's number, and nowhere else: those entries are returned. Any other
// change is kept in a file of its own, whose name is returned. The caller holds the lock.
func (s *Store) readBack(a *ca.Authority) (taken []crl.Entry, setAside string, err error) {
	path := s.endpoint(caFile)
	data, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("looking at what is published: %w", err)
	}
	published := map[string]string{}
	err = s.look(func(tx *bbolt.Tx) error {
		return json.Unmarshal(tx.Bucket(metaBucket).Get(publishedKey), &published)
	})
	if err != nil {
		return nil, "", fmt.Errorf("looking at what was last published: %w", err)
	}
	if sumIs(data, published[caFile]) {
		return nil, "", nil
	}
	foreign := false
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			foreign = foreign || len(bytes.TrimSpace(rest)) > 0
			break
		}
		if block.Type == "CERTIFICATE" {
			foreign = foreign || !contains(a.Chain(), block.Bytes)
			continue
		}
		list, err := crl.ParseX509(block.Bytes)
		if block.Type != "X509 CRL" || err != nil || list.CheckSignature(a.Certificate()) != nil {
			foreign = true
			continue
		}
		taken = append(taken, list.Entries...)
	}
	standing, err := s.standing()
	if err != nil {
		return nil, "", err
	}
	if taken = crl.Missing(standing.InForce, taken); !foreign {
		return taken, "", nil
	}
	setAside, err = s.setAside(caFile, data, "changed")
	return taken, setAside, err
}

func contains(chain []*x509.Certificate, der []byte) bool {
	for _, c := range chain {
		if bytes.Equal(c.Raw, der) {
			return true
		}
	}
	return false
}

func encodeChain(chain []*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range chain {
		b.Write(encodeCertificate(c.Raw))
	}
	return b.Bytes()
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
