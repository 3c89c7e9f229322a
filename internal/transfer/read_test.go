package transfer_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/testpki"
	"github.com/ftsca/ftsca/internal/transfer"
)

func TestWhatWasWrittenIsReadOnTheOtherSide(t *testing.T) {
	dir, asking := answered(t)
	still := unchanged(t, dir)
	for range 2 {
		mustRead(t, dir, request(1), texts)
		mustRead(t, dir, answer(t, asking), answers)
	}
	still()
}

func TestAFolderMadeElsewhereIsRead(t *testing.T) {
	// By the layout that is documented, and without our Write.
	dir := t.TempDir()
	for i, name := range []string{"request-00001-ca-request-f7dea474851248ff", "request-00002-certificate-request-90d02657372f2880",
		"request-00003-revocations-9a1d7f94cc681548"} {
		put(t, dir, name, string(texts[i]))
	}
	golden, err := os.ReadFile(filepath.Join("testdata", "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "request.json", string(golden))
	mustRead(t, dir, request(1), texts)
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	if err := mustRefuse(t, missing, transfer.Request, "reading the request in DIR: no such file or directory"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it is not fs.ErrNotExist")
	}
	err := mustRefuse(t, dir, transfer.Request, "reading the request in DIR: there is no request in it")
	if e, ok := errors.AsType[*transfer.NoneError](err); !ok || e.Kind != transfer.Request || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is %#v", err)
	}
	put(t, dir, "holiday.jpg", "")
	mustRefuse(t, dir, transfer.Request, "reading the request in DIR: there is no request in it")
	asking, _ := asked(t)
	mustRefuse(t, asking, transfer.Answer, "reading the answer in DIR: there is no answer in it")
	mustRefuse(t, filepath.Join(asking, "request.json"), transfer.Answer, "reading the answer in DIR: not a directory")
}

func TestNothingOfATamperedFolderIsTaken(t *testing.T) {
	asking := complete(t, request(1), texts)
	one, two, three := asking.Items[0].File, asking.Items[1].File, asking.Items[2].File
	older := text(t, complete(t, request(0), texts))
	replying := text(t, complete(t, answer(t, asking), answers))
	tests := []struct {
		name   string
		tamper func(t *testing.T, dir string)
		want   string
		is     any
	}{
		{"an octet changed", func(t *testing.T, dir string) { put(t, dir, two, "Alice's request") },
			two + " has been changed since it was written: its SHA-256 is 960783e90729271417af15cd0d9f0336bf1e58bcdb0042d8762ac25a65d793d2, not " + asking.Items[1].SHA256,
			new(*transfer.TamperedError)},
		{"cut short", func(t *testing.T, dir string) { put(t, dir, one, "the") },
			one + " has been changed since it was written: it has 3 octets, not 23", new(*transfer.TamperedError)},
		{"made huge", func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, one), 1<<40); err != nil {
				t.Fatal(err)
			}
		}, one + " has been changed since it was written: it has 1099511627776 octets, more than 16777216", new(*transfer.TamperedError)},
		{"two contents exchanged", func(t *testing.T, dir string) {
			put(t, dir, two, string(texts[2]))
			put(t, dir, three, string(texts[1]))
		}, two + " has been changed since it was written: its SHA-256 is " + asking.Items[2].SHA256 + ", not " + asking.Items[1].SHA256,
			new(*transfer.TamperedError)},
		{"an item gone", func(t *testing.T, dir string) { remove(t, dir, three) },
			three + " is missing, which the manifest names", new(*transfer.MissingError)},
		{"an item more", func(t *testing.T, dir string) { put(t, dir, "ca.key", "x") },
			`it holds "ca.key", which no manifest names: take that away, or use another folder`, new(*transfer.ExtraError)},
		{"items more, with names for a terminal", func(t *testing.T, dir string) {
			for i := range 7 {
				put(t, dir, fmt.Sprintf("\x1b[2J%d", i), "x")
			}
		}, `it holds "\x1b[2J0", "\x1b[2J1", "\x1b[2J2", "\x1b[2J3", "\x1b[2J4" and 2 more, which no manifest names: take that away, or use another folder`,
			new(*transfer.ExtraError)},
		{"a folder more", func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "old"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, `it holds "old", which no manifest names: take that away, or use another folder`, new(*transfer.ExtraError)},
		{"an item in another case beside it", func(t *testing.T, dir string) { put(t, dir, strings.ToUpper(one), string(texts[0])) },
			`it holds "` + strings.ToUpper(one) + `", which no manifest names: take that away, or use another folder`, new(*transfer.ExtraError)},
		{"an item repeated under the next number", func(t *testing.T, dir string) {
			put(t, dir, "request-00004-ca-request-f7dea474851248ff", string(texts[0]))
		}, `writing the request was broken off, and left "request-00004-ca-request-f7dea474851248ff": write it again where it was made`,
			new(*transfer.UnfinishedError)},
		{"a folder for an item", func(t *testing.T, dir string) {
			remove(t, dir, one)
			if err := os.Mkdir(filepath.Join(dir, one), 0o755); err != nil {
				t.Fatal(err)
			}
		}, one + " has been changed since it was written: it is no regular file", new(*transfer.TamperedError)},
		{"the manifest gone", func(t *testing.T, dir string) { remove(t, dir, "request.json") },
			`writing the request was broken off, and left "` + one + `", "` + two + `", "` + three + `": write it again where it was made`,
			new(*transfer.UnfinishedError)},
		{"the manifest of a newer ftsca", func(t *testing.T, dir string) { put(t, dir, "request.json", `{"format": 3}`) },
			"request.json: it has format 3, and this program reads format 1: use a newer ftsca", new(*transfer.NewerError)},
		{"the manifest of the answer", func(t *testing.T, dir string) { put(t, dir, "request.json", replying) },
			`request.json: it is the manifest of the other kind, "answer"`, new(*transfer.FormError)},
		{"the manifest edited", func(t *testing.T, dir string) {
			put(t, dir, "request.json", strings.Replace(text(t, asking), `"size": 23`, `"size": 24`, 1))
		}, one + " has been changed since it was written: it has 23 octets, not 24", new(*transfer.TamperedError)},
		{"the manifest huge", func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, "request.json"), 1<<40); err != nil {
				t.Fatal(err)
			}
		}, "request.json has been changed since it was written: it has 1099511627776 octets, more than 4194304", new(*transfer.TamperedError)},
		{"a broken answer beside it", func(t *testing.T, dir string) { put(t, dir, "answer.json", "{}") },
			"answer.json: it has no array of items", new(*transfer.FormError)},
		{"an older request of the same store, over the manifest", func(t *testing.T, dir string) { put(t, dir, "request.json", older) }, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := asked(t)
			tt.tamper(t, dir)
			if tt.want == "" {
				// It is whole, so only the words and the request's memory of itself tell.
				_, _, sum, err := transfer.Read(dir, transfer.Request)
				kept, sumErr := asking.Sum()
				if err != nil || sumErr != nil || transfer.CheckWords(strings.Join(transfer.Words(kept), " "), sum) == nil {
					t.Errorf("it has the words of the other one; %v, %v", err, sumErr)
				}
				return
			}
			still := unchanged(t, filepath.Dir(dir))
			err := mustRefuse(t, dir, transfer.Request, "reading the request in DIR: "+tt.want)
			if !errors.As(err, tt.is) {
				t.Errorf("it is no %T", tt.is)
			}
			still()
		})
	}
}

func remove(t testing.TB, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	const item = "request-00002-certificate-request-90d02657372f2880"
	for _, tt := range []struct{ name, file, to, want string }{
		{"an item elsewhere", item, "../elsewhere", item + " has been changed since it was written: it is a symbolic link"},
		{"an item in the folder", item, "request-00001-ca-request-90d02657372f2880",
			item + " has been changed since it was written: it is a symbolic link"},
		{"a manifest elsewhere", "request.json", "../elsewhere", "request.json has been changed since it was written: it is a symbolic link"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "stick")
			// All the same, so that the link leads to the content that it should have.
			mustWrite(t, dir, request(1), [][]byte{texts[1], texts[1], texts[1]})
			if err := os.Rename(filepath.Join(dir, tt.file), filepath.Join(dir, "..", "elsewhere")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(tt.to, filepath.Join(dir, tt.file)); err != nil {
				testpki.Lack(t, "symbolic links without a privilege")
			}
			mustRefuse(t, dir, transfer.Request, "reading the request in DIR: "+tt.want)
		})
	}
}

func TestWhatSystemsLeaveOnAStickIsPassedOver(t *testing.T) {
	dir, asking := answered(t)
	for _, name := range []string{".DS_Store", "._request.json", "._.Trashes", "Thumbs.db", "desktop.ini", "DESKTOP.INI"} {
		put(t, dir, name, "x")
	}
	for _, name := range []string{"System Volume Information", ".Trashes", ".Trash-1000", ".Spotlight-V100", ".fseventsd", "$RECYCLE.BIN", "lost+found", ".TemporaryItems"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mustRead(t, dir, request(1), texts)
	mustRead(t, dir, answer(t, asking), answers)
	still := unchanged(t, dir)
	mustWrite(t, dir, answer(t, asking), answers)
	still()
}

func TestAFolderWithoutAnEndIsNotListed(t *testing.T) {
	dir, _ := asked(t)
	if err := transfer.List(dir, 4); err != nil {
		t.Error(err)
	}
	put(t, dir, "._x", "")
	mustSay(t, dir, transfer.List(dir, 4), "it holds more than 4 files: use another folder")
}

func TestAnAnswerIsReadWithoutTheRequestBesideIt(t *testing.T) {
	dir, asking := answered(t)
	remove(t, dir, "request.json")
	mustRead(t, dir, answer(t, asking), answers)
	for _, it := range asking.Items {
		remove(t, dir, it.File)
	}
	mustRead(t, dir, answer(t, asking), answers)
}

func TestAnAnswerIsHeldAgainstTheRequestThatWasSent(t *testing.T) {
	sent := complete(t, request(1), texts)
	sum := func(m transfer.Manifest) string {
		sum, err := m.Sum()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", sum)
	}
	older := complete(t, request(0), texts)
	unasked := complete(t, answer(t, sent), answers)
	unasked.Items[2].Answers = "request-00004-revocations-9a1d7f94cc681548"
	cut := complete(t, answer(t, sent), answers)
	cut.Items = cut.Items[:1]
	bad := complete(t, answer(t, sent), answers)
	bad.Items[0].File = "x"
	for _, tt := range []struct {
		name   string
		answer transfer.Manifest
		want   string
		is     any
	}{
		{"its own", complete(t, answer(t, sent), answers), "", nil},
		{"its own, in part", cut, "", nil},
		{"that to an older request", complete(t, answer(t, older), answers),
			"it answers another request (" + sum(older)[:16] + "…) than the one that waits (" + sum(sent)[:16] + "…)", new(*transfer.StaleError)},
		{"one to what it does not ask", unasked,
			"item 3 was not asked for: it answers request-00004-revocations-9a1d7f94cc681548, which the request does not have", new(*transfer.UnaskedError)},
		{"one that is none", bad, `item 1 has the file "x", not answer-00001-certificates-efc439e5008f0630`, new(*transfer.FormError)},
		{"a request", sent, `a manifest of kind "request" does not answer one of kind "request"`, new(*transfer.FormError)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := transfer.CheckAnswer(sent, tt.answer)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			mustSay(t, "DIR", err, tt.want)
			if !errors.As(err, tt.is) {
				t.Errorf("it is a %T", err)
			}
		})
	}
}
