package reload_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/reload"
	"github.com/ftsca/ftsca/internal/testpki"
)

// given is a folder with a further list beside it.
type given struct {
	*folder
	list string
}

func newGiven(t *testing.T, data []byte) given {
	g := given{newFolder(t), filepath.Join(t.TempDir(), "other.crl")}
	g.put(data)
	return g
}

func (g given) put(data []byte) {
	g.t.Helper()
	if err := os.WriteFile(g.list, data, 0o644); err != nil {
		g.t.Fatal(err)
	}
}

func (g given) files() reload.Files {
	files := g.folder.files()
	files.Lists = []string{g.list}
	return files
}

func TestFurtherListCountsBesideTheStoresOwn(t *testing.T) {
	g := newGiven(t, nil)
	g.write("FTS_CRL.json", jsonOf(g.alice))
	for form, data := range map[string][]byte{
		"PEM": signedBy(t, g.issuing, nextYear, g.bob),
		"PEM behind certificates, as FreeTAKServer has it": append(testpki.CertPEM(g.issuing.Cert), signedBy(t, g.issuing, nextYear, g.bob)...),
		"DER": derOf(t, signedBy(t, g.issuing, nextYear, g.bob)),
	} {
		g.put(data)
		trust, report, err := g.files().Load(time.Now(), nil)
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		g.mustJudge(trust, g.alice, g.bob)
		if len(report.Vanished) > 0 {
			t.Errorf("%s: %s is said to have vanished from FTS_CRL.json", form, serials(report.Vanished))
		}
		mustWarn(t, report)
	}
}

func TestFurtherListThatCannotBeReliedOnIsAReasonNotToStart(t *testing.T) {
	g := newGiven(t, nil)
	due := time.Date(2021, 1, 2, 3, 4, 5, 0, time.UTC)
	stranger := testpki.NewRoot(t, "Elsewhere")
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":   {nil, "the further revocation list LIST cannot be used: it is empty"},
		"foreign": {signedBy(t, stranger, nextYear, g.bob), "the further revocation list LIST cannot be used: none of the CAs in ca.pem signed it"},
		"stale":   {signedBy(t, g.issuing, due, g.bob), "the further revocation list LIST was due for renewal at 2021-01-02T03:04:05Z: nobody knows who was revoked since"},
		"one of two": {append(signedBy(t, g.issuing, nextYear, g.bob), signedBy(t, stranger, nextYear)...),
			"the further revocation list LIST cannot be used: none of the CAs in ca.pem signed it"},
	} {
		g.put(test.data)
		if _, _, err := g.files().Load(time.Now(), nil); err == nil || strings.ReplaceAll(err.Error(), g.list, "LIST") != test.want {
			t.Errorf("%s: got  %v\nwant %s", name, err, test.want)
		}
	}
	g.put(jsonOf(g.bob))
	var refused *reload.GivenError
	if _, _, err := g.files().Load(time.Now(), nil); !errors.As(err, &refused) || refused.Path != g.list {
		t.Errorf("a list in JSON: %v", err)
	}
	if err := os.Remove(g.list); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.files().Load(time.Now(), nil); !errors.As(err, &refused) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing list: %v", err)
	}
}

func TestStaleFurtherListIsTakenWhereThatIsAsked(t *testing.T) {
	g := newGiven(t, nil)
	g.put(signedBy(t, g.issuing, time.Date(2021, 1, 2, 3, 4, 5, 0, time.UTC), g.bob))
	files := g.files()
	files.StaleLists = true
	trust, report, err := files.Load(time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	g.mustJudge(trust, g.bob)
	if len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0], "was due for renewal at 2021-01-02T03:04:05Z") {
		t.Errorf("warned of %q", report.Warnings)
	}
}

func TestFurtherListIsFollowed(t *testing.T) {
	g := newGiven(t, nil)
	g.put(signedBy(t, g.issuing, nextYear))
	trust, report, err := g.files().Load(time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := followFrom(g.folder, false, trust, report)
	g.put(signedBy(t, g.issuing, nextYear, g.bob))
	w.untilRevoked(g.bob)

	// Whatever becomes of the file, what it revoked stays revoked, and the store's own list goes on.
	g.put([]byte("garbage"))
	w.until("the fault is told", func() bool {
		return slices.ContainsFunc(w.report.Warnings, func(s string) bool { return strings.HasPrefix(s, "the further revocation list") })
	})
	w.write("FTS_CRL.json", jsonOf(g.alice))
	w.untilRevoked(g.alice, g.bob)
	if err := os.Remove(g.list); err != nil {
		t.Fatal(err)
	}
	w.write("FTS_CRL.json", jsonOf(g.alice, g.carol))
	w.untilRevoked(g.alice, g.bob, g.carol)
}

func TestRemovalFromTheStoresListReleasesNobodyFromAFurtherOne(t *testing.T) {
	g := newGiven(t, nil)
	g.put(signedBy(t, g.issuing, nextYear, g.bob))
	g.write("FTS_CRL.json", jsonOf(g.alice, g.bob)) // for every issuer, which covers the further list's entry
	trust, report, err := g.files().Load(time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := followFrom(g.folder, false, trust, report)
	w.untilRevoked(g.alice, g.bob)
	w.write("FTS_CRL.json", jsonOf())
	w.write(".FTS_CRL.removed", removedOf(time.Now(), g.alice, g.bob))
	w.untilRevoked(g.bob)
}
