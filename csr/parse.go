package csr

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	maxFile     = 1 << 20
	maxRequests = 1000
	maxRequest  = 32 << 10 // one of RSA-8192 with a hundred names has 5 KiB
)

var errNeither = errors.New("it is no request in PEM, DER or base64")

// Parse reads every request in a file of at most 1 MiB: PEM with up to 1000 blocks "CERTIFICATE REQUEST" or "NEW
// CERTIFICATE REQUEST", between which anything else may stand, or one request in DER or in base64 without banners, which
// is what ATAK 5.5 sends. A request has at most 32 KiB and 100 alternative names.
//
// One request that cannot be taken is an error for all; where there are several, it tells the number and the line. A
// request is refused that is not signed by its own key, or with something weaker than SHA-1; whose key is weak; whose
// name or alternative names cannot stand in a certificate; that could be read in two ways, as one with two common names
// or two lists of extensions; and one with anything behind its end. Nothing that a request asks for is passed over in
// silence: what is not an error and is not taken stands in [Foreign.NotTaken].
func Parse(data []byte) ([]Foreign, error) {
	pieces, err := split(data)
	if err != nil {
		return nil, err
	}
	all := make([]Foreign, 0, len(pieces))
	for i, p := range pieces {
		f, err := read(p.der)
		if err != nil && len(pieces) > 1 {
			err = fmt.Errorf("request %d, in line %d: %w", i+1, p.line, err)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// piece is one request in a file.
type piece struct {
	der  []byte
	line int // in which its PEM block begins
}

func split(data []byte) ([]piece, error) {
	switch {
	case len(data) > maxFile:
		return nil, fmt.Errorf("a file of more than %d bytes holds no requests", maxFile)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("there is nothing in it")
	// No request is so short that its length fits into one byte, so no text begins like one: the second byte is not ASCII.
	case len(data) > 1 && data[0] == 0x30 && data[1] >= 0x80:
		return []piece{{der: data}}, nil
	case bytes.Contains(data, []byte(begin)):
		return blocks(data)
	}
	der, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(string(bytes.TrimPrefix(data, bom))), ""))
	if err != nil || len(der) == 0 || der[0] != 0x30 {
		return nil, errNeither
	}
	return []piece{{der: der}}, nil
}

// begin stands before the label of a PEM block.
const begin = "-----BEGIN "

// bom is what some editors put before a text.
var bom = []byte("\ufeff")

// blocks finds the requests in PEM. It looks for each beginning by itself, since pem.Decode passes over a block that is
// damaged, and a request that is missing must be noticed.
func blocks(data []byte) ([]piece, error) {
	var pieces []piece
	other, line := "", 1
	for {
		at := bytes.Index(data, []byte(begin))
		if at < 0 {
			break
		}
		line += bytes.Count(data[:at], []byte{'\n'})
		data = data[at:]
		end := bytes.Index(data[len(begin):], []byte(begin))
		chunk := data
		if end >= 0 {
			chunk = data[:len(begin)+end]
		}
		head, _, _ := bytes.Cut(chunk[len(begin):], []byte{'\n'})
		if label := strings.TrimRight(string(head), "- \t\r"); label == pemType || label == oldPEMType {
			block, _ := pem.Decode(chunk)
			switch {
			case block == nil:
				return nil, fmt.Errorf("the PEM block in line %d is damaged or breaks off", line)
			case len(pieces) == maxRequests:
				return nil, fmt.Errorf("more than %d requests are too many for one file", maxRequests)
			}
			pieces = append(pieces, piece{der: block.Bytes, line: line})
		} else {
			other = label
		}
		line += bytes.Count(chunk, []byte{'\n'})
		data = data[len(chunk):]
	}
	if len(pieces) == 0 {
		return nil, fmt.Errorf("it holds a PEM block %s and no request", quoted(other))
	}
	return pieces, nil
}
