package check

import (
	"slices"
	"time"

	"github.com/ftsca/ftsca/internal/secret"
)

// Options says how a package is looked at.
type Options struct {
	// Families are those whose devices are played, in the order of the report; none stands for all.
	Families []Family
	// Now is the time at which certificates are judged. Zero: the system's.
	Now time.Time
	// Password opens the .p12 files for which the preferences have none, as its user would on the device. Zero: such
	// files stay closed.
	Password secret.Secret
}

// Package reads a package as each family does. Whatever is the matter with it, up to data that is no zip at all, is a
// finding; the error is about a family that is not known.
//
// What the package may cost is bounded: 64 MiB and 1024 entries of zip, 32 MiB unpacked in all, one package within
// another, 16 connections, 8 .pref files, and 24 openings of .p12 files, which end when a million rounds of key derivation
// are asked for, or five seconds are gone. What lies beyond is said and not looked at. But for those five seconds, the same
// package, options and Now give the same report.
func Package(data []byte, o Options) (Report, error) {
	families := o.Families
	if len(families) == 0 {
		families = Families()
	}
	for _, f := range families {
		if _, err := ParseFamily(string(f)); err != nil {
			return Report{}, err
		}
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	c := open(data)
	keyring := newKeyring()
	var r Report
	for i, f := range families {
		if slices.Contains(families[:i], f) {
			continue
		}
		d := &device{family: f, now: o.Now, given: o.Password, keyring: keyring}
		d.verdict.Family = f
		d.look(c)
		r.Verdicts = append(r.Verdicts, d.verdict)
	}
	return r, nil
}
