package crl

import (
	"cmp"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
)

// A Checker answers whether a certificate is revoked. It does not change and may be used by many goroutines at once. A
// nil or zero Checker calls everything revoked.
type Checker struct {
	everyone *table
	issuers  map[string]*table // by key identifier, in octets
	n        int
}

// NewChecker makes a Checker of the entries, which it does not keep.
func NewChecker(entries []Entry) *Checker {
	sizes := map[string]int{}
	for i := range entries {
		sizes[canonical(entries[i].Issuer)]++
	}
	serials := make(map[string][]numbered, len(sizes))
	for issuer, n := range sizes {
		serials[issuer] = make([]numbered, 0, n)
	}
	for i := range entries {
		if e := &entries[i]; !e.Serial.unlistable() {
			issuer := canonical(e.Issuer)
			serials[issuer] = append(serials[issuer], numberedOf(e.Serial.octets))
		}
	}
	c := &Checker{everyone: newTable(serials[""]), issuers: make(map[string]*table, len(serials))}
	c.n = c.everyone.n
	delete(serials, "")
	for issuer, of := range serials {
		t := newTable(of)
		id, _ := hex.DecodeString(issuer) // it is canonical
		c.issuers[string(id)], c.n = t, c.n+t.n
	}
	return c
}

// Revoked tells whether the certificate with that serial, issued by that authority, is revoked. The authority is known
// by its key identifier, as [KeyID] returns it. What cannot be told counts as revoked: a nil argument, an authority
// without a key, a serial that is negative or longer than 32 octets.
func (c *Checker) Revoked(issuer *x509.Certificate, serial *big.Int) bool {
	if c == nil || c.everyone == nil || issuer == nil || serial == nil || serial.Sign() < 0 {
		return true
	}
	n := (serial.BitLen() + 7) / 8
	if n > maxOctets {
		return true
	}
	var buffer [maxOctets]byte
	octets := serial.FillBytes(buffer[:n])
	if c.everyone.has(octets) {
		return true
	}
	if len(c.issuers) == 0 {
		return false
	}
	var sum [sha1.Size]byte
	id := keyID(issuer, &sum)
	if len(id) == 0 {
		return true
	}
	t, ok := c.issuers[string(id)]
	return ok && t.has(octets)
}

// Covers tells whether there is an entry that covers e, as [Missing] says it. It needs far less memory than that does, where
// there is a Checker anyway.
func (c *Checker) Covers(e Entry) bool {
	serial := []byte(e.Serial.octets)
	if len(serial) > maxOctets || c.everyone.has(serial) {
		return len(serial) <= maxOctets
	}
	if len(c.issuers) == 0 || e.Issuer == "" {
		return false
	}
	id, _ := hex.DecodeString(canonical(e.Issuer))
	t, ok := c.issuers[string(id)]
	return ok && t.has(serial)
}

// Len returns the number of revocations, each pair of serial and issuer counted once.
func (c *Checker) Len() int {
	if c == nil {
		return 0
	}
	return c.n
}

// table holds serials sorted, without a pointer or a header each: those of one length lie in one string.
type table struct {
	octets [maxOctets + 1]string // by length
	n      int
}

func newTable(serials []numbered) *table {
	t := &table{}
	slices.SortFunc(serials, numbered.compare)
	serials = slices.Compact(serials)
	t.n = len(serials)
	for len(serials) > 0 {
		length := len(serials[0].octets)
		same, _ := slices.BinarySearchFunc(serials, length+1, func(n numbered, l int) int { return len(n.octets) - l })
		var all strings.Builder
		all.Grow(same * length)
		for _, n := range serials[:same] {
			all.WriteString(n.octets)
		}
		t.octets[length] = all.String()
		if length == 0 {
			t.octets[0] = "\x00" // the serial zero has no octets, and is there as one
		}
		serials = serials[same:]
	}
	return t
}

// numbered is a serial with its first eight octets as a number: mostly these alone say which of two is the lower one, and
// they are where the sort looks anyway. The octets lie all over the memory.
type numbered struct {
	head   uint64
	octets string
}

func numberedOf(octets string) numbered {
	var head [8]byte
	copy(head[:], octets)
	return numbered{binary.BigEndian.Uint64(head[:]), octets}
}

func (n numbered) compare(m numbered) int {
	switch {
	case len(n.octets) != len(m.octets):
		return cmp.Compare(len(n.octets), len(m.octets))
	case n.head != m.head:
		return cmp.Compare(n.head, m.head)
	}
	return strings.Compare(n.octets, m.octets)
}

func (t *table) has(serial []byte) bool {
	length := len(serial)
	all := t.octets[length]
	if length == 0 {
		return all != ""
	}
	low, high := 0, len(all)/length
	for low < high {
		middle := int(uint(low+high) / 2)
		if at := all[middle*length : (middle+1)*length]; at == string(serial) {
			return true
		} else if at < string(serial) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return false
}
