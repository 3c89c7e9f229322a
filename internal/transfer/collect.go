package transfer

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/durable"
)

// Collect returns what waits in a store for the one above it, completed, and its contents: the request of a pending
// authority, or an endpoint's requests and revocations; and the wish for whatever is newer there. When that is the same
// as in the request that Remember kept last, so is the manifest.
func Collect(ctx context.Context, s *store.Store, now time.Time) (Manifest, [][]byte, error) {
	m := Manifest{Kind: Request, ID: NewID(), Made: now}
	var contents [][]byte
	add := func(kind, note string, content []byte) {
		m.Items = append(m.Items, Item{Kind: kind, Note: note})
		contents = append(contents, content)
	}
	standing, err := s.Standing(ctx)
	if err != nil {
		return m, nil, err
	}
	var revoked []crl.Entry
	if s.HasAuthority() {
		a, err := s.Authorities(ctx)
		if err != nil {
			return m, nil, err
		}
		if m.From, err = authorityParty(s.Name(), a); err != nil {
			return m, nil, err
		}
		if a.Pending != nil {
			add(AuthorityRequest, "", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: a.Pending.Request}))
		}
		// A root's business is only what the root issued.
		for _, root := range a.Roots {
			of, _, err := s.RevokedOf(ctx, root)
			if err != nil {
				return m, nil, err
			}
			revoked = append(revoked, of...)
		}
		if a.Current != nil && len(a.Roots) == 0 {
			return m, nil, errors.New("this store's authority is its own root: it has nobody to ask")
		}
	} else {
		cas, err := endpointAuthorities(s)
		if err != nil {
			return m, nil, err
		}
		m.From = Party{Name: s.Name(), Key: keySum(cas[0].RawSubjectPublicKeyInfo)}
		requests, err := endpointRequests(s)
		if err != nil {
			return m, nil, err
		}
		for _, r := range requests {
			if !r.answered {
				add(CertificateRequest, r.name, r.text)
			}
		}
		revoked = standing.InForce
	}
	if len(revoked) > 0 {
		add(Revocations, "", listText(revoked))
	}
	add(News, "", []byte("what is newer\n"))
	if last, err := Remembered(s); err == nil && sameItems(last, m, contents) {
		asked, err := last.Sum()
		if err != nil {
			return m, nil, err
		}
		answered, _, err := s.Taken(asked, [32]byte{})
		if err != nil {
			return m, nil, err
		}
		// What was answered is asked anew: else the old answer would do once more, whatever has come since.
		if !answered {
			m.ID, m.Made = last.ID, last.Made
		}
	}
	m, err = Complete(m, contents)
	return m, contents, err
}

func authorityParty(name string, a store.Authorities) (Party, error) {
	if a.Current != nil {
		return Party{Name: name, Key: keySum(a.Current.RawSubjectPublicKeyInfo)}, nil
	}
	if a.Pending == nil {
		return Party{}, errors.New("this store has neither an authority nor a request for one")
	}
	request, err := x509.ParseCertificateRequest(a.Pending.Request)
	if err != nil {
		return Party{}, fmt.Errorf("the pending request: %w", err)
	}
	return Party{Name: name, Key: keySum(request.RawSubjectPublicKeyInfo)}, nil
}

// endpointAuthorities reads the certificates in an endpoint's ca.pem, the current authority's first.
func endpointAuthorities(s *store.Store) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(s.CAFile())
	if err != nil {
		return nil, fmt.Errorf("reading the endpoint's authorities: %w", err)
	}
	var only bytes.Buffer
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			only.Write(pem.EncodeToMemory(block))
		}
	}
	if only.Len() == 0 {
		return nil, fmt.Errorf("the endpoint's authorities %s: there is none in it: the authority was still pending when the room was copied", s.CAFile())
	}
	certs, err := decodeCertificates(only.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the endpoint's authorities %s: %w", s.CAFile(), err)
	}
	return certs, nil
}

// endpointRequest is a request in the endpoint room.
type endpointRequest struct {
	name     string // its file's, without the ending
	text     []byte
	answered bool // its certificate lies beside it
	csr.Foreign
}

// endpointRequests finds the requests in the endpoint room.
func endpointRequests(s *store.Store) ([]endpointRequest, error) {
	entries, err := os.ReadDir(s.Endpoint())
	if err != nil {
		return nil, fmt.Errorf("looking for requests: %w", err)
	}
	var requests []endpointRequest
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".csr")
		if !ok || !entry.Type().IsRegular() {
			continue
		}
		file := filepath.Join(s.Endpoint(), entry.Name())
		_, missing := os.Stat(filepath.Join(s.Endpoint(), name+".pem"))
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a request: %w", err)
		}
		parsed, err := csr.Parse(text)
		if err == nil && len(parsed) != 1 {
			err = fmt.Errorf("it holds %d requests", len(parsed))
		}
		answered := !errors.Is(missing, fs.ErrNotExist)
		if err != nil && answered {
			continue // it asks for nothing
		}
		if err != nil {
			return nil, fmt.Errorf("the request %s: %w", file, err)
		}
		requests = append(requests, endpointRequest{name: name, text: text, answered: answered, Foreign: parsed[0]})
	}
	return requests, nil
}

func listText(entries []crl.Entry) []byte {
	l := crl.NewList()
	for _, e := range entries {
		l.Add(e)
	}
	return l.Bytes()
}

func sameItems(last, m Manifest, contents [][]byte) bool {
	m.ID, m.Made = last.ID, last.Made
	again, err := Complete(m, contents)
	if err != nil {
		return false
	}
	a, errA := last.Bytes()
	b, errB := again.Bytes()
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Remember keeps a request's manifest, before it leaves the house: by it the answer will be known.
func Remember(s *store.Store, m Manifest) error {
	data, err := m.Bytes()
	if err == nil {
		err = durable.WriteFile(s.TransferFile(), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping what was asked: %w", err)
	}
	return nil
}

// Remembered returns the manifest of the store's last request. The error wraps [fs.ErrNotExist] where there was none.
func Remembered(s *store.Store) (Manifest, error) {
	data, err := os.ReadFile(s.TransferFile())
	if err != nil {
		return Manifest{}, fmt.Errorf("looking for what was asked: %w", err)
	}
	m, err := Parse(data)
	if err != nil {
		return Manifest{}, fmt.Errorf("what was asked, in %s: %w", s.TransferFile(), err)
	}
	return m, nil
}
