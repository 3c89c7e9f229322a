package crl_test

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/crl"
)

func all(string) bool { return true }

func TestReadBlocksReadsThoseThatAreWanted(t *testing.T) {
	list, cert := crl.EncodePEM([]byte("a list")), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("a certificate")})
	text := string(cert) + "words between\n" + string(list) + string(cert)
	blocks, err := crl.ReadBlocks(strings.NewReader(text), int64(len(text)), func(kind string) bool { return kind == "CERTIFICATE" })
	if err != nil || len(blocks) != 2 || string(blocks[1].Bytes) != "a certificate" || blocks[0].Type != "CERTIFICATE" {
		t.Errorf("%v, %v", blocks, err)
	}
}

// What it takes, encoding/pem takes, and reads the same of it.
func FuzzReadBlocks(f *testing.F) {
	list := string(crl.EncodePEM([]byte("a list")))
	for _, seed := range []string{
		"", "no blocks", list, list + list, strings.ReplaceAll(list, "\n", "\r\n"), strings.TrimSuffix(list, "\n"), list[:20], "-----\n" + list,
		strings.Replace(list, "-----\n", "-----\nKey: value\n\n", 1), strings.Replace(list, "END", "BEGIN", 1) + list, "x" + list,
		strings.ReplaceAll(list, "\n", " \t\n"), "-----BEGIN X-----\n-----END X-----\n", "-----BEGIN X-----\nYQ==\n-----END X-----\r", "-----BEGIN -----\n-----END -----\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		blocks, err := crl.ReadBlocks(bytes.NewReader(text), int64(len(text)), all)
		if err != nil {
			return
		}
		rest := text
		for i, b := range blocks {
			var want *pem.Block
			if want, rest = pem.Decode(rest); want == nil || want.Type != b.Type || !bytes.Equal(want.Bytes, b.Bytes) {
				t.Fatalf("block %d is %q of %q, and encoding/pem reads %v", i, b.Type, b.Bytes, want)
			}
		}
		if more, _ := pem.Decode(rest); more != nil {
			t.Fatalf("encoding/pem reads another block, %q", more.Type)
		}
	})
}
