package transfer_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ftsca/ftsca/internal/transfer"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestManifestsLookAsTheyAlwaysDid(t *testing.T) {
	asking := complete(t, request(1), texts)
	for name, m := range map[string]transfer.Manifest{
		"request.json": asking,
		"answer.json":  complete(t, answer(t, asking), answers),
	} {
		golden := filepath.Join("testdata", name)
		got := text(t, m)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
		if again, err := transfer.Parse(want); err != nil || text(t, again) != got {
			t.Errorf("%s is read as %+v, %v", name, again, err)
		}
	}
}

func TestCompletingDoesNotTouchWhatItIsGiven(t *testing.T) {
	m := request(1)
	m.Made = made.Add(time.Millisecond).In(time.FixedZone("", 3600))
	once := complete(t, m, texts)
	if m.Items[0].File != "" || m.Format != 0 {
		t.Errorf("it is now %+v", m)
	}
	if !once.Made.Equal(made) || text(t, complete(t, once, texts)) != text(t, once) {
		t.Errorf("it is complete as %+v", once)
	}
}

func TestNoTwoIDsAreTheSame(t *testing.T) {
	m := request(1)
	m.ID = transfer.NewID()
	complete(t, m, texts)
	if transfer.NewID() == m.ID {
		t.Error("they are")
	}
}

func TestWhatIsNoManifestIsNotWritten(t *testing.T) {
	asking := complete(t, request(1), texts)
	tests := []struct {
		name   string
		change func(*transfer.Manifest)
		want   string
	}{
		{"kind", func(m *transfer.Manifest) { m.Kind = "bill" }, `its kind is "bill", neither "request" nor "answer"`},
		{"id", func(m *transfer.Manifest) { m.ID = "1" }, "its id is not 32 digits of lower-case hex"},
		{"id in upper case", func(m *transfer.Manifest) { m.ID = strings.Repeat("A", 32) }, "its id is not 32 digits of lower-case hex"},
		{"no name", func(m *transfer.Manifest) { m.From.Name = "" }, "the store that it is from has no name"},
		{"name that moves the cursor", func(m *transfer.Manifest) { m.From.Name = "a\x1b[2Jb" },
			"the name of the store that it is from is not one line of at most 500 octets that can be printed"},
		{"name that turns the text", func(m *transfer.Manifest) { m.From.Name = "a\u202eb" },
			"the name of the store that it is from is not one line of at most 500 octets that can be printed"},
		{"key", func(m *transfer.Manifest) { m.From.Key = "" },
			"the key of the store that it is from is not 64 digits of lower-case hex"},
		{"no time", func(m *transfer.Manifest) { m.Made = time.Time{} }, "the year in which it was made is 1"},
		{"far future", func(m *transfer.Manifest) { m.Made = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "the year in which it was made is 10000"},
		{"request in reply", func(m *transfer.Manifest) { m.InReplyTo = strings.Repeat("0", 64) }, "it is a request, and in reply to something"},
		{"answer to nothing", func(m *transfer.Manifest) { m.Kind = transfer.Answer },
			"it is an answer, and what it replies to is not 64 digits of lower-case hex"},
		{"no items", func(m *transfer.Manifest) { m.Items = nil }, "it has no items"},
		{"kind of an item", func(m *transfer.Manifest) { m.Items[1].Kind = "../x" }, `item 2 has the kind "../x", which is no word of a-z, 0-9 and '-'`},
		{"long kind", func(m *transfer.Manifest) { m.Items[1].Kind = strings.Repeat("k", 33) },
			`item 2 has the kind "` + strings.Repeat("k", 33) + `", which is no word of a-z, 0-9 and '-'`},
		{"note of two lines", func(m *transfer.Manifest) { m.Items[1].Note = "a\nb" },
			"item 2 has a note that is not one line of at most 500 octets that can be printed"},
		{"long note", func(m *transfer.Manifest) { m.Items[0].Note = strings.Repeat("n", transfer.MaxText+1) },
			"item 1 has a note that is not one line of at most 500 octets that can be printed"},
		{"note in another encoding", func(m *transfer.Manifest) { m.Items[0].Note = "\xff" },
			"item 1 has a note that is not one line of at most 500 octets that can be printed"},
		{"request that answers", func(m *transfer.Manifest) { m.Items[0].Answers = asking.Items[0].File }, "item 1 is asked, and answers"},
		{"request that refuses", func(m *transfer.Manifest) { m.Items[0].Refused = "no" }, "item 1 is refused, and has content"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := request(1)
			tt.change(&m)
			contents := texts[:len(m.Items)]
			_, err := transfer.Complete(m, contents)
			mustSay(t, "DIR", err, tt.want)
			if _, ok := errors.AsType[*transfer.FormError](err); !ok {
				t.Errorf("it is a %T", err)
			}
			dir := filepath.Join(t.TempDir(), "stick")
			_, err = transfer.Write(dir, m, contents)
			mustSay(t, dir, err, "writing the "+string(m.Kind)+" to DIR: "+tt.want)
			if _, err := os.Lstat(dir); err == nil {
				t.Error("there is a folder")
			}
		})
	}
}

func TestWhatIsNoAnswerIsNotWritten(t *testing.T) {
	asking := complete(t, request(1), texts)
	file := asking.Items[0].File
	tests := []struct {
		name   string
		change func(*transfer.Manifest)
		want   string
	}{
		{"to a file that is no item", func(m *transfer.Manifest) { m.Items[0].Answers = "../../authority/ca.key" },
			`item 1 answers "../../authority/ca.key", which is no item's name`},
		{"to nothing", func(m *transfer.Manifest) { m.Items[0].Answers = "" }, `item 1 answers "", which is no item's name`},
		{"twice", func(m *transfer.Manifest) { m.Items[2].Answers, m.Items[2].Kind = file, "certificates" },
			"items 1 and 3 both answer " + file + " with certificates"},
		{"refused and given", func(m *transfer.Manifest) { m.Items[1].Answers, m.Items[1].Kind = file, "crl" },
			"item 1 answers " + file + ", which item 2 refuses"},
		{"refused for a reason that rings the bell", func(m *transfer.Manifest) { m.Items[1].Refused = "no\a" },
			"item 2 has a reason to refuse that is not one line of at most 500 octets that can be printed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := answer(t, asking)
			tt.change(&m)
			_, err := transfer.Complete(m, answers)
			mustSay(t, "DIR", err, tt.want)
		})
	}
}

func TestLimitsHoldForWhatIsWritten(t *testing.T) {
	many := func(n int, content []byte) (transfer.Manifest, [][]byte) {
		m, contents := request(1), make([][]byte, n)
		m.Items = make([]transfer.Item, n)
		for i := range n {
			m.Items[i].Kind, contents[i] = "certificate-request", content
		}
		return m, contents
	}
	big := make([]byte, transfer.MaxItem+1)
	tests := []struct {
		name    string
		n       int
		content []byte
		want    string
	}{
		{"as many items as there may be", transfer.MaxItems, []byte("x"), ""},
		{"more", transfer.MaxItems + 1, []byte("x"), "it has more than 10000 items"},
		{"as large an item as there may be", 1, big[:transfer.MaxItem], ""},
		{"a larger one", 1, big, "item 1 has more than 16 MiB"},
		{"an empty one", 1, []byte{}, "item 1 is empty"},
		{"none", 1, nil, "item 1 is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, contents := many(tt.n, tt.content)
			m, err := transfer.Complete(m, contents)
			if tt.want != "" {
				mustSay(t, "DIR", err, tt.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if again, err := transfer.Parse([]byte(text(t, m))); err != nil || len(again.Items) != tt.n {
				t.Errorf("read back are %d items, %v", len(again.Items), err)
			}
		})
	}
	m, contents := many(17, []byte("x"))
	m = complete(t, m, contents)
	for i := range m.Items {
		m.Items[i].Size = transfer.MaxItem
	}
	_, err := m.Bytes()
	mustSay(t, "DIR", err, "its items have more than 256 MiB")
	m.Items = m.Items[:16]
	if _, err := m.Bytes(); err != nil {
		t.Errorf("256 MiB: %v", err)
	}

	m, contents = many(transfer.MaxItems, []byte("x"))
	for i := range m.Items {
		m.Items[i].Note = strings.Repeat("n", 200)
	}
	_, err = complete(t, m, contents).Bytes()
	mustSay(t, "DIR", err, "it has more than 4 MiB")
	_, err = transfer.Complete(m, contents[1:])
	mustSay(t, "DIR", err, "9999 contents are given for 10000 items")
}

func TestWhatIsNoManifestIsNotRead(t *testing.T) {
	whole := text(t, complete(t, request(1), texts))
	file := complete(t, request(1), texts).Items[0].File
	swap := func(old, new string) string {
		t.Helper()
		if !strings.Contains(whole, old) {
			t.Fatalf("%q is not in it", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	const changed = " is not as ftsca writes it: the manifest has been changed"
	tests := []struct{ name, data, want string }{
		{"nothing", "", "it is no JSON: unexpected end of JSON input"},
		{"half", whole[:len(whole)/2], "it is no JSON: unexpected end of JSON input"},
		{"no JSON", "MZ\x90", "it is no JSON: invalid character 'M' looking for beginning of value"},
		{"an array", "[]", "it holds a JSON array where an object should be"},
		{"null", "null", "it has no array of items"},
		{"another object", `{"name":"x"}`, `it has the name "name", which this format does not know`},
		{"format 0", swap(`"format": 1`, `"format": 0`), "its format is 0, not 1"},
		{"format of no number", swap(`"format": 1`, `"format": "1"`), `its "format" may not be the JSON string`},
		{"trailing data", whole + "{}", "it is no JSON: invalid character '{' after top-level value"},
		{"a blank at the end", whole + "\n", "line 33" + changed},
		{"other line ends", strings.ReplaceAll(whole, "\n", "\r\n"), "line 1" + changed},
		{"a byte order mark", "\ufeff" + whole, "it is no JSON: invalid character 'ï' looking for beginning of value"},
		{"name that comes twice", swap(`"kind": "request",`, `"kind": "answer",`+"\n  "+`"kind": "request",`), "line 3" + changed},
		{"format that comes twice", swap(`"format": 1,`, `"format": 2, "format": 1,`), "line 2" + changed},
		{"items that come twice", swap(`"items": [`, `"items": [], "items": [`), "line 10" + changed},
		{"name in another case", swap(`"kind"`, `"Kind"`), "line 3" + changed},
		{"unknown name", swap(`"kind"`, `"sort"`), `it has the name "sort", which this format does not know`},
		{"unknown name in an item", swap(`"sha256"`, `"sha1": "", "sha256"`), `it has the name "sha1", which this format does not know`},
		{"escape where none is needed", swap("Valley", "\\u0056alley"), "line 6" + changed},
		{"another encoding", swap("Valley", "V\xe4lley"), "line 6" + changed},
		{"time with a zone", swap("04Z", "04+00:00"), "line 9" + changed},
		{"parts of a second", swap("04Z", "04.5Z"), "the time at which it was made is not in UTC and whole seconds"},
		{"no time", swap("2026-11-24T", "yesterday"), `it has the time "yesterday09:27:04Z", which is not one of RFC 3339`},
		{"no items", swap(whole[strings.Index(whole, "["):], "[]}"), "it has no items"},
		{"items of another kind", swap(whole[strings.Index(whole, "["):], "7}"), "it has no array of items"},
		{"items missing", swap(whole[strings.Index(whole, `"items"`)-4:], "}"), "it has no array of items"},
		{"item that is null", swap("{\n      \"kind\": \"ca-request\"", "null, {\n      \"kind\": \"ca-request\""),
			`item 1 has the kind "", which is no word of a-z, 0-9 and '-'`},
		{"item that is a string", swap("{\n      \"kind\": \"ca-request\"", "\"\", {\n      \"kind\": \"ca-request\""),
			"it holds a JSON string where an object should be"},
		{"path out of the folder", swap(file, "../../etc/passwd"), `item 1 has the file "../../etc/passwd", not ` + file},
		{"path from the top", swap(file, "/etc/passwd"), `item 1 has the file "/etc/passwd", not ` + file},
		{"path of Windows", swap(file, `..\\x`), `item 1 has the file "..\\x", not ` + file},
		{"device of Windows", swap(file, "CON"), `item 1 has the file "CON", not ` + file},
		{"stream of Windows", swap(file, file+":x"), `item 1 has the file "` + file + `:x", not ` + file},
		{"name in another case than on FAT", swap(file, strings.ToUpper(file)), `item 1 has the file "` + strings.ToUpper(file) + `", not ` + file},
		{"manifest as an item", swap(file, "request.json"), `item 1 has the file "request.json", not ` + file},
		{"size that is huge", swap(`"size": 23`, `"size": 9000000000000000000`), "item 1 has more than 16 MiB"},
		{"size below nothing", swap(`"size": 23`, `"size": -1`), "item 1 is empty"},
		{"size beyond a number", swap(`"size": 23`, `"size": 90000000000000000000`), `its "size" may not be the JSON number 90000000000000000000`},
		{"sum in upper case", swap(`"sha256": "`, `"sha256": "A`), "item 1 has a sum that is not 64 digits of lower-case hex"},
		{"too many items", `{"format":1,"items":[` + strings.Repeat("{},", transfer.MaxItems) + `{}]}`, "it has more than 10000 items"},
		{"too large", strings.Repeat(" ", transfer.MaxManifest+1), "it has more than 4 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := transfer.Parse([]byte(tt.data))
			mustSay(t, "DIR", err, tt.want)
			if _, ok := errors.AsType[*transfer.FormError](err); !ok || m.Items != nil {
				t.Errorf("it is %+v, a %T", m, err)
			}
		})
	}
}

func TestANewerFormatIsToldFromADamagedOne(t *testing.T) {
	_, err := transfer.Parse([]byte(`{"format": 2, "entries": {}}`))
	mustSay(t, "DIR", err, "it has format 2, and this program reads format 1: use a newer ftsca")
	if e, ok := errors.AsType[*transfer.NewerError](err); !ok || e.Format != 2 {
		t.Errorf("it is a %T", err)
	}
}

// FuzzParse holds that what is read is written as the very same text, and is within the limits.
func FuzzParse(f *testing.F) {
	asking := complete(f, request(1), texts)
	f.Add([]byte(text(f, asking)))
	f.Add([]byte(text(f, complete(f, answer(f, asking), answers))))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := transfer.Parse(data)
		if err != nil {
			_, form := errors.AsType[*transfer.FormError](err)
			_, newer := errors.AsType[*transfer.NewerError](err)
			if form == newer || len(err.Error()) > 1000 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("the error is %q", err)
			}
			return
		}
		again, err := m.Bytes()
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q became %q, %v", data, again, err)
		}
		total := int64(0)
		for _, it := range m.Items {
			if total += it.Size; it.Size > transfer.MaxItem || strings.ContainsAny(it.File+it.Answers, `./\:`) {
				t.Errorf("it has the item %+v", it)
			}
		}
		if len(m.Items) > transfer.MaxItems || total > transfer.MaxTotal {
			t.Errorf("it has %d items of %d octets", len(m.Items), total)
		}
	})
}
