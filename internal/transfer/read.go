package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Read reads the request or the answer in a folder, and returns its manifest, the contents of its items in their order
// (nil where one is refused), and the SHA-256 of the manifest's text. It changes nothing. With an error it returns
// nothing of them; the error wraps
//
//   - a *[NoneError] where there is none;
//   - an *[UnfinishedError], an *[ExtraError], or a *[MissingError] where the folder has less or more than the manifest
//     says, or than that of the other kind beside it;
//   - a *[TamperedError] where a size or a sum differs, or a file is no regular file;
//   - a *[FormError] or a *[NewerError] where a manifest, be it of the other kind, cannot be taken;
//   - or the system's error.
//
// What is left of the other kind's files while that has no manifest is passed over: a signer that was killed while it
// wrote its answer can read the request again. Whether an answer is to the right request, [CheckAnswer] tells.
func Read(dir string, kind Kind) (m Manifest, contents [][]byte, sum [32]byte, err error) {
	f, err := open(dir)
	if err == nil {
		defer f.Close()
		m, contents, sum, err = f.transfer(kind)
	}
	if err != nil {
		return Manifest{}, nil, [32]byte{}, fmt.Errorf("reading the %s in %s: %w", kind, dir, err)
	}
	return m, contents, sum, nil
}

func (f *folder) transfer(kind Kind) (Manifest, [][]byte, [32]byte, error) {
	m, data, err := f.complete(kind)
	if err != nil {
		return Manifest{}, nil, [32]byte{}, err
	}
	contents := make([][]byte, len(m.Items))
	for i, it := range m.Items {
		if it.Refused != "" {
			continue
		}
		if contents[i], err = f.content(it); err != nil {
			return Manifest{}, nil, [32]byte{}, err
		}
	}
	return m, contents, sha256.Sum256(data), nil
}

// complete reads a manifest of a folder that has no file too many.
func (f *folder) complete(kind Kind) (Manifest, []byte, error) {
	if left := f.unnamed(kind, Manifest{}); !f.manifests[kind] && len(left) > 0 {
		return Manifest{}, nil, &UnfinishedError{kind, left}
	}
	m, data, err := f.manifest(kind)
	if err != nil {
		return Manifest{}, nil, err
	}
	if err := f.foreign(); err != nil {
		return Manifest{}, nil, err
	}
	if left := f.unnamed(kind, m); len(left) > 0 {
		return Manifest{}, nil, &UnfinishedError{kind, left}
	}
	other := Request
	if kind == Request {
		other = Answer
	}
	if f.manifests[other] {
		beside, _, err := f.manifest(other)
		if err != nil {
			return Manifest{}, nil, err
		}
		if left := f.unnamed(other, beside); len(left) > 0 {
			return Manifest{}, nil, &UnfinishedError{other, left}
		}
	}
	return m, data, nil
}

// content reads an item's file, which has to be the one that the manifest names.
func (f *folder) content(it Item) ([]byte, error) {
	data, err := f.read(it.File, MaxItem)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != it.Size {
		return nil, &TamperedError{it.File, fmt.Sprintf("it has %d octets, not %d", len(data), it.Size)}
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != it.SHA256 {
		return nil, &TamperedError{it.File, fmt.Sprintf("its SHA-256 is %x, not %s", sum, it.SHA256)}
	}
	return data, nil
}
