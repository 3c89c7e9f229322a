package check

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/ftsca/ftsca/internal/secret"
	"github.com/ftsca/ftsca/pkcs12"
)

const (
	maxOpenings = 24
	maxRounds   = 1_000_000 // of key derivation, that can be seen before it is made
	// maxWork stops after a file that hid how much it asks for; package pkcs12 bounds what a single one may. It is no
	// matter of packages that people make: those take milliseconds.
	maxWork = 5 * time.Second
)

// keyring keeps what was opened, since the families open the same files, and bounds what opening costs.
type keyring struct {
	opened map[lock]*bundle
	rounds int
	work   time.Duration
}

type lock struct {
	file     *file
	password string
}

func newKeyring() *keyring { return &keyring{opened: map[lock]*bundle{}} }

// bundle is a .p12 file, opened.
type bundle struct {
	form    pkcs12.Form
	formErr error
	spared  string // why it was not opened, "" where it was

	anchors     []pkcs12.Anchor // where it holds no key
	identity    pkcs12.Identity // where it holds one
	hasKey      bool
	err         error
	identityErr error // where it holds keys and cannot be an identity

	// lost is the certificate that does not lead to a root, once it is known.
	lost   *x509.Certificate
	judged bool
}

func (k *keyring) open(f *file, password string) *bundle {
	l := lock{f, password}
	if b, ok := k.opened[l]; ok {
		return b
	}
	b := &bundle{}
	if len(k.opened) == maxOpenings {
		b.spared = "too many files and passwords: it was not opened"
		return b
	}
	k.opened[l] = b
	if b.form, b.formErr = pkcs12.Inspect(f.data); b.formErr != nil {
		return b
	}
	rounds := 0
	for _, n := range b.form.Rounds {
		rounds += n
	}
	switch {
	case b.form.MAC == "":
		b.spared = "no MAC"
		return b
	case k.rounds+rounds > maxRounds || k.work > maxWork:
		b.spared = "its key derivation takes long"
		return b
	}
	k.rounds += rounds
	started := time.Now()
	defer func() { k.work += time.Since(started) }()
	b.anchors, b.err = pkcs12.ReadTrustStore(f.data, password)
	if errors.Is(b.err, pkcs12.ErrKeyInside) {
		b.hasKey = true
		b.identity, b.identityErr = pkcs12.ReadIdentity(f.data, password)
		b.err = nil
	}
	return b
}

// opens tells whether a password opens a file.
func (k *keyring) opens(f *file, password string) bool {
	b := k.open(f, password)
	return b.formErr == nil && b.spared == "" && b.err == nil
}

// fallback is what ATAK 4.6 tries where the preferences have no password.
const fallback = "atakatak"

// unlock opens a file as the device does and says what stands in the way; nil where it stays closed.
func (d *device) unlock(r reference, f *stored) *bundle {
	password := r.secret
	if password == "" {
		d.say(levels{Refusal, Warning, Warning, Warning}, "password-missing", r.where, "%s is missing or empty: ATAK "+
			"5.5 does not connect then, ATAK 4.6 tries its old default, others ask their user or fail", r.passwordKey)
		if password = d.given.Reveal(); password == "" {
			if d.keyring.opens(f.file, fallback) {
				password = fallback
			}
		}
	}
	b := d.keyring.open(f.file, password)
	switch {
	case b.formErr != nil:
		d.say(all(Refusal), "p12-form", f.where, "it is no file that devices open: %v", b.formErr)
		return nil
	case b.spared == "no MAC":
		d.say(all(Warning), "p12-no-mac", f.where, "it has no MAC, so that nothing tells a wrong password: most "+
			"readers refuse it, and it was not opened here")
		return nil
	case b.spared != "":
		d.say(all(Warning), "p12-rounds", f.where, "it was not opened: %s (%s)", b.spared, b.form)
		return nil
	}
	d.judgeForm(f, b.form)
	switch {
	case password == "":
		return nil
	case b.err == pkcs12.ErrPassword: // one about a part of the file is wrapped, and the file is damaged then
		d.wrongPassword(r, f)
		return nil
	case b.err != nil:
		d.say(all(Refusal), "p12-damaged", f.where, "it is damaged: %v", b.err)
		return nil
	}
	if secret.FromString(r.secret).WellKnown() {
		d.say(all(Warning), "password-known", r.where, "%s is one that everybody tries first", r.passwordKey)
	}
	return b
}

func (d *device) wrongPassword(r reference, f *stored) {
	hint := "have the package made anew"
	switch {
	case slices.ContainsFunc(d.passwords, func(other string) bool { return other != r.secret && d.keyring.opens(f.file, other) }):
		hint = "another password of the preferences opens it: they were mixed up"
	case d.keyring.opens(f.file, fallback):
		hint = "it is the old default that opens it"
	case !d.given.IsZero() && d.keyring.opens(f.file, d.given.Reveal()):
		hint = "the password that you gave opens it: the preferences have another"
	}
	d.say(all(Refusal), "p12-password", f.where, "%s does not open it: the password is wrong, or the file was "+
		"altered since it was made; %s", r.passwordKey, hint)
}

// judgeForm judges the algorithms by what the family's readers know.
func (d *device) judgeForm(f *stored, form pkcs12.Form) {
	has := func(prefix string) bool {
		return slices.ContainsFunc(form.Ciphers, func(c string) bool { return strings.HasPrefix(c, prefix) })
	}
	if strings.HasPrefix(form.MAC, "PBMAC1") {
		d.say(all(Refusal), "p12-pbmac1", f.where, "its MAC is %s, which OpenSSL reads since 3.4 and no device is "+
			"known to: write it anew as ftsca p12 convert --p12 tak does", form.MAC)
	}
	if has("RC2") {
		d.say(levels{Warning, "", "", ""}, "p12-rc2", f.where, "it is encrypted with RC2, as OpenSSL's -legacy has "+
			"it: ATAK reads that only where the legacy part of OpenSSL 3 is at hand, which not every build has; "+
			"write it anew as ftsca p12 convert --p12 tak does")
	}
	switch {
	case has("AES"):
		d.say(all(Warning), "p12-aes", f.where, "it is of %s: Android before 10, ATAK's own Java code, older iOS "+
			"(error -25293) and Windows 10 before 1709 do not read it; "+
			"write it anew as ftsca p12 convert --p12 tak does", form)
	case form.MAC != "SHA-1" && !strings.HasPrefix(form.MAC, "PBMAC1"):
		d.say(all(Warning), "p12-mac", f.where, "its MAC is %s, which some Androids and older iOS refuse: SHA-1 is "+
			"read everywhere", form.MAC)
	}
}
