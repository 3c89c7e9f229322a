package store

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
)

// Update is what the endpoint room of a store without authority gets from where the authority is.
type Update struct {
	Authorities []*x509.Certificate // as they shall stand in ca.pem; none leaves those that are there
	Lists       []byte              // X.509 lists in PEM; of each authority the newest counts, be it here or there already
	Revoked     []crl.Entry         // in force at the authority
	Issued      []byte              // lines of issued.jsonl
	Servers     []ServerCertificate
}

// ServerCertificate is the answer to a request that lies in the endpoint room.
type ServerCertificate struct {
	Stem  string              // of the files STEM.key, STEM.csr
	Chain []*x509.Certificate // the certificate first
}

// Update takes it into the endpoint room: revocations first, which only add; then the authorities' files; servers last.
// A certificate that answers a request goes beside it; a server's is served from then on where no server was yet, where it
// has the name of the one that is, or where preset says so. It returns the names of the servers that are served now. It
// may be run again, and completes what a kill has left half done.
func (s *Store) Update(ctx context.Context, u Update, preset bool) (served []string, err error) {
	if s.authority {
		return nil, errors.New("this store has its authority, which publishes by itself")
	}
	if _, err := s.Revoke(ctx, u.Revoked, nil); err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx, s.o.LockWait)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if len(u.Issued) > 0 {
		if err := s.mergeIssued(u.Issued); err != nil {
			return nil, err
		}
	}
	if err := s.updateAuthorities(u); err != nil {
		return nil, err
	}
	for _, c := range u.Servers {
		now, err := s.installServer(c, preset)
		if err != nil {
			return nil, err
		}
		if now {
			served = append(served, c.Chain[0].Subject.CommonName)
		}
	}
	return served, nil
}

// updateAuthorities writes ca.pem and FTS_CRL.pem: an authority whose list does not come keeps the one that is there, since
// servers that load lists refuse everyone of an authority that has none, or check nobody.
func (s *Store) updateAuthorities(u Update) error {
	if len(u.Authorities)+len(u.Lists) == 0 {
		return nil
	}
	authorities := u.Authorities
	if len(authorities) == 0 {
		data, err := readRegular(s.endpoint(caFile))
		if err != nil {
			return fmt.Errorf("reading the endpoint's authorities: %w", err)
		}
		authorities = certificatesIn(data)
	}
	present, err := readRegular(s.endpoint(x509File))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the revocation list: %w", err)
	}
	var bundle, lists []byte
	for _, c := range authorities {
		bundle = append(bundle, encodeCertificate(c.Raw)...)
		// A renewed authority stands there twice, with one list.
		if l := newestList(c, u.Lists, present); !bytes.Contains(lists, l) {
			lists = append(lists, l...)
		}
	}
	return s.writePublished(map[string][]byte{x509File: lists, caFile: append(bundle, lists...)})
}

// newestList returns an authority's list of the highest number from files in PEM, in PEM; nothing where there is none.
func newestList(authority *x509.Certificate, files ...[]byte) (newest []byte) {
	highest := big.NewInt(-1)
	for _, data := range files {
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			list, err := crl.ParseX509(block.Bytes)
			if err != nil || list.CheckSignature(authority) != nil {
				continue
			}
			number := list.Number
			if number == nil {
				number = new(big.Int)
			}
			if number.Cmp(highest) > 0 {
				newest, highest = crl.EncodePEM(block.Bytes), number
			}
		}
	}
	return newest
}

// certificatesIn returns the certificates of a file in PEM, as far as they can be read.
func certificatesIn(data []byte) (certs []*x509.Certificate) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if cert, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err == nil {
			certs = append(certs, cert)
		}
	}
	return certs
}

// mergeIssued takes lines in that are not there yet.
func (s *Store) mergeIssued(lines []byte) error {
	have, err := readRegular(s.endpoint(issuedFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading what was issued: %w", err)
	}
	known := map[string]bool{}
	for line := range bytes.Lines(have) {
		known[string(bytes.TrimSpace(line))] = true
	}
	merged := bytes.Clone(have)
	if len(merged) > 0 && merged[len(merged)-1] != '\n' {
		merged = append(merged, '\n') // a kill cut its last line short
	}
	for line := range bytes.Lines(lines) {
		line = bytes.TrimSpace(line)
		if _, err := decodeRecord(line); err != nil {
			return fmt.Errorf("what was issued: %w", err)
		}
		if !known[string(line)] {
			known[string(line)] = true
			merged = append(append(merged, line...), '\n')
		}
	}
	if bytes.Equal(merged, have) {
		return nil
	}
	return durable.WriteFile(s.endpoint(issuedFile), merged, 0o644)
}

// installServer puts a certificate beside its request, and where it shall be served in the server's place, the key first:
// a certificate in place means that its key is.
func (s *Store) installServer(c ServerCertificate, preset bool) (served bool, err error) {
	var chain []byte
	for _, cert := range c.Chain {
		if bytes.Equal(cert.RawIssuer, cert.RawSubject) && cert.IsCA && len(c.Chain) > 2 {
			continue // a root is in every trust store, and not sent
		}
		chain = append(chain, encodeCertificate(cert.Raw)...)
	}
	key, err := readRegular(s.endpoint(c.Stem + ".key"))
	if err != nil {
		return false, fmt.Errorf("reading the key of the request: %w", err)
	}
	if err := durable.WriteFile(s.endpoint(c.Stem+".pem"), chain, 0o644); err != nil {
		return false, err
	}
	current, err := readRegular(s.endpoint("server.pem"))
	switch {
	case !slices.Contains(c.Chain[0].ExtKeyUsage, x509.ExtKeyUsageServerAuth):
		return false, nil
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, fmt.Errorf("looking at the present server's certificate: %w", err)
	case !preset && commonName(current) != c.Chain[0].Subject.CommonName:
		return false, nil
	}
	if err := durable.WriteFile(s.endpoint("server.key"), key, 0o600); err != nil {
		return false, err
	}
	return true, durable.WriteFile(s.endpoint("server.pem"), chain, 0o644)
}

func commonName(data []byte) string {
	if certs := certificatesIn(data); len(certs) > 0 {
		return certs[0].Subject.CommonName
	}
	return ""
}

// ListNumber returns the number of an authority's list in FTS_CRL.pem, or nil.
func (s *Store) ListNumber(authority *x509.Certificate) *big.Int {
	var highest *big.Int
	for _, l := range s.signedLists() {
		if l.Number != nil && l.CheckSignature(authority) == nil && (highest == nil || l.Number.Cmp(highest) > 0) {
			highest = l.Number
		}
	}
	return highest
}

// TakeLists puts revocation lists of roots, which were signed elsewhere, into the ledger and publishes them. One that is
// not newer than what is there changes nothing, and one that its authority has not signed is an error.
func (s *Store) TakeLists(ctx context.Context, lists []SignedList) error {
	for _, l := range lists {
		parsed, err := crl.ParseX509(l.PEM)
		if err == nil {
			err = parsed.CheckSignature(l.Authority)
		}
		if err != nil {
			return fmt.Errorf("the revocation list of %q: %w", l.Authority.Subject.CommonName, err)
		}
	}
	return s.deliver(ctx, []parcel{{serial: "lists", name: "the root's revocation list", publish: true}}, func(tx *bbolt.Tx) error {
		for _, l := range lists {
			if err := putList(tx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// CAFile returns the path of the endpoint's authorities and revocation lists.
func (s *Store) CAFile() string { return s.endpoint(caFile) }

// IssuedFile returns the path of the endpoint's list of what was issued.
func (s *Store) IssuedFile() string { return s.endpoint(issuedFile) }

// TransferFile returns the path where the store keeps what it last asked of another.
func (s *Store) TransferFile() string {
	if s.authority {
		return s.path(AuthorityRoom, "transfer.json")
	}
	return filepath.Join(s.Endpoint(), ".transfer.json")
}
