package store

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
)

// readPEM returns the blocks of a file as openRegular opens it, of the kinds that are wanted; none where it cannot be
// read. Of a long list it holds what is in it, and never the text.
func readPEM(path string, wanted func(kind string) bool) []*pem.Block {
	f, size, err := openRegular(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if blocks, err := plainPEM(bufio.NewReader(f), size, wanted); err == nil {
		return blocks
	}
	data, err := readRegular(path)
	if err != nil {
		return nil
	}
	var blocks []*pem.Block
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if wanted(block.Type) {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// errPEM says that a text is for [pem.Decode] to judge.
var errPEM = errors.New("it is no plain PEM")

// plainPEM reads blocks without headers, as all those of an authority are.
func plainPEM(text *bufio.Reader, size int64, wanted func(kind string) bool) (blocks []*pem.Block, err error) {
	for {
		line, err := text.ReadSlice('\n')
		if kind, ok := bytes.CutPrefix(line, []byte("-----BEGIN ")); ok {
			kind, ok := bytes.CutSuffix(bytes.TrimRight(kind, " \t\r\n"), []byte("-----"))
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
		b.line = bytes.TrimRight(b.line, " \t\r\n")
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
