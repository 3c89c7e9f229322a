package transfer

import (
	"crypto/sha256"
	"fmt"
)

// DiscardAnswer removes the answer whose manifest has the given sum, and its items, so that the folder can take the
// next request. It is for one who has taken the answer in, and knows it by the sum that [Read] returned. Where there is
// another answer, the error wraps an *[AnswerWaitingError] and nothing is removed; where there is none, only what a
// kill left of one is.
func DiscardAnswer(dir string, sum [32]byte) error {
	if err := discard(dir, sum); err != nil {
		return fmt.Errorf("removing the answer in %s: %w", dir, err)
	}
	return nil
}

func discard(dir string, sum [32]byte) error {
	f, err := open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	var names []string
	if f.manifests[Answer] {
		text, err := f.read(manifestName(Answer), MaxManifest)
		if err != nil {
			return err
		}
		if there := sha256.Sum256(text); there != sum {
			return &AnswerWaitingError{there}
		}
		// First of all: without it, none of the rest is taken for an answer.
		names = append(names, manifestName(Answer))
	}
	return act{}.remove(dir, append(names, f.unnamed(Answer, Manifest{})...))
}
