package store

import (
	"context"
	"encoding/json"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/crl"
)

// trace finds in the audit trail, from its end, who revoked each of the entries and when. An endpoint without its
// authority has no trail, and a damaged one tells nothing.
func (s *Store) trace(entries []crl.Entry) map[crl.Serial]AuditEntry {
	if len(entries) == 0 || !s.authority {
		return nil
	}
	wanted := make(map[string]crl.Serial, len(entries))
	for _, e := range entries {
		wanted[e.Serial.String()] = e.Serial
	}
	found := map[crl.Serial]AuditEntry{}
	_ = s.look(func(tx *bbolt.Tx) error {
		c := tx.Bucket(auditBucket).Cursor()
		for k, v := c.Last(); k != nil && len(wanted) > 0; k, v = c.Prev() {
			var e AuditEntry
			if err := json.Unmarshal(v, &e); err != nil || e.Act != "revoke" && e.Act != "import" {
				continue
			}
			if serial, ok := wanted[e.Serial]; ok {
				found[serial] = e
				delete(wanted, e.Serial)
			}
		}
		return nil
	})
	return found
}

// History returns what the audit trail says of the revocation of a serial: revoked, imported, restored, removed, given
// another reason; the earliest first. An endpoint without its authority has none.
func (s *Store) History(ctx context.Context, serial crl.Serial) ([]AuditEntry, error) {
	if !s.authority {
		return nil, nil
	}
	var history []AuditEntry
	text := serial.String()
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(auditBucket).ForEach(func(_, v []byte) error {
			var e AuditEntry
			if err := json.Unmarshal(v, &e); err != nil {
				return nil // ftsca audit tells of that
			}
			switch e.Act {
			case "revoke", "import", "restore", "remove", "reason":
				if e.Serial == text {
					history = append(history, e)
				}
			}
			return nil
		})
	})
	return history, err
}
