package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca/store"
)

// kills is how often a command is killed. FTSCA_KILLS sets another number, for a long search.
func kills(t testing.TB) int {
	if n, err := strconv.Atoi(os.Getenv("FTSCA_KILLS")); err == nil {
		return n
	}
	if testing.Short() || slowed() {
		return 4
	}
	return 12
}

// copyAs copies a folder with the modes of its files, as cp -a does, and returns an operator of the store in it. The
// folders around the store go with it: what was carried between machines lies there.
func copyAs(t testing.TB, from, store string) operator {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case rest == ".":
			return nil
		case d.IsDir():
			return os.Mkdir(filepath.Join(to, rest), info.Mode().Perm())
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rest), data, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
	return operator{t: t, store: filepath.Join(to, store)}
}

func (o operator) at(store string) operator {
	o.store = filepath.Join(filepath.Dir(o.store), store)
	return o
}

func (o operator) beside(name string) string { return filepath.Join(filepath.Dir(o.store), name) }

func (o operator) authorities() store.Authorities {
	o.t.Helper()
	s, err := store.Open(o.store, store.Options{Now: time.Now})
	if err != nil {
		o.t.Fatal(err)
	}
	a, err := s.Authorities(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

// A whole ceremony in one folder: the stores root, office, two (a root and an authority on one machine), pki (a single
// authority) and field (an endpoint), and what travels between them.
func newCeremony(t testing.TB) operator {
	t.Helper()
	o := operator{t: t, store: filepath.Join(t.TempDir(), "pki")}
	found := func(store string, args ...string) operator {
		s := o.at(store)
		s.must(append([]string{"init", "--no-passphrase", "--key", "ecdsa-p256"}, args...)...)
		return s
	}
	pki := found("pki", "--name", "CA")
	pki.must("issue", "server", "h.example.org", "--key", "ecdsa-p256")
	pki.must(pki.issue("alice")...)
	pki.must("csr", "new", "laptop", "--type", "client", "--key", "ecdsa-p256", "--out", filepath.Dir(o.store))
	two := found("two", "--name", "CA", "--two-tier")
	two.must(two.issue("alice")...)
	two.must("revoke", "alice")
	root := found("root", "--name", "Root", "--offline-root")
	office := found("office", "--name", "Office", "--issuing")
	request := filepath.Join(office.store, "authority", "ca.csr")
	words := wordsIn(office.must("transfer", "out", o.beside("card")))
	root.must("transfer", "sign", o.beside("card"), "--words", words, "--yes")
	root.must("csr", "sign", request, "--profile", "issuing", "--yes", "--new-generation", "--out", filepath.Dir(o.store))

	if err := os.CopyFS(o.beside("field/endpoint"), os.DirFS(filepath.Join(pki.store, "endpoint"))); err != nil {
		t.Fatal(err)
	}
	field := o.at("field")
	for _, name := range []string{"server.key", "server.pem"} {
		if err := os.Remove(filepath.Join(field.store, "endpoint", name)); err != nil {
			t.Fatal(err)
		}
	}
	field.must("csr", "new", "field.example.org", "--type", "server", "--key", "ecdsa-p256", "--out", filepath.Join(field.store, "endpoint"))
	field.must("transfer", "out", o.beside("stick"))
	pki.must("revoke", "alice")
	pki.must("transfer", "sign", o.beside("stick"), "--yes")
	pki.must(pki.issue("bob")...)
	return o
}

// wordsIn finds the ten words in what a transfer said.
func wordsIn(stdout string) string {
	_, words, _ := strings.Cut(stdout, "words ")
	words, _, _ = strings.Cut(words, "\n")
	return words
}

// glob returns the one file beside the stores that a pattern matches.
func (o operator) glob(pattern string) string {
	o.t.Helper()
	found, err := filepath.Glob(o.beside(pattern))
	if err != nil || len(found) != 1 {
		o.t.Fatalf("%s matches %v, %v", pattern, found, err)
	}
	return found[0]
}

func TestCommandsOnAuthoritiesKilledAtAnyMomentLeaveAWholeStore(t *testing.T) {
	template := newCeremony(t)
	ec := func(args ...string) []string { return append(args, "--key", "ecdsa-p256") }
	for _, tt := range []struct {
		name  string
		store string
		args  func(o operator) []string
		done  string           // what the command says when it is run again and was done already; "" where it may be run again
		mend  func(o operator) // what a person does then; nil is nothing
		check func(o operator) // what has to be so in the end
	}{
		{
			name: "ca renew", store: "pki",
			args: func(operator) []string { return []string{"ca", "renew", "--days", "4000"} },
		},
		{
			name: "ca renew below a root", store: "two",
			args: func(operator) []string { return []string{"ca", "renew"} },
		},
		{
			name: "ca renew of a root", store: "two",
			args: func(operator) []string { return []string{"ca", "renew", "--root"} },
		},
		{
			name: "ca rollover", store: "pki",
			args: func(operator) []string { return ec("ca", "rollover", "--name", "CA 2") },
			done: `the name "CA 2" is in use`,
			check: func(o operator) {
				if a := o.authorities(); a.Current.Subject.CommonName != "CA 2" || len(a.Earlier) != 1 {
					o.t.Errorf("%s issues, and there are %d earlier authorities", a.Current.Subject, len(a.Earlier))
				}
				o.must("renew", "bob")
			},
		},
		{
			name: "ca rollover below a root", store: "two",
			args: func(operator) []string { return ec("ca", "rollover", "--name", "CA 2") },
			done: `the name "CA 2" is in use`,
			mend: func(o operator) { o.must("crl", "sign") },
		},
		{
			name: "init --issuing", store: "new",
			args: func(operator) []string { return ec("init", "--name", "New", "--issuing", "--no-passphrase") },
			done: "is a store already",
			check: func(o operator) {
				if a := o.authorities(); a.Current != nil || a.Pending == nil {
					o.t.Errorf("the new store has %+v", a)
				}
			},
		},
		{
			name: "init --two-tier", store: "new",
			args: func(operator) []string { return ec("init", "--name", "New", "--two-tier", "--no-passphrase") },
			done: "is a store already",
		},
		{
			name: "init --complete", store: "office",
			args:  func(o operator) []string { return []string{"init", "--complete", o.beside("ca.pem"), "--yes"} },
			done:  "this store awaits no answer",
			check: installed,
		},
		{
			name: "transfer in, of an authority", store: "office",
			args: func(o operator) []string {
				card := o.beside("card")
				return []string{"transfer", "in", card, "--words", wordsIn(o.must("transfer", "in", card, "--dry-run"))}
			},
			check: installed,
		},
		{
			name: "transfer in, of an endpoint", store: "field",
			args: func(o operator) []string { return []string{"transfer", "in", o.beside("stick"), "--yes"} },
			check: func(o operator) {
				for _, name := range []string{"server.key", "server.pem"} {
					if _, err := os.Stat(filepath.Join(o.store, "endpoint", name)); err != nil {
						o.t.Error(err)
					}
				}
				if _, _, err := o.run("show", "alice"); err == nil {
					o.t.Error("alice is not revoked at the endpoint")
				}
			},
		},
		{
			name: "csr sign", store: "pki",
			args: func(o operator) []string { return []string{"csr", "sign", o.glob("laptop-*.csr"), "--yes"} },
			done: `is in use|is there already`,
			check: func(o operator) {
				if n := strings.Count(o.must("list", "--name", "laptop", "--csv"), "\n"); n != 2 {
					o.t.Errorf("laptop is on record %d times", n-1)
				}
			},
		},
		{
			name: "root detach", store: "two",
			args: func(o operator) []string { return []string{"root", "detach", "--to", o.beside("moved"), "--yes"} },
			done: `is a store already|the key of the root "CA Root" is not in this store`,
			mend: func(o operator) {
				if a := o.authorities(); a.HasKey(a.Roots[0]) {
					if err := os.RemoveAll(o.beside("moved")); err != nil {
						o.t.Fatal(err)
					}
					o.must("root", "detach", "--to", o.beside("moved"), "--yes")
				}
			},
			check: func(o operator) {
				o.at("moved").must("crl", "sign")
				o.at("moved").whole()
				if _, err := os.Stat(filepath.Join(o.store, "authority", "root.key")); err == nil {
					o.t.Error("the root's key is still here")
				}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := copyAs(t, filepath.Dir(template.store), tt.store)
			start := time.Now()
			o.must(tt.args(o)...)
			took := time.Since(start)
			again := 0
			for range kills(t) {
				o := copyAs(t, filepath.Dir(template.store), tt.store)
				o.killed(took, tt.args(o)...)
				if _, err := os.Stat(o.store); err == nil {
					o.must("list")
				}
				if out, talk, err := o.run(tt.args(o)...); err == nil {
					again++
				} else if tt.done == "" || !regexp.MustCompile(tt.done).MatchString(talk) {
					t.Fatalf("run again, ftsca %s: %v\n%s%s", strings.Join(tt.args(o), " "), err, out, talk)
				} else if tt.mend != nil {
					tt.mend(o)
				}
				if tt.store != "field" {
					a := o.authorities()
					if a.Current != nil {
						// Whatever issues completes what a kill left.
						o.must(o.issue("another")...)
						o.must("crl", "sign")
					} else {
						o.must("transfer", "out", o.beside("next"))
					}
					o.whole()
				}
				if tt.check != nil {
					tt.check(o)
				}
				if t.Failed() {
					t.Fatalf("the folder is left in %s", keep(t, filepath.Dir(o.store)))
				}
			}
			t.Logf("%d of %d were run again", again, kills(t))
		})
	}
}

// keep moves a folder away from where the test would remove it.
func keep(t testing.TB, dir string) string {
	to, err := os.MkdirTemp("", "ftsca-crash-")
	if err == nil {
		err = os.Rename(dir, filepath.Join(to, "kept"))
	}
	if err != nil {
		t.Error(err)
	}
	return to
}

func installed(o operator) {
	o.t.Helper()
	if a := o.authorities(); a.Current == nil || a.Pending != nil || len(a.Roots) != 1 {
		o.t.Errorf("the answer led to %+v", a)
	}
}
