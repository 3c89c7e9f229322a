package store_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ftsca/ftsca/ca"
	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
)

func (d *desk) revoke(entries ...crl.Entry) store.Outcome {
	d.t.Helper()
	o, err := d.Revoke(d.t.Context(), entries, nil)
	if err != nil || len(o.Problems) > 0 {
		d.t.Fatal(err, o.Problems)
	}
	return o
}

func (d *desk) sign(how store.Signing) store.Publication {
	d.t.Helper()
	d.now = d.now.Add(time.Second)
	p, err := d.SignCRL(d.t.Context(), how, d.authority)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

func (d *desk) standing() store.Standing {
	d.t.Helper()
	st, err := d.Standing(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return st
}

// write puts a list in the place of FTS_CRL.json, as another hand does.
func (d *desk) write(name string, entries ...crl.Entry) {
	d.t.Helper()
	l := crl.NewList()
	for _, e := range entries {
		l.Add(e)
	}
	if err := os.WriteFile(filepath.Join(d.Endpoint(), name), l.Bytes(), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// signed are the serials of FTS_CRL.pem.
func (d *desk) signed() string {
	d.t.Helper()
	list, err := crl.ParseX509(d.read("endpoint/FTS_CRL.pem"))
	if err != nil {
		d.t.Fatal(err)
	}
	return serialsOf(list.Entries)
}

func serialsOf(entries []crl.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Serial.String())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func held(serial int64, at time.Time) crl.Entry {
	e := entryOf(serial, at)
	e.Reason = crl.CertificateHold
	return e
}

// want checks what is in force, vanished, waiting to be signed, and signed although it was removed.
func (d *desk) want(inForce, vanished, unsigned, dropped string) {
	d.t.Helper()
	st := d.standing()
	got := []string{serialsOf(st.InForce), serialsOf(st.Vanished), serialsOf(st.Unsigned), serialsOf(st.Dropped)}
	if want := []string{inForce, vanished, unsigned, dropped}; !slices.Equal(got, want) {
		d.t.Errorf("in force, vanished, unsigned and dropped are\n%q, want\n%q", got, want)
	}
}

func TestHoldIsReleasedEverywhere(t *testing.T) {
	d := newDesk(t)
	d.revoke(held(1, d.now), entryOf(2, d.now))
	d.sign(store.Signing{})
	d.want("01 02", "", "", "")
	o, err := d.Remove(t.Context(), []crl.Entry{held(1, d.now)}, map[crl.Serial]string{crl.SerialOf(big.NewInt(1)): "bob"}, false)
	if err != nil || serialsOf(o.Removed) != "01" {
		t.Fatalf("%+v, %v", o, err)
	}
	d.want("02", "", "", "01")
	for _, name := range []string{"FTS_CRL.json", ".FTS_CRL.last"} {
		if l, err := crl.Parse(d.read("endpoint/" + name)); err != nil || serialsOf(l.Entries()) != "02" {
			t.Errorf("%s has %v, %v", name, l.Entries(), err)
		}
	}
	if l, err := crl.Parse(d.read("endpoint/.FTS_CRL.removed")); err != nil || serialsOf(l.Entries()) != "01" {
		t.Errorf("the endpoint is told of %v, %v", l, err)
	}
	trail, err := d.Audit(t.Context())
	if last := trail[len(trail)-1]; err != nil || last.Act != "remove" || last.Serial != "01" || last.Name != "bob" || last.Detail != "was revoked for certificate_hold" {
		t.Errorf("the trail ends with %+v, %v", last, err)
	}
	d.sign(store.Signing{})
	d.want("02", "", "", "")
	if got := d.signed(); got != "02" {
		t.Errorf("signed are %q", got)
	}
	// Held again, it is in force again, and nobody is told of a removal any more.
	d.revoke(held(1, d.now))
	d.want("01 02", "", "01", "")
	if _, err := os.Stat(filepath.Join(d.Endpoint(), ".FTS_CRL.removed")); err == nil {
		t.Error("the endpoint is still told of a removal")
	}
}

func TestOnlyAHoldIsReleasedWithoutForce(t *testing.T) {
	d := newDesk(t)
	d.revoke(held(1, d.now), entryOf(2, d.now), entryOf(3, d.now), entryOf(4, d.now), entryOf(5, d.now))
	both := []crl.Entry{held(1, d.now), entryOf(2, d.now)}
	_, err := d.Remove(t.Context(), both, nil, false)
	var final *store.FinalError
	if !errors.As(err, &final) || err.Error() != "only a certificate_hold can be released (RFC 5280, 5.3.1), and this is final: 02 (key_compromise)" {
		t.Errorf("got %v", err)
	}
	d.want("01 02 03 04 05", "", "01 02 03 04 05", "")
	if _, err = d.Remove(t.Context(), d.standing().InForce, nil, false); err == nil || !strings.HasSuffix(err.Error(),
		"02 (key_compromise), 03 (key_compromise), 04 (key_compromise), and 1 more") && !strings.HasSuffix(err.Error(), "04 (key_compromise), 05 (key_compromise)") {
		t.Errorf("got %v", err)
	}
	if o, err := d.Remove(t.Context(), both, nil, true); err != nil || len(o.Removed) != 2 {
		t.Errorf("%+v, %v", o, err)
	}
	d.want("03 04 05", "", "03 04 05", "")
	if o, err := d.Remove(t.Context(), both, nil, true); err != nil || len(o.Removed) != 0 {
		t.Errorf("removed again: %+v, %v", o, err)
	}
}

func TestWhatVanishedStaysUntilItIsConfirmedOrPutBack(t *testing.T) {
	d := newDesk(t)
	d.revoke(held(1, d.now), entryOf(2, d.now), entryOf(3, d.now))
	d.sign(store.Signing{})
	d.write("FTS_CRL.json", entryOf(3, d.now))
	d.want("01 02 03", "01 02", "", "")
	trace := d.standing().Trace[crl.SerialOf(big.NewInt(2))]
	if trace.Act != "revoke" || trace.By != "tester" || trace.Time.IsZero() {
		t.Errorf("it was revoked by %+v", trace)
	}
	d.sign(store.Signing{})
	if got := d.signed(); got != "01 02 03" {
		t.Errorf("signing dropped what vanished: %q", got)
	}
	if _, err := d.Remove(t.Context(), []crl.Entry{held(1, d.now)}, nil, false); err != nil {
		t.Fatal(err)
	}
	d.want("02 03", "02", "", "01")
	if o, err := d.Restore(t.Context(), d.standing().Vanished); err != nil || serialsOf(o.Added) != "02" {
		t.Errorf("%+v, %v", o, err)
	}
	d.want("02 03", "", "", "01")
	trail, err := d.Audit(t.Context())
	if err != nil || trail[len(trail)-1].Act != "restore" {
		t.Errorf("the trail ends with %+v, %v", trail[len(trail)-1], err)
	}
	history, err := d.History(t.Context(), crl.SerialOf(big.NewInt(2)))
	if err != nil || len(history) != 2 || history[0].Act != "revoke" || history[1].Act != "restore" {
		t.Errorf("the history is %+v, %v", history, err)
	}
}

func TestSigningAcceptsRemovalsWhenItIsTold(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now), entryOf(2, d.now))
	d.sign(store.Signing{})
	d.write("FTS_CRL.json", entryOf(2, d.now))
	p := d.sign(store.Signing{AcceptRemovals: true})
	if serialsOf(p.Removed) != "01" || len(p.Vanished) != 0 || d.signed() != "02" {
		t.Errorf("%+v, signed are %q", p, d.signed())
	}
	d.want("02", "", "", "")
	trail, err := d.Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e := trail[len(trail)-2]; e.Act != "remove" || e.Serial != "01" || e.Detail != "was revoked for key_compromise, and it had vanished when the list was signed" {
		t.Errorf("the trail has %+v", e)
	}
}

// Even with every last good list gone, what is signed stays in force; with a forged list nobody is revoked.
func TestWhatIsSignedIsInForce(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now), entryOf(2, d.now))
	d.sign(store.Signing{})
	d.write("FTS_CRL.json", entryOf(1, d.now))
	d.write(".FTS_CRL.last", entryOf(1, d.now))
	d.want("01 02", "02", "", "")
	// On an endpoint without its authority too.
	carried := filepath.Join(t.TempDir(), "carried")
	if err := os.CopyFS(filepath.Join(carried, "endpoint"), os.DirFS(d.Endpoint())); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(carried, d.options())
	if err != nil {
		t.Fatal(err)
	}
	if st, err := s.Standing(t.Context()); err != nil || serialsOf(st.Vanished) != "02" || st.Trace != nil {
		t.Errorf("carried away: %+v, %v", st.Vanished, err)
	}
	if o, err := s.Remove(t.Context(), []crl.Entry{{Serial: crl.SerialOf(big.NewInt(2)), Issuer: crl.KeyID(d.authority.Certificate())}}, nil, true); err != nil || len(o.Removed) != 1 {
		t.Errorf("removing it there: %+v, %v", o, err)
	}
	if st, err := s.Standing(t.Context()); err != nil || serialsOf(st.InForce) != "01" || serialsOf(st.Dropped) != "02" {
		t.Errorf("carried away and removed: %+v, %v", st.InForce, err)
	}
	// A list that another authority signed says nothing here.
	other := newDesk(t)
	other.revoke(entryOf(9, d.now))
	other.sign(store.Signing{})
	if err := os.WriteFile(filepath.Join(d.Endpoint(), "FTS_CRL.pem"), other.read("endpoint/FTS_CRL.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	if st := d.standing(); strings.Contains(serialsOf(st.InForce), "09") {
		t.Errorf("a foreign list revokes: %v", st.InForce)
	}
}

func TestHoldIsHardened(t *testing.T) {
	d := newDesk(t)
	d.revoke(held(1, d.now), held(2, d.now))
	if o := d.revoke(held(1, d.now), entryOf(2, d.now)); serialsOf(o.Already) != "01" || serialsOf(o.Hardened) != "02" || len(o.Added) != 0 {
		t.Errorf("%+v", o)
	}
	_, err := d.Remove(t.Context(), []crl.Entry{held(2, d.now)}, nil, false)
	var final *store.FinalError
	if !errors.As(err, &final) {
		t.Errorf("it was released all the same: %v", err)
	}
	// A later hold does not soften it.
	d.revoke(held(2, d.now))
	for _, e := range d.standing().InForce {
		if e.Serial == crl.SerialOf(big.NewInt(2)) && e.Reason != crl.KeyCompromise {
			t.Errorf("its reason is %s", e.Reason)
		}
	}
}

func TestReasonIsChangedInEveryCopy(t *testing.T) {
	d := newDesk(t)
	d.revoke(held(1, d.now), entryOf(2, d.now))
	one, two := []crl.Entry{held(1, d.now)}, []crl.Entry{entryOf(2, d.now)}
	if o, err := d.SetReason(t.Context(), one, nil, crl.Superseded, false); err != nil || serialsOf(o.Changed) != "01" {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, name := range []string{"FTS_CRL.json", ".FTS_CRL.last"} {
		if l, err := crl.Parse(d.read("endpoint/" + name)); err != nil || l.Entries()[0].Reason != crl.Superseded {
			t.Errorf("%s has %v, %v", name, l.Entries(), err)
		}
	}
	d.write("FTS_CRL.json")
	if st := d.standing(); st.InForce[0].Reason != crl.Superseded {
		t.Errorf("the last good list has %v", st.InForce)
	}
	d.write("FTS_CRL.json", entryOf(1, d.now), entryOf(2, d.now))
	var final *store.FinalError
	if _, err := d.SetReason(t.Context(), two, nil, crl.CertificateHold, false); !errors.As(err, &final) {
		t.Errorf("a hold was made of what is final: %v", err)
	}
	if _, err := d.SetReason(t.Context(), two, nil, crl.CertificateHold, true); err != nil {
		t.Error(err)
	}
	if o, err := d.SetReason(t.Context(), two, nil, crl.CertificateHold, false); err != nil || len(o.Changed) != 0 {
		t.Errorf("nothing to change: %+v, %v", o, err)
	}
}

func TestEditsOtherThanRevocationsRefuseABrokenList(t *testing.T) {
	d := newDesk(t)
	d.revoke(held(1, d.now))
	broken := []byte(`{"revoked_certificates": [,]}`)
	if err := os.WriteFile(filepath.Join(d.Endpoint(), "FTS_CRL.json"), broken, 0o644); err != nil {
		t.Fatal(err)
	}
	var b *store.BrokenListError
	if _, err := d.Remove(t.Context(), []crl.Entry{held(1, d.now)}, nil, true); !errors.As(err, &b) {
		t.Errorf("remove: %v", err)
	}
	if _, err := d.SetReason(t.Context(), []crl.Entry{held(1, d.now)}, nil, crl.Superseded, true); !errors.As(err, &b) {
		t.Errorf("reason: %v", err)
	}
	if _, err := d.Format(t.Context()); !errors.As(err, &b) {
		t.Errorf("format: %v", err)
	}
	if !bytes.Equal(d.read("endpoint/FTS_CRL.json"), broken) {
		t.Error("the list was touched")
	}
}

func TestRemovalStoppedOnItsWayLeavesTheEntryInForce(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now), entryOf(2, d.now))
	// The list was written, and the ledger cannot be.
	whole := d.read("authority/ledger.db")
	if err := os.WriteFile(filepath.Join(d.dir, "authority/ledger.db"), whole[:5000], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Remove(t.Context(), []crl.Entry{entryOf(1, d.now)}, nil, true); err == nil {
		t.Error("removed without a ledger")
	}
	if err := os.WriteFile(filepath.Join(d.dir, "authority/ledger.db"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	d.write("FTS_CRL.json", entryOf(2, d.now))
	d.want("01 02", "01", "01 02", "")
	if _, err := d.Remove(t.Context(), []crl.Entry{entryOf(1, d.now)}, nil, true); err != nil {
		t.Error(err)
	}
	d.want("02", "", "02", "")
}

func TestEntryOfAnExpiredCertificateIsSignedOnceMore(t *testing.T) {
	d := newDesk(t)
	bob, err := d.authority.Issue(t.Context(), func() ca.Order { o := d.order("bob"); o.Days = 10; return o }())
	if err != nil {
		t.Fatal(err)
	}
	carol := d.issue("carol")
	of := func(e ca.Entry) crl.Entry {
		return crl.Entry{Serial: crl.SerialOf(e.Certificate.SerialNumber), Date: d.now, Reason: crl.Superseded}
	}
	both, one := serialsOf([]crl.Entry{of(bob), of(carol), entryOf(1, d.now)}), serialsOf([]crl.Entry{of(carol), entryOf(1, d.now)})
	d.revoke(of(bob), of(carol), entryOf(1, d.now))
	for _, step := range []struct {
		day  int
		want string
	}{{1, both}, {9, both}, {12, both}, {13, one}, {14, one}} {
		d.now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, step.day)
		d.sign(store.Signing{})
		if got := d.signed(); got != step.want {
			t.Errorf("on day %d signed are %q, want %q", step.day, got, step.want)
		}
		st := d.standing()
		if len(st.InForce) != 3 || len(st.Unsigned) != 0 || len(st.Vanished) != 0 {
			t.Errorf("on day %d, %d in force, %d unsigned, %d vanished", step.day, len(st.InForce), len(st.Unsigned), len(st.Vanished))
		}
	}
	if st := d.standing(); serialsOf(st.Lapsed) != serialsOf([]crl.Entry{of(bob)}) {
		t.Errorf("lapsed are %v", st.Lapsed)
	}
	if l, err := crl.Parse(d.read("endpoint/FTS_CRL.json")); err != nil || l.Len() != 3 {
		t.Errorf("the list has %d entries, %v", l.Len(), err)
	}
}

// A FreeTAKServer that signs on from a list of before a removal does not undo it.
func TestRemovedEntryIsNotReadBack(t *testing.T) {
	d := newDesk(t)
	d.revoke(held(1, d.now), entryOf(2, d.now))
	d.sign(store.Signing{})
	d.now = d.now.Add(time.Hour)
	if _, err := d.Remove(t.Context(), []crl.Entry{held(1, d.now)}, nil, false); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(time.Hour)
	theirs, _, err := d.authority.SignCRL(d.now.AddDate(0, 0, 2), []crl.Entry{held(1, d.now.Add(-2*time.Hour)), entryOf(2, d.now), entryOf(3, d.now)}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.authority.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(d.Endpoint(), "ca.pem"), append(block, theirs...), 0o644); err != nil {
		t.Fatal(err)
	}
	p := d.sign(store.Signing{})
	if serialsOf(p.Taken) != "03" || d.signed() != "02 03" {
		t.Errorf("taken are %q, signed are %q", serialsOf(p.Taken), d.signed())
	}
}

// Whatever number another program has published with the authority's key, ours come after it: who keeps the highest would
// pass over a lower one.
func TestNumbersRiseAboveWhatAnotherProgramPublished(t *testing.T) {
	d := newDesk(t)
	d.revoke(entryOf(1, d.now))
	d.sign(store.Signing{})
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.authority.Certificate().Raw})
	for n, name := range []string{"ca.pem", "FTS_CRL.pem"} {
		theirs, number, err := d.authority.SignCRL(d.now.AddDate(n+1, 0, 0), []crl.Entry{entryOf(1, d.now)}, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		file := theirs
		if name == "ca.pem" {
			file = append(bytes.Clone(ca), theirs...)
		}
		if err := os.WriteFile(filepath.Join(d.Endpoint(), name), file, 0o644); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			p := d.sign(store.Signing{})
			if p.Lists[0].Number.Cmp(number) <= 0 {
				t.Errorf("after %s in %s, ours has the number %s", number, name, p.Lists[0].Number)
			}
			number = p.Lists[0].Number
		}
	}
	// One by another key, and one that leaves no number above it, count for nothing.
	far := big.NewInt(d.now.AddDate(90, 0, 0).UnixNano())
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 8*20-1), big.NewInt(2))
	for _, theirs := range []struct {
		by    *desk
		above *big.Int
	}{{newDesk(t), far}, {d, most}} {
		list, number, err := theirs.by.authority.SignCRL(d.now, nil, theirs.above, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d.Endpoint(), "FTS_CRL.pem"), list, 0o644); err != nil {
			t.Fatal(err)
		}
		if p := d.sign(store.Signing{}); p.Lists[0].Number.Cmp(far) >= 0 {
			t.Errorf("after %s, which is not to count, ours has the number %s", number, p.Lists[0].Number)
		}
	}
}

// Ten revokes and a hand edit at once: whatever any of them wrote is in force, and can be put back into the file.
func TestTenRevokesAndAHandEditAtOnceLoseNothing(t *testing.T) {
	for name, write := range map[string]func(string, []byte) error{
		"in place": func(path string, data []byte) error { return os.WriteFile(path, data, 0o644) },
		"by rename": func(path string, data []byte) error {
			return errors.Join(os.WriteFile(path+".new", data, 0o644), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			path := filepath.Join(d.Endpoint(), "FTS_CRL.json")
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i := range 10 {
				s, err := store.Open(d.dir, d.options())
				if err != nil {
					t.Fatal(err)
				}
				wg.Go(func() {
					<-start
					// On a loaded machine some may have to go on without the lock, which they say.
					if _, err := s.Revoke(t.Context(), []crl.Entry{entryOf(int64(0x100+i), d.now)}, nil); err != nil {
						t.Errorf("revoking: %v", err)
					}
				})
			}
			wg.Go(func() {
				<-start
				for n := range 5 {
					var list map[string]any
					for {
						data, err := os.ReadFile(path)
						if err == nil && json.Unmarshal(data, &list) == nil {
							break
						}
					}
					list["note"] = fmt.Sprintf("edit %d", n)
					entries, _ := list["revoked_certificates"].([]any)
					list["revoked_certificates"] = append(entries, map[string]string{"serial_number": fmt.Sprintf("AA%02X", n), "reason": "compromised"})
					data, _ := json.MarshalIndent(list, "", "  ")
					if err := write(path, data); err != nil {
						t.Error(err)
					}
				}
			})
			close(start)
			wg.Wait()
			if o, err := d.Repair(t.Context()); err != nil || len(o.Problems) > 0 {
				t.Fatal(err, o.Problems)
			}
			l, err := crl.Parse(d.read("endpoint/FTS_CRL.json"))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 10 {
				if !l.Contains(crl.SerialOf(big.NewInt(int64(0x100+i))), "") {
					t.Errorf("revocation %d is lost", i)
				}
			}
			for n := range 5 {
				if !l.Contains(crl.SerialOf(big.NewInt(int64(0xaa00+n))), "") {
					t.Errorf("hand edit %d is lost", n)
				}
			}
			if !bytes.Contains(l.Bytes(), []byte(`"note"`)) {
				t.Error("the hand edits' note is lost")
			}
		})
	}
}
