package transfer

import (
	"fmt"
	"io/fs"
	"strings"
)

// NoneError says that a folder has no request or no answer. It counts as [fs.ErrNotExist].
type NoneError struct{ Kind Kind }

func (e *NoneError) Error() string { return fmt.Sprintf("there is no %s in it", e.Kind) }

// Unwrap returns [fs.ErrNotExist].
func (e *NoneError) Unwrap() error { return fs.ErrNotExist }

// UnfinishedError says that writing was broken off, by a kill or since the stick was pulled out.
type UnfinishedError struct {
	Kind  Kind
	Names []string // of the files that no manifest names
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("writing the %s was broken off, and left %s: write it again where it was made", e.Kind, listed(e.Names))
}

// ExtraError says that a folder has files that are no part of a transfer.
type ExtraError struct{ Names []string }

func (e *ExtraError) Error() string {
	return fmt.Sprintf("it holds %s, which no manifest names: take that away, or use another folder", listed(e.Names))
}

// MissingError says that a file is gone that the manifest names.
type MissingError struct{ File string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is missing, which the manifest names", e.File)
}

// TamperedError says that a file is not the one that the manifest names, or a manifest no file at all.
type TamperedError struct{ File, Reason string }

func (e *TamperedError) Error() string {
	return fmt.Sprintf("%s has been changed since it was written: %s", e.File, e.Reason)
}

// FormError says what about a manifest is not as this format has it.
type FormError struct{ Reason string }

func (e *FormError) Error() string { return e.Reason }

// NewerError says that a manifest has a format that this program does not know.
type NewerError struct{ Format int }

func (e *NewerError) Error() string {
	return fmt.Sprintf("it has format %d, and this program reads format %d: use a newer ftsca", e.Format, Format)
}

// StaleError says that an answer is to another request than the one it is held against. Both sums are in hex.
type StaleError struct{ InReplyTo, Request string }

func (e *StaleError) Error() string {
	return fmt.Sprintf("it answers another request (%.16s…) than the one that waits (%.16s…)", e.InReplyTo, e.Request)
}

// UnaskedError says that an item of an answer is to nothing that the request asks.
type UnaskedError struct {
	Item    int // from 1
	Answers string
}

func (e *UnaskedError) Error() string {
	return fmt.Sprintf("item %d was not asked for: it answers %s, which the request does not have", e.Item, e.Answers)
}

// AnswerWaitingError says that a folder has an answer, which would be lost. A caller that has taken this one in already
// calls [DiscardAnswer] and tries again.
type AnswerWaitingError struct{ Sum [32]byte } // SHA-256 of the answer's manifest

func (e *AnswerWaitingError) Error() string {
	return fmt.Sprintf("it holds another answer (%.8x…), which would be lost: take that in first, or use another folder", e.Sum)
}

// ForeignError says that a folder has the request of another store.
type ForeignError struct{ From Party }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("it holds the request of another store, %s (key %.16s…): use another folder", quote(e.From.Name), e.From.Key)
}

// listed names some files of a stick, in quotes since anything may be in their names.
func listed(names []string) string {
	const most = 5
	var b strings.Builder
	for i, name := range names[:min(most, len(names))] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
	}
	if more := len(names) - most; more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

func quote(s string) string { return fmt.Sprintf("%q", short(s)) }

func short(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
