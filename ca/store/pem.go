package store

import (
	"encoding/pem"

	"github.com/ftsca/ftsca/crl"
)

// readPEM returns the blocks of a file as openRegular opens it, of the kinds that are wanted; none where it cannot be
// read. Of a long list it holds what is in it, and never the text.
func readPEM(path string, wanted func(kind string) bool) []*pem.Block {
	f, size, err := openRegular(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if blocks, err := crl.ReadBlocks(f, size, wanted); err == nil {
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
