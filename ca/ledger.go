package ca

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Entry is what the ledger records of a certificate.
type Entry struct {
	Certificate *x509.Certificate
	Name        string // the common name
	Generation  int    // counts from 1 under each name
	Purpose     Purpose
	Groups      []string
	Hosts       []string // a client's: the servers its package connects to, host:port
	Families    []string // a client's: the clients that its packages are for
	Contact     string   // whom to turn to about it
	Mark        string   // by what a roster knows its row again
	IssuedAt    time.Time
	Cut         bool   // it ends with its authority and not as late as ordered
	Remark      string // what the audit trail shall say besides, such as that the clock was overridden

	RetireEarlier time.Time // when the name's earlier certificates are to be revoked; zero means never
}

// Product is a file that belongs to a certificate: its key, its package. It appears under its final name only when
// the certificate stands in the ledger.
type Product struct {
	Room    Room
	Name    string // file name, no path
	Data    []byte
	Mode    fs.FileMode
	Replace bool   // may take the place of an earlier file; else an existing file is an error
	Keep    string // with Replace: the file name under which an earlier file is kept; "" keeps none
}

// Delivery is what a reservation led to.
type Delivery struct {
	Reservation Reservation
	Entry       Entry
	Products    []Product
}

// Room is a part of the store where products lie.
type Room string

// The rooms that take products.
const (
	Keys     Room = "authority"
	Issued   Room = "authority/issued"
	Endpoint Room = "endpoint"
	Packages Room = "clientPackages"
)

// Claim asks for a name.
type Claim struct {
	Name          string
	NewGeneration bool // the name may be in use; the claim is for its next generation
}

// Reservation holds a name and generation for one certificate until it is committed or released.
type Reservation struct {
	Name       string
	Generation int
	Latest     time.Time // of the ledger's last entry; zero in an empty ledger
}

// Ledger remembers what was issued. Its methods may be called from several goroutines and by several processes at once.
type Ledger interface {
	// Reserve gives the claimed names' next generations to the caller and to no one else, all of them or, with a
	// *[NameInUseError], none. The reservations are in the order of the claims.
	Reserve(ctx context.Context, claims []Claim) ([]Reservation, error)
	// Release gives reservations back that led to nothing.
	Release(ctx context.Context, reservations []Reservation) error
	// Commit makes entries and their products durable in one act and ends their reservations: afterwards all is there,
	// or, with an error or a kill, nothing.
	Commit(ctx context.Context, deliveries []Delivery) error
}

// NameInUseError says that a name has been given before.
type NameInUseError struct {
	Name       string
	Generation int // its latest
	Reserved   bool
}

func (e *NameInUseError) Error() string {
	if e.Reserved {
		return fmt.Sprintf("the name %q is being given to another certificate at this moment", e.Name)
	}
	return fmt.Sprintf("the name %q is in use (generation %d)", e.Name, e.Generation)
}

// LongValidityError says that a certificate was ordered for longer than its profile likes.
type LongValidityError struct{ Days, Most int }

func (e *LongValidityError) Error() string {
	return fmt.Sprintf("%d days in all are too many: Apple's systems refuse a server certificate beyond %d", e.Days, e.Most)
}

// ErrExpired is returned where the authority's own certificate has expired: it can sign nothing more.
var ErrExpired = errors.New("the authority's certificate has expired")
