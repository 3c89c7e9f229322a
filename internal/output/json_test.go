package output_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ftsca/ftsca/internal/output"
)

func TestJSONIsIndentedAndNotEscapedForHTML(t *testing.T) {
	var buf bytes.Buffer
	v := struct {
		Name   string   `json:"name"`
		Groups []string `json:"groups"`
	}{"Ana & Bob <ops>", []string{"blue"}}
	if err := output.JSON(&buf, v); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "name": "Ana & Bob <ops>",
  "groups": [
    "blue"
  ]
}
`
	if got := buf.String(); got != want {
		t.Errorf("JSON is %s want %s", got, want)
	}
}

func TestJSONWritesNothingOfAValueThatCannotBeEncoded(t *testing.T) {
	var buf bytes.Buffer
	err := output.JSON(&buf, struct{ A, B any }{1, make(chan int)})
	const want = "encoding struct { A interface {}; B interface {} } as JSON: json: unsupported type: chan int"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if buf.Len() != 0 {
		t.Errorf("wrote %q", buf.String())
	}
}

type row struct {
	Name   string   `json:"name"`
	Number int      `json:"number"`
	When   string   `json:"when,omitempty"`
	Groups []string `json:"groups,omitempty"`
	All    []string `json:"all"`
	Inner  any      `json:"inner"`
}

func TestJSONListWritesWhatJSONDoes(t *testing.T) {
	long := make([]row, 2000)
	for i := range long {
		long[i] = row{Name: "client", Number: i, Groups: []string{"blue", "red"}}
	}
	for name, rows := range map[string][]row{
		"none": {},
		"one":  {{Name: "alice"}},
		"odd": {
			{Name: "Ana & Bob <ops>", When: "now", Groups: []string{}, All: []string{}},
			{Name: "\u2028 \u2029 \x00 \t \\ \" ä 山 😀", Groups: []string{""}, All: nil, Inner: map[string]int{}},
			{Name: "bob", Inner: row{Name: "within", All: []string{"a", "b"}}},
		},
		"long": long,
	} {
		var one, other bytes.Buffer
		if err := output.JSON(&one, rows); err != nil {
			t.Fatal(err)
		}
		if err := output.JSONList(&other, slices.Values(rows)); err != nil {
			t.Fatal(err)
		}
		if one.String() != other.String() {
			t.Errorf("%s: JSON writes\n%.300s\nand JSONList\n%.300s", name, one.String(), other.String())
		}
	}
}

func TestJSONListSaysWhatCannotBeWritten(t *testing.T) {
	if err := output.JSONList(&bytes.Buffer{}, slices.Values([]any{make(chan int)})); err == nil || !strings.HasPrefix(err.Error(), "writing JSON: ") {
		t.Errorf("a channel: %v", err)
	}
	full := errors.New("the disk is full")
	if err := output.JSONList(failing{full}, slices.Values([]int{1})); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
