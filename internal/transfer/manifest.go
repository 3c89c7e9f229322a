package transfer

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Format is the number of the format that this program writes, and the one that it reads.
const Format = 1

// The limits of a transfer. What goes beyond is neither written nor read.
const (
	MaxManifest = 4 << 20   // octets of a manifest: 10,000 items without notes have some 3 MB
	MaxItems    = 10_000    // items of a manifest
	MaxItem     = 16 << 20  // octets of an item
	MaxTotal    = 256 << 20 // octets of all items of a manifest
	MaxText     = 500       // octets of a name, a note, or a reason to refuse
)

// Kind is the side that a transfer comes from.
type Kind string

// The two kinds.
const (
	Request Kind = "request" // from the store that asks
	Answer  Kind = "answer"  // from the one that signs
)

// Manifest says what is in a transfer, and is the whole of it once its sum is known.
type Manifest struct {
	Format    int       `json:"format"` // that of this package
	Kind      Kind      `json:"kind"`
	ID        string    `json:"id"` // random, from NewID, in hex: no two manifests are the same
	From      Party     `json:"from"`
	Made      time.Time `json:"made"`                  // UTC, in whole seconds, by the clock of who made it
	InReplyTo string    `json:"in_reply_to,omitempty"` // in answers, SHA-256 in hex of the request's manifest
	Items     []Item    `json:"items"`                 // at least one
}

// Party is a store that takes part in a transfer, by what it says of itself.
type Party struct {
	Name string `json:"name"` // for people
	Key  string `json:"key"`  // SHA-256 in hex of its authority's public key (SubjectPublicKeyInfo, RFC 5280, 4.1.2.7)
}

// Item is one thing that is asked or answered.
type Item struct {
	Kind    string `json:"kind"`              // a word of the caller's: up to 32 of a-z, 0-9 and '-', as "ca-request"
	Answers string `json:"answers,omitempty"` // in answers, the File of the request's item
	Refused string `json:"refused,omitempty"` // in answers, why the signer said no; there is no file then
	File    string `json:"file,omitempty"`    // from Complete
	SHA256  string `json:"sha256,omitempty"`  // in hex
	Size    int64  `json:"size,omitempty"`    // in octets, at least 1
	Note    string `json:"note,omitempty"`    // for people, one line, may be empty
}

// NewID returns a fresh [Manifest.ID]: 16 random octets in hex.
//
// It is chosen by the one who makes the manifest, so nobody else can prepare two manifests that have the same words:
// that would take some 2^55 attempts at both, while finding a second one to a manifest that exists takes some 2^110.
func NewID() string {
	var id [16]byte
	// It never returns an error.
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// Complete fills in what follows from the rest: the format, the whole second of Made in UTC, and of each item the file,
// the sum and the size. contents[i] is the content of m.Items[i], nil where that is refused. The items of m stay as
// they are. The error is a *[FormError] that says what may not be written.
//
// A caller that has to remember a request before it leaves the house completes it, keeps it, and then calls [Write].
func Complete(m Manifest, contents [][]byte) (Manifest, error) {
	if len(contents) != len(m.Items) {
		return Manifest{}, &FormError{fmt.Sprintf("%d contents are given for %d items", len(contents), len(m.Items))}
	}
	m.Format, m.Made = Format, m.Made.UTC().Truncate(time.Second)
	items := make([]Item, len(m.Items))
	for i, it := range m.Items {
		if it.Refused != "" && contents[i] != nil {
			return Manifest{}, &FormError{fmt.Sprintf("item %d is refused, and has content", i+1)}
		}
		if it.Refused == "" {
			sum := sha256.Sum256(contents[i])
			it.SHA256, it.Size = hex.EncodeToString(sum[:]), int64(len(contents[i]))
			it.File = fileName(m.Kind, i, it)
		}
		items[i] = it
	}
	m.Items = items
	if err := m.check(); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// Sum is the SHA-256 of the manifest's [Manifest.Bytes], which has the same errors.
func (m Manifest) Sum() ([32]byte, error) {
	data, err := m.Bytes()
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(data), nil
}
