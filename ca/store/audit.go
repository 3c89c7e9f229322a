package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// AuditEntry is a link of the audit trail: what was signed or revoked, when, and by whom. Each holds the SHA-256 of the
// one before it, as stored, so that none can be changed or taken out without breaking the chain.
type AuditEntry struct {
	Number   uint64    `json:"number"` // counts from 1
	Time     time.Time `json:"time"`
	By       string    `json:"by,omitempty"`
	Act      string    `json:"act"` // found, install, request, retire, detach, issue, answer, package, delivered, purge, revoke, import, restore, remove, reason, sign-crl, repair
	Serial   string    `json:"serial,omitempty"`
	Name     string    `json:"name,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Previous string    `json:"previous"` // SHA-256 in hex; of nothing in the first
}

// ChainError says where the audit trail does not hold.
type ChainError struct {
	Number uint64
	Reason string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("the audit trail does not hold at entry %d: %s", e.Number, e.Reason)
}

// record appends to the audit trail within the transaction that does what it tells of.
func (s *Store) record(tx *bbolt.Tx, e AuditEntry) error {
	bucket, meta := tx.Bucket(auditBucket), tx.Bucket(metaBucket)
	number, err := bucket.NextSequence()
	if err != nil {
		return fmt.Errorf("numbering the audit trail: %w", err)
	}
	previous := sha256.Sum256(nil)
	if number > 1 {
		previous = sha256.Sum256(bucket.Get(auditKey(number - 1)))
	}
	e.Number, e.Time, e.By, e.Previous = number, s.o.Now().UTC(), s.o.By, hex.EncodeToString(previous[:])
	if s.o.Remark != "" {
		e.Detail = strings.TrimPrefix(e.Detail+"; "+s.o.Remark, "; ")
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing the audit trail: %w", err)
	}
	head := sha256.Sum256(data)
	// The latest time only rises: an overridden clock must not lower the bar for the next command.
	if latest := latest(tx); e.Time.After(latest) {
		if err := meta.Put(latestKey, []byte(e.Time.Format(time.RFC3339Nano))); err != nil {
			return err
		}
	}
	if err := meta.Put(headKey, head[:]); err != nil {
		return err
	}
	return bucket.Put(auditKey(number), data)
}

// latest is the time of the ledger's last entry.
func latest(tx *bbolt.Tx) time.Time {
	t, err := time.Parse(time.RFC3339Nano, string(tx.Bucket(metaBucket).Get(latestKey)))
	if err != nil {
		return time.Time{}
	}
	return t
}

func auditKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// Audit returns the whole audit trail, first entry first, after checking its chain. With a *[ChainError] it returns
// the entries up to the one that does not hold.
func (s *Store) Audit(ctx context.Context) ([]AuditEntry, error) {
	var trail []AuditEntry
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		previous := sha256.Sum256(nil)
		count := uint64(0)
		err := tx.Bucket(auditBucket).ForEach(func(k, v []byte) error {
			count++
			var e AuditEntry
			switch err := json.Unmarshal(v, &e); {
			case err != nil:
				return &ChainError{Number: count, Reason: err.Error()}
			case e.Number != count || len(k) != 8 || binary.BigEndian.Uint64(k) != count:
				return &ChainError{Number: count, Reason: "an entry is missing"}
			case e.Previous != hex.EncodeToString(previous[:]):
				return &ChainError{Number: count, Reason: "the entry before it has been changed"}
			}
			previous = sha256.Sum256(v)
			trail = append(trail, e)
			return nil
		})
		if err != nil {
			return err
		}
		if head := tx.Bucket(metaBucket).Get(headKey); string(head) != string(previous[:]) {
			return &ChainError{Number: count, Reason: "it is not the last that was written"}
		}
		return nil
	})
	return trail, err
}
