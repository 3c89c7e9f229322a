package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"go.etcd.io/bbolt"

	"github.com/ftsca/ftsca/internal/durable"
)

// NoteAnswer keeps which answer this store gives to a request, by the SHA-256 of both manifests, before the answer is
// seen anywhere: an answer that somebody else laid beside the request is never taken for ours.
func (s *Store) NoteAnswer(ctx context.Context, request, answer [32]byte) error {
	return s.update(ctx, func(tx *bbolt.Tx) error {
		if err := tx.Bucket(answerBucket).Put(request[:], answer[:]); err != nil {
			return err
		}
		return s.record(tx, AuditEntry{Act: "answer", Detail: fmt.Sprintf("%x to the request %x", answer, request)})
	})
}

// Answered tells whether an answer to a request is this store's own.
func (s *Store) Answered(ctx context.Context, request, answer [32]byte) (bool, error) {
	ours := false
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		ours = string(tx.Bucket(answerBucket).Get(request[:])) == string(answer[:])
		return nil
	})
	return ours, err
}

// taken is the note of an answer that was taken in: SHA-256 of both manifests, in hex.
type taken struct {
	Request string `json:"request"`
	Answer  string `json:"answer"`
}

// NoteTaken keeps which answer was taken in, to which request: it need not lie in a folder any more, and what is asked
// from then on is another request, for which no old answer will do.
func (s *Store) NoteTaken(request, answer [32]byte) error {
	data, err := json.Marshal(taken{hex.EncodeToString(request[:]), hex.EncodeToString(answer[:])})
	if err == nil {
		err = durable.WriteFile(s.TransferFile()+".taken", append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping that the answer was taken in: %w", err)
	}
	return nil
}

// Taken tells of the answer that was taken in last: whether it is the one with that sum, and whether it was to the
// request with that sum.
func (s *Store) Taken(request, answer [32]byte) (answered, ours bool, err error) {
	data, err := readRegular(s.TransferFile() + ".taken")
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	var t taken
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return false, false, fmt.Errorf("looking for the answer that was taken in: %w", err)
	}
	return t.Request == hex.EncodeToString(request[:]), t.Answer == hex.EncodeToString(answer[:]), nil
}
