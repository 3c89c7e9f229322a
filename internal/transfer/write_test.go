package transfer_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/transfer"
)

func TestTheFolderHasWhatIsDocumentedAndNothingElse(t *testing.T) {
	dir, _ := answered(t)
	mustHaveOnly(t, dir,
		"request.json", "request-00001-ca-request-f7dea474851248ff", "request-00002-certificate-request-90d02657372f2880",
		"request-00003-revocations-9a1d7f94cc681548",
		"answer.json", "answer-00001-certificates-efc439e5008f0630", "answer-00003-crl-2718215fe18c4c66", "answer-00004-ca-files-059c38adfd2aea8b")
}

func TestWritingTheSameAgainChangesNothing(t *testing.T) {
	dir, asking := answered(t)
	still := unchanged(t, dir)
	if one, two := mustWrite(t, dir, request(1), texts), mustWrite(t, dir, asking, texts); one != two || one != sha256.Sum256([]byte(text(t, asking))) {
		t.Errorf("the sums are %x and %x", one, two)
	}
	mustWrite(t, dir, answer(t, asking), answers)
	still()
}

func TestWritingTheSameAgainMendsIt(t *testing.T) {
	dir, asking := answered(t)
	before := files(t, dir)
	put(t, dir, asking.Items[0].File, "tampered")
	remove(t, dir, asking.Items[1].File)
	put(t, dir, "answer-00001-certificates-efc439e5008f0630", "tampered")
	put(t, dir, ".answer.json.ABCDEFGHIJ.tmp", "left by a kill")
	mustWrite(t, dir, request(1), texts)
	mustWrite(t, dir, answer(t, asking), answers)
	if after := files(t, dir); !maps.Equal(before, after) {
		t.Errorf("the folder was %q and is %q", before, after)
	}
}

func TestANewRequestReplacesTheStoresOwn(t *testing.T) {
	dir, _ := asked(t)
	renamed := request(2)
	renamed.From.Name = "Valley Rescue CA, renamed"
	renamed.Items[1].Kind = "crl"
	other := [][]byte{texts[0], []byte("something else"), texts[2]}
	mustWrite(t, dir, renamed, other)
	mustRead(t, dir, renamed, other)
	mustHaveOnly(t, dir, "request.json", "request-00001-ca-request-f7dea474851248ff", "request-00002-crl-f41f3fa625ff120d",
		"request-00003-revocations-9a1d7f94cc681548")
}

func TestNothingOfOthersIsReplaced(t *testing.T) {
	foreign := request(2)
	foreign.From = transfer.Party{Name: "Hill Rescue CA", Key: strings.Repeat("c3", 32)}
	asking := complete(t, request(1), texts)
	unasked := answer(t, asking)
	unasked.Items[0].Answers = "request-00009-ca-request-f7dea474851248ff"
	second := answer(t, asking)
	second.ID = strings.Repeat("1e", 16)
	firstSum := fmt.Sprintf("%x", sha256.Sum256([]byte(text(t, complete(t, answer(t, asking), answers)))))
	waiting := "it holds another answer (" + firstSum[:16] + "…), which would be lost: take that in first, or use another folder"
	tests := []struct {
		name     string
		folder   func(t *testing.T) string
		write    transfer.Manifest
		contents [][]byte
		want     string
		is       any
	}{
		{"another store's request", func(t *testing.T) string { dir, _ := asked(t); return dir }, foreign, texts,
			`it holds the request of another store, "Valley Rescue CA" (key a1a1a1a1a1a1a1a1…): use another folder`, new(*transfer.ForeignError)},
		{"an answer, by a new request", func(t *testing.T) string { dir, _ := answered(t); return dir }, request(2), texts, waiting,
			new(*transfer.AnswerWaitingError)},
		{"an answer, by a new answer", func(t *testing.T) string { dir, _ := answered(t); return dir }, second, answers, waiting,
			new(*transfer.AnswerWaitingError)},
		{"an answer without its request", func(t *testing.T) string {
			dir, asking := answered(t)
			remove(t, dir, "request.json")
			for _, it := range asking.Items {
				remove(t, dir, it.File)
			}
			return dir
		}, request(2), texts, waiting, new(*transfer.AnswerWaitingError)},
		{"somebody's pictures", func(t *testing.T) string {
			dir := t.TempDir()
			put(t, dir, "holiday.jpg", "x")
			return dir
		}, request(1), texts, `it holds "holiday.jpg", which no manifest names: take that away, or use another folder`, new(*transfer.ExtraError)},
		{"a temporary file of others", func(t *testing.T) string {
			dir := t.TempDir()
			put(t, dir, ".list.json.ABCDEFGHIJ.tmp", "x")
			return dir
		}, request(1), texts, `it holds ".list.json.ABCDEFGHIJ.tmp", which no manifest names: take that away, or use another folder`, new(*transfer.ExtraError)},
		{"a file that is almost a temporary one of ours", func(t *testing.T) string {
			dir := t.TempDir()
			put(t, dir, ".request.json.ABCDEFGHI.tmp", "x")
			return dir
		}, request(1), texts, `it holds ".request.json.ABCDEFGHI.tmp", which no manifest names: take that away, or use another folder`, new(*transfer.ExtraError)},
		{"a folder with the name of an item", func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "answer-00001-crl-0123456789abcdef", "x"), 0o755); err != nil {
				t.Fatal(err)
			}
			return dir
		}, request(1), texts, "answer-00001-crl-0123456789abcdef has been changed since it was written: it is no regular file", new(*transfer.TamperedError)},
		{"a request that cannot be read", func(t *testing.T) string {
			dir := t.TempDir()
			put(t, dir, "request.json", "{}")
			return dir
		}, request(1), texts, "request.json: it has no array of items", new(*transfer.FormError)},
		{"a request of a newer ftsca", func(t *testing.T) string {
			dir := t.TempDir()
			put(t, dir, "request.json", `{"format":2}`)
			return dir
		}, request(1), texts, "request.json: it has format 2, and this program reads format 1: use a newer ftsca", new(*transfer.NewerError)},
		{"a file where the folder would be", func(t *testing.T) string {
			dir := t.TempDir()
			put(t, dir, "stick", "x")
			return filepath.Join(dir, "stick")
		}, request(1), texts, "not a directory", new(error)},
		{"nothing, where no request is", func(t *testing.T) string { return t.TempDir() }, answer(t, asking), answers, "there is no request in it",
			new(*transfer.NoneError)},
		{"nothing, where another request is", func(t *testing.T) string {
			dir := t.TempDir()
			mustWrite(t, dir, request(7), texts)
			return dir
		}, answer(t, asking), answers, "it answers another request (3eb4d5fd1ddf229a…) than the one that waits (OTHER…)", new(*transfer.StaleError)},
		{"nothing, where the request does not ask it", func(t *testing.T) string { dir, _ := asked(t); return dir }, unasked, answers,
			"item 1 was not asked for: it answers request-00009-ca-request-f7dea474851248ff, which the request does not have", new(*transfer.UnaskedError)},
	}
	sum7, err := complete(t, request(7), texts).Sum()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tt.folder(t)
			still := unchanged(t, filepath.Dir(dir))
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				still = unchanged(t, dir)
			}
			_, err := transfer.Write(dir, tt.write, tt.contents)
			want := strings.Replace(tt.want, "OTHER", fmt.Sprintf("%x", sum7[:8]), 1)
			mustSay(t, dir, err, "writing the "+string(tt.write.Kind)+" to DIR: "+want)
			if !errors.As(err, tt.is) {
				t.Errorf("it is no %T", tt.is)
			}
			still()
		})
	}
}

func TestAnAnswerThatWasTakenInGivesWay(t *testing.T) {
	dir, asking := answered(t)
	_, err := transfer.Write(dir, request(2), texts)
	waiting, ok := errors.AsType[*transfer.AnswerWaitingError](err)
	if !ok {
		t.Fatal(err)
	}
	_, _, taken, err := transfer.Read(dir, transfer.Answer)
	if err != nil || waiting.Sum != taken {
		t.Fatalf("the answer that waits has the sum %x, the one that was read %x, %v", waiting.Sum, taken, err)
	}

	still := unchanged(t, dir)
	err = transfer.DiscardAnswer(dir, [32]byte{})
	mustSay(t, dir, err, fmt.Sprintf("removing the answer in DIR: it holds another answer (%x…), which would be lost: take that in first, or use another folder", taken[:8]))
	if _, ok := errors.AsType[*transfer.AnswerWaitingError](err); !ok {
		t.Errorf("it is a %T", err)
	}
	still()

	for range 2 {
		if err := transfer.DiscardAnswer(dir, taken); err != nil {
			t.Fatal(err)
		}
		mustHaveOnly(t, dir, "request.json", asking.Items[0].File, asking.Items[1].File, asking.Items[2].File)
	}
	mustWrite(t, dir, request(2), texts)
	mustRead(t, dir, request(2), texts)
}

// killed is what stands for a kill.
type killed struct{}

// killAt writes until the n-th file is about to be written or removed, and tells whether it came so far.
func killAt(t testing.TB, n int, dir string, m transfer.Manifest, contents [][]byte) (died bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			died = true
		}
	}()
	_, err := transfer.WriteBefore(dir, m, contents, func(string) error {
		if n--; n < 0 {
			panic(killed{})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return false
}

func TestAKillLeavesTheOldOrTheNewOrAnUnfinishedOne(t *testing.T) {
	asking := complete(t, request(1), texts)
	replaced := [][]byte{[]byte("another"), []byte("request"), texts[2]}
	scenes := []struct {
		name     string
		folder   func(t *testing.T) string
		write    transfer.Manifest
		contents [][]byte
		steps    int
	}{
		{"a first request", func(t *testing.T) string { return filepath.Join(t.TempDir(), "stick") }, request(1), texts, 4},
		{"a later request", func(t *testing.T) string { dir, _ := asked(t); return dir }, request(2), replaced, 5},
		{"an answer", func(t *testing.T) string { dir, _ := asked(t); return dir }, answer(t, asking), answers, 4},
	}
	for _, s := range scenes {
		steps := 0
		for ; ; steps++ {
			dir := s.folder(t)
			if !killAt(t, steps, dir, s.write, s.contents) {
				mustRead(t, dir, s.write, s.contents)
				break
			}
			m, _, _, err := transfer.Read(dir, s.write.Kind)
			_, unfinished := errors.AsType[*transfer.UnfinishedError](err)
			_, none := errors.AsType[*transfer.NoneError](err)
			switch {
			case err == nil && steps > 0 && m.ID != s.write.ID:
				t.Errorf("%s, killed at step %d: what was there before is read, with files of the new one beside it", s.name, steps)
			case err != nil && !unfinished && !(none && steps == 0):
				t.Errorf("%s, killed at step %d: %v", s.name, steps, err)
			}
			if s.write.Kind == transfer.Answer {
				// The signer can begin again.
				mustRead(t, dir, request(1), texts)
			}
			mustWrite(t, dir, s.write, s.contents)
			mustRead(t, dir, s.write, s.contents)
		}
		if steps != s.steps {
			t.Errorf("%s takes %d steps, want %d", s.name, steps, s.steps)
		}
	}
}

func TestItemsWithoutAManifestAreUnfinished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stick")
	if !killAt(t, 3, dir, request(1), texts) {
		t.Fatal("it was not killed")
	}
	const left = `"request-00001-ca-request-f7dea474851248ff", "request-00002-certificate-request-90d02657372f2880", "request-00003-revocations-9a1d7f94cc681548"`
	err := mustRefuse(t, dir, transfer.Request, "reading the request in DIR: writing the request was broken off, and left "+left+": write it again where it was made")
	if e, ok := errors.AsType[*transfer.UnfinishedError](err); !ok || e.Kind != transfer.Request || len(e.Names) != 3 {
		t.Errorf("it is %#v", err)
	}
	put(t, dir, ".request.json.ABCDEFGHIJ.tmp", text(t, complete(t, request(1), texts)))
	mustRefuse(t, dir, transfer.Request, "reading the request in DIR: writing the request was broken off, and left "+
		`".request.json.ABCDEFGHIJ.tmp", `+left+": write it again where it was made")
	// A store that does not know of it can take the folder.
	foreign := request(2)
	foreign.From.Key = strings.Repeat("c3", 32)
	mustWrite(t, dir, foreign, texts)
	mustRead(t, dir, foreign, texts)
}

func TestAFailureLeavesWhatWasThere(t *testing.T) {
	fail := errors.New("no space left on device")
	for step := range 4 {
		dir, _ := asked(t)
		still := unchanged(t, dir)
		n := step
		_, err := transfer.WriteBefore(dir, request(2), [][]byte{[]byte("a"), []byte("b"), []byte("c")}, func(string) error {
			if n--; n < 0 {
				return fail
			}
			return nil
		})
		mustSay(t, dir, err, "writing the request to DIR: no space left on device")
		still()
		mustRead(t, dir, request(1), texts)
	}
}

func TestAFailureToMendLeavesWhatWasMended(t *testing.T) {
	dir, asking := asked(t)
	remove(t, dir, asking.Items[0].File)
	remove(t, dir, asking.Items[1].File)
	n := 0
	_, err := transfer.WriteBefore(dir, asking, texts, func(string) error {
		if n++; n > 1 {
			return errors.New("no space left on device")
		}
		return nil
	})
	mustSay(t, dir, err, "writing the request to DIR: no space left on device")
	mustHaveOnly(t, dir, "request.json", asking.Items[0].File, asking.Items[2].File)
}

func TestARequestClearsAwayAnUnfinishedAnswer(t *testing.T) {
	for _, number := range []int{1, 2} {
		dir, asking := asked(t)
		if !killAt(t, 2, dir, answer(t, asking), answers) {
			t.Fatal("it was not killed")
		}
		mustRefuse(t, dir, transfer.Answer, "reading the answer in DIR: writing the answer was broken off, and left "+
			`"answer-00001-certificates-efc439e5008f0630", "answer-00003-crl-2718215fe18c4c66": write it again where it was made`)
		mustWrite(t, dir, request(number), texts)
		mustHaveOnly(t, dir, "request.json", asking.Items[0].File, asking.Items[1].File, asking.Items[2].File)
	}
}
