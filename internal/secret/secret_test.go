package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/secret"
)

const plain = "Tr0ub4dor-plain"

// spellings are the forms in which the bytes of plain could show.
func spellings() map[string]string {
	return map[string]string{
		"text":        plain,
		"hex":         fmt.Sprintf("%x", plain),
		"HEX":         fmt.Sprintf("%X", plain),
		"spaced hex":  fmt.Sprintf("% x", plain),
		"byte list":   strings.Trim(fmt.Sprint([]byte(plain)), "[]"),
		"Go bytes":    strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(plain)), "[]byte{"), "}"),
		"base64":      "VHIwdWI0ZG9yLXBsYWlu",
		"first bytes": plain[:5],
	}
}

func mustHide(t *testing.T, what, out string) {
	t.Helper()
	for name, s := range spellings() {
		if strings.Contains(out, s) {
			t.Errorf("%s shows the secret as %s: %q", what, name, out)
		}
	}
}

type holder struct {
	Name   string
	hidden secret.Secret
}

type open struct {
	Name  string        `json:"name" xml:"name"`
	Shown secret.Secret `json:"shown" xml:"shown"`
	Also  *secret.Secret
}

type deep struct {
	inner  *holder
	holder holder
	list   []secret.Secret
	byName map[string]secret.Secret
	any    any
}

func TestNoVerbShowsASecret(t *testing.T) {
	s := secret.FromString(plain)
	var verbs []string
	for verb := rune('!'); verb < 0x7f; verb++ {
		for _, flags := range []string{"", "+", "#", "-40", "40", "0", " ", "# ", "+#", ".3", "20.3", "[1]"} {
			verbs = append(verbs, "%"+flags+string(verb))
		}
	}
	verbs = append(verbs, "%é", "%世")
	values := map[string]any{
		"a secret":                                s,
		"a pointer to one":                        &s,
		"a slice of them":                         []secret.Secret{s, s},
		"an array of them":                        [2]secret.Secret{s},
		"a map of them":                           map[string]secret.Secret{"k": s},
		"a map by them":                           map[secret.Secret]int{s: 1},
		"a struct with an exported field":         open{Shown: s, Also: &s},
		"a struct with an unexported field":       holder{hidden: s},
		"a pointer to one with an unexported one": &holder{hidden: s},
		"a struct of structs":                     deep{&holder{hidden: s}, holder{hidden: s}, []secret.Secret{s}, map[string]secret.Secret{"k": s}, s},
		"an error":                                fmt.Errorf("opening: %v: %w", s, errors.New(fmt.Sprint(s))),
	}
	for name, v := range values {
		for _, verb := range verbs {
			mustHide(t, name+" under "+verb, fmt.Sprintf(verb, v))
		}
		mustHide(t, name+" under Sprint", fmt.Sprint(v))
		mustHide(t, name+" under Sprintln", fmt.Sprintln(v, v))
	}
}

func TestASecretPrintsAsRedacted(t *testing.T) {
	for _, s := range []secret.Secret{secret.FromString(plain), {}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%-30s", "%.3s", "%5v", "%t", "%z"} {
			if got := fmt.Sprintf(verb, s); got != "[redacted]" {
				t.Errorf("%s: got %q", verb, got)
			}
			if got := fmt.Sprintf(verb, &s); got != "[redacted]" {
				t.Errorf("%s of a pointer: got %q", verb, got)
			}
		}
		if s.String() != "[redacted]" || s.GoString() != "[redacted]" {
			t.Errorf("String and GoString: got %q and %q", s.String(), s.GoString())
		}
		want := "{Name:alice Shown:[redacted] Also:<nil>}"
		if got := fmt.Sprintf("%+v", open{Name: "alice", Shown: s}); got != want {
			t.Errorf("in a struct: got %q, want %q", got, want)
		}
	}
}

func TestNoEncodingShowsASecret(t *testing.T) {
	s := secret.FromString(plain)
	v := open{Name: "alice", Shown: s, Also: &s}
	got, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"name":"alice","shown":"[redacted]","Also":"[redacted]"}`; string(got) != want {
		t.Errorf("JSON: got %s, want %s", got, want)
	}
	if got, err = json.Marshal(map[secret.Secret]secret.Secret{s: s}); err != nil {
		t.Fatal(err)
	}
	if want := `{"[redacted]":"[redacted]"}`; string(got) != want {
		t.Errorf("a JSON key: got %s, want %s", got, want)
	}
	if got, err = json.Marshal(holder{hidden: s}); err != nil || string(got) != `{"Name":""}` {
		t.Errorf("an unexported field in JSON: got %s, %v", got, err)
	}
	if got, err = xml.Marshal(v); err != nil {
		t.Fatal(err)
	}
	if want := `<open><name>alice</name><shown>[redacted]</shown><Also>[redacted]</Also></open>`; string(got) != want {
		t.Errorf("XML: got %s, want %s", got, want)
	}
	var buf bytes.Buffer
	_ = gob.NewEncoder(&buf).Encode(v)
	mustHide(t, "gob", buf.String())
}

func TestNoLogShowsASecret(t *testing.T) {
	s := secret.FromString(plain)
	values := map[string]any{
		"a secret": s, "a pointer": &s, "a struct": open{Shown: s}, "an unexported field": holder{hidden: s},
		"a pointer to an unexported field": &holder{hidden: s}, "a slice": []secret.Secret{s},
		"a group": slog.GroupValue(slog.Any("inner", s)), "a map": map[string]any{"k": s},
	}
	for name, v := range values {
		var text, object, old bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).With("with", v).Info("said", "value", v)
		slog.New(slog.NewJSONHandler(&object, nil)).With("with", v).Info("said", "value", v)
		log.New(&old, "", 0).Print(v)
		for form, out := range map[string]string{"text": text.String(), "JSON": object.String(), "log": old.String()} {
			mustHide(t, name+" in "+form, out)
		}
	}
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("said", "value", s)
	if !strings.Contains(text.String(), "value=[redacted]\n") {
		t.Errorf("slog as text: got %q", text.String())
	}
	slog.New(slog.NewJSONHandler(&object, nil)).Info("said", "value", s)
	if !strings.Contains(object.String(), `"value":"[redacted]"`) {
		t.Errorf("slog as JSON: got %q", object.String())
	}
}

func TestRevealGivesTheBytesBack(t *testing.T) {
	for _, value := range []string{"x", plain, "Wörter mit Blanks ", "\x00\xff\n", strings.Repeat("long ", 1000)} {
		if got := secret.FromString(value).Reveal(); got != value {
			t.Errorf("FromString(%q): got %q", value, got)
		}
		given := []byte(value)
		s := secret.New(given)
		given[0] ^= 0xff
		if got := s.Reveal(); got != value {
			t.Errorf("New(%q), changed afterwards: got %q", value, got)
		}
		if s.IsZero() {
			t.Errorf("New(%q) says that none was given", value)
		}
	}
}

func TestNoBytesAreNoSecret(t *testing.T) {
	for name, s := range map[string]secret.Secret{
		"zero": {}, "New(nil)": secret.New(nil), "New of no bytes": secret.New([]byte{}), "FromString": secret.FromString(""),
	} {
		if !s.IsZero() || s.Reveal() != "" || s.WellKnown() {
			t.Errorf("%s: IsZero %t, Reveal %q, WellKnown %t", name, s.IsZero(), s.Reveal(), s.WellKnown())
		}
	}
}

func TestRandomSecretsAreLongPrintableAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		value := secret.Random().Reveal()
		if seen[value] {
			t.Fatalf("%d secrets, and one twice", len(seen))
		}
		seen[value] = true
		// 26 of 32 characters are 130 bits.
		if len(value) < 26 || strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Fatalf("a random secret that is too short or hard to type: %d characters", len(value))
		}
	}
}

func TestShippedDefaultsAreWellKnown(t *testing.T) {
	for value, want := range map[string]bool{
		"supersecret": true, "atakatak": true, "changeit": true, "defaultpass": true, "password": true,
		"AtakAtak": true, "SUPERSECRET": true, " changeit\t": true, "123456": true, "takserver": true,
		"": false, "atakatak2": false, "correct horse battery staple": false, "s\u212Aupersecret": false,
	} {
		if got := secret.FromString(value).WellKnown(); got != want {
			t.Errorf("%q: got %t", value, got)
		}
	}
	if secret.Random().WellKnown() {
		t.Error("a random secret is said to be well known")
	}
}
