package reload

import (
	"crypto"
	"crypto/x509"
	"hash/maphash"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/mtls"
)

// The names of the files of the folder that are read.
const (
	serverCertificate = "server.pem"       // leaf, then the issuing CA
	serverKey         = "server.key"       // read by Files.LoadKey
	authorityBundle   = "ca.pem"           // CAs, and signed lists
	jsonList          = "FTS_CRL.json"     // the list that people edit
	signedList        = "FTS_CRL.pem"      // X.509 lists
	lastGoodList      = ".FTS_CRL.last"    // in the form of FTS_CRL.json; hands off
	removedList       = ".FTS_CRL.removed" // in the same form; hands off
	groupsFile        = "groups.yaml"      // need not be there
)

// Files is the endpoint's folder.
type Files struct {
	// Dir is the folder.
	Dir string
	// LoadKey reads the server's private key. It is called again whenever the file changes.
	LoadKey func(path string) (crypto.Signer, error)
	// Lists are files with further X.509 lists, in PEM or DER, by absolute path. Nil: none.
	Lists []string
	// StaleLists has Load take further lists that are past their nextUpdate, with a warning.
	StaleLists bool
}

// Report tells about what was loaded.
type Report struct {
	// Entries are the revocations in force. They belong to the Report; the caller does not change them.
	Entries []crl.Entry
	// Vanished are those in force that FTS_CRL.json does not have, or no longer has.
	Vanished []crl.Entry
	// Warnings say what was passed over and what will be a trouble, one sentence each.
	Warnings []string
	// Groups are those that groups.yaml puts each name into, sorted, each once; nil where there is no such file. They belong
	// to the Report; the caller does not change them. The map is another one only where what it says has changed.
	Groups map[string][]string
	// Lists are the signed lists of FTS_CRL.pem and ca.pem whose entries are in force.
	Lists []SignedList
	// Broken are the faults of the parts that could not be loaded, and have kept what they said before. Load returns
	// such a fault as its error instead.
	Broken []error

	loader   *loader
	unsigned unsigned
}

// SignedList is an X.509 revocation list.
type SignedList struct {
	Authority string    // common name of the CA that signed it
	Issuer    string    // its key identifier
	Made      time.Time // thisUpdate
	Next      time.Time // nextUpdate; zero when it has none
}

// Load reads the folder once. now decides whether the server's certificate is in date, and is the trust's Loaded;
// seen are revocations that stay in force whatever the folder says, nil for none.
//
// The issuers of the trust are the CAs of ca.pem that are not self-signed; where all are, all of them. One that the
// signed list of the CA above it revokes is left out, with a warning.
//
// In force is every entry of FTS_CRL.json, .FTS_CRL.last and the X.509 lists in FTS_CRL.pem and ca.pem. An X.509 list
// has to be signed by a CA of ca.pem; it counts also when it is older than its nextUpdate, since to forget a revocation
// would be worse. What .FTS_CRL.removed has, ftsca crl remove took off the list: no X.509 list keeps it in force that
// dates it earlier. What cannot be read of .FTS_CRL.last, .FTS_CRL.removed and the X.509 lists is a warning.
//
// Further lists count beside all of that, whatever was removed. They have to be signed by a CA of ca.pem too, and to be
// in date.
//
// groups.yaml says who is in which group ([groups.Parse]), if it is there.
//
// It is an error when server.pem, server.key, ca.pem, FTS_CRL.json or a further list is missing or cannot be used, or
// groups.yaml is there and cannot be used. The errors are a *[ListError] for FTS_CRL.json, a *[GivenError] or a
// *[StaleError] for a further list, a *[GroupsError] for groups.yaml, else what was wrong, with the name of the file.
func (f Files) Load(now time.Time, seen []crl.Entry) (*mtls.Trust, Report, error) {
	l := newLoader(f, seen)
	l.look(now, everyFile)
	for _, p := range l.parts() {
		if p.err != nil {
			return nil, Report{}, p.err
		}
	}
	for _, given := range l.list.given {
		if err := given.check(now, f.StaleLists); err != nil {
			return nil, Report{}, err
		}
	}
	l.members.take()
	trust, report := l.picture(now)
	return trust, report, nil
}

// Reopen tells whether each file that Load has read can be opened again, for a process that has given up access to others
// since: a link that leads out of the folder would be seen to be one when it changes, and no sooner. The error is that of
// opening the first file that cannot be.
func (f Files) Reopen() error {
	paths := slices.Clone(f.Lists)
	for _, name := range f.inFolder() {
		paths = append(paths, filepath.Join(f.Dir, name))
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue // it is gone, or none that Load opens
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		_ = file.Close()
	}
	return nil
}

// loader remembers what the folder said, between one look and the next.
type loader struct {
	files   Files
	sources map[string]*source

	identity  identity
	authority authority
	list      list
	members   membership
}

// partCount is the number of parts that are loaded independently.
const partCount = 4

// part is one of them.
type part struct {
	err error  // nil when the part is whole
	key string // tells one fault from another: the content and what is wrong with it

	touched bool // somebody wrote since the look before
}

// fault notes what is wrong with the part, or, with a nil error, that nothing is.
func (p *part) fault(err error, files ...*source) {
	p.err, p.key = err, ""
	if err == nil {
		return
	}
	for _, s := range files {
		p.key += string(s.sum[:])
	}
	p.key += err.Error()
}

func newLoader(f Files, seen []crl.Entry) *loader {
	l := &loader{files: f, sources: map[string]*source{}}
	for _, name := range f.inFolder() {
		l.sources[name] = &source{path: filepath.Join(f.Dir, name)}
	}
	for _, path := range f.Lists {
		l.sources[path] = &source{path: path}
		l.list.given = append(l.list.given, &givenList{path: path})
	}
	l.list.inForce, l.list.seed = slices.Clone(seen), maphash.MakeSeed()
	return l
}

// inFolder are the files of the folder that a look reads.
func (f Files) inFolder() []string {
	return []string{serverCertificate, serverKey, authorityBundle, jsonList, signedList, lastGoodList, removedList, groupsFile}
}

func everyFile(string) bool { return true }

func (l *loader) parts() [partCount]*part {
	return [...]*part{&l.list.part, &l.authority.part, &l.identity.part, &l.members.part}
}

// look takes in what has changed and returns whether the trust, or what there is to warn of, is another one now; groups are
// read, and wait to be taken. force tells of a file whether it is to be read though it seems unchanged.
func (l *loader) look(now time.Time, force func(name string) bool) (changed bool) {
	read := func(name string) *source {
		s := l.sources[name]
		s.read(force(name))
		return s
	}
	// The files may be large, so one at a time is held in memory.
	identity := l.identity.load(l.files.LoadKey, read(serverCertificate), read(serverKey), now)
	bundle := read(authorityBundle)
	authorities, warned := l.authority.load(bundle)
	bundle.forget()
	list := l.list.load(read, bundle, &l.authority, authorities)
	l.members.load(read(groupsFile))
	return identity || authorities || warned || list
}

// picture is what was good at the last look or before. It has no Broken, which is for those who have a before.
func (l *loader) picture(now time.Time) (*mtls.Trust, Report) {
	issuers, revoked := l.issuers()
	trust := &mtls.Trust{
		Certificate: l.identity.certificate,
		Issuers:     issuers,
		Revocations: l.list.checker,
		Loaded:      now,
	}
	warnings := slices.Concat(l.authority.warnings, revoked, expired(issuers, now),
		l.list.warnings(now), ownRevoked(trust, l.authority.cas, l.list.checker))
	return trust, Report{Entries: l.list.inForce, Vanished: crl.Missing(l.list.givenEntries, l.list.vanished), Warnings: warnings,
		Groups: l.members.inForce, Lists: l.list.signedLists(), loader: l,
		unsigned: l.list.unsigned(l.authority.cas)}
}

// ownRevoked warns of a server that shows a revoked certificate: no client looks, but somebody meant something by it.
func ownRevoked(trust *mtls.Trust, cas []*x509.Certificate, checker *crl.Checker) []string {
	leaf := trust.Certificate.Leaf
	for _, ca := range cas {
		if leaf.CheckSignatureFrom(ca) == nil && checker.Revoked(ca, leaf.SerialNumber) {
			return []string{"the server's own certificate is revoked; it is shown to clients all the same"}
		}
	}
	return nil
}
