package output_test

import (
	"bytes"
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
