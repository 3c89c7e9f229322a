package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

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

// NoteTaken keeps that an answer was taken in, by the SHA-256 of its manifest: it need not lie in the folder any more.
func (s *Store) NoteTaken(answer [32]byte) error {
	data, err := json.Marshal(hex.EncodeToString(answer[:]))
	if err == nil {
		err = durable.WriteFile(s.TransferFile()+".taken", append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping that the answer was taken in: %w", err)
	}
	return nil
}

// Taken tells whether an answer is the one that was taken in last.
func (s *Store) Taken(answer [32]byte) (bool, error) {
	data, err := os.ReadFile(s.TransferFile() + ".taken")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var sum string
	if err == nil {
		err = json.Unmarshal(data, &sum)
	}
	if err != nil {
		return false, fmt.Errorf("looking for the answer that was taken in: %w", err)
	}
	return sum == hex.EncodeToString(answer[:]), nil
}
