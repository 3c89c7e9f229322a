package check

import (
	"bytes"
	"slices"

	"github.com/ftsca/ftsca/pkcs12"
)

// strays looks at the files that the preferences do not name: a key may lie among them.
func (d *device) strays() {
	for _, f := range slices.Concat(d.stored, d.left) {
		if !f.read || d.used[f.file] {
			continue
		}
		if bytes.Contains(f.data, []byte("PRIVATE KEY-----")) {
			d.say(all(Refusal), "stray-key", f.where, "a private key in PEM lies in the package, and no device reads "+
				"it: take it out")
		}
		if ends(f.name, ".p12") || ends(f.name, ".pfx") {
			d.stray(f)
		}
	}
}

func (d *device) stray(f stored) {
	d.say(levels{Warning, Warning, Warning, Warning}, "file-unused", f.where, "no connection uses it; iTAK takes it "+
		"for one more trust store")
	for _, password := range slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(d.passwords), fallback)))) {
		b := d.keyring.open(f.file, password)
		if b.formErr != nil || b.spared != "" || b.err != nil {
			continue
		}
		if b.hasKey && b.identityErr == nil && (isAuthority(b.identity.Certificate) || isServer(b.identity.Certificate)) {
			d.say(all(Refusal), "stray-key", f.where, "the private key of %s lies in the package: whoever has it can "+
				"pass for a server or issue certificates", pkcs12.Describe(b.identity.Certificate))
		}
		return
	}
}
