package crl

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
)

// errPEM says that a text is for [pem.Decode] to judge.
var errPEM = errors.New("it is no plain PEM")

// ReadBlocks reads the PEM blocks of the kinds that are wanted, to the end of a text of about size octets, without ever
// holding that: of a long list it holds what is in it alone. The error says that the text cannot be read, or that a block
// has headers or is broken, as none of an authority's is; what there is to be had of it, [pem.Decode] knows.
func ReadBlocks(from io.Reader, size int64, wanted func(kind string) bool) (blocks []*pem.Block, err error) {
	for text := bufio.NewReader(from); ; {
		line, err := text.ReadSlice('\n')
		if kind, ok := bytes.CutPrefix(line, []byte("-----BEGIN ")); ok {
			kind, ok := bytes.CutSuffix(trimLine(kind), []byte("-----"))
			if !ok || err != nil {
				return nil, errPEM
			}
			block := &pem.Block{Type: string(kind)}
			body := &bodyPEM{text: text, end: "-----END " + block.Type + "-----"}
			content := io.Discard
			var b bytes.Buffer
			if wanted(block.Type) {
				// Of a short file, this is too much by little; of a long one, one block is almost all.
				b.Grow(int(size/4*3) + bytes.MinRead)
				content = &b
			}
			if _, err := io.Copy(content, base64.NewDecoder(base64.StdEncoding, body)); err != nil || !body.ended {
				return nil, errPEM
			}
			if block.Bytes = b.Bytes(); content == &b {
				blocks = append(blocks, block)
			}
			continue
		}
		switch {
		case err == io.EOF:
			return blocks, nil
		case err != nil || bytes.Contains(line, []byte("-----")):
			return nil, errPEM
		}
	}
}

// bodyPEM reads the lines of a block up to its end.
type bodyPEM struct {
	text  *bufio.Reader
	end   string
	line  []byte // what is left of the last
	ended bool
}

func (b *bodyPEM) Read(p []byte) (n int, err error) {
	for len(b.line) == 0 {
		if b.ended {
			return 0, io.EOF
		}
		if b.line, err = b.text.ReadSlice('\n'); err != nil && err != io.EOF {
			return 0, errPEM
		}
		b.line = trimLine(b.line)
		switch {
		case string(b.line) == b.end:
			b.line, b.ended = nil, true
		case err != nil:
			return 0, errPEM
		}
	}
	n = copy(p, b.line)
	b.line = b.line[n:]
	return n, nil
}

// trimLine takes off a line's end, and blanks before it, as [pem.Decode] does.
func trimLine(line []byte) []byte {
	if of, ended := bytes.CutSuffix(line, []byte("\n")); ended {
		line = bytes.TrimSuffix(of, []byte("\r"))
	}
	return bytes.TrimRight(line, " \t")
}
