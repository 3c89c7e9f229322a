package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	jsonv2 "github.com/go-json-experiment/json" // indents as it goes: in a third of the time
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

const indent = "  "

// JSON writes v as one JSON value, indented by two spaces, with '<', '>' and '&' left as they are and a newline at the
// end. Nothing is written when v cannot be encoded; the error then names the type.
func JSON(w io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encoding %T as JSON: %w", v, err)
	}
	if _, err := w.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// JSONList writes what [JSON] writes of a slice, each value as it comes, so that a long list is never held as text. With
// an error, part of it has been written.
func JSONList[T any](w io.Writer, values iter.Seq[T]) error {
	buf := bufio.NewWriterSize(w, 64<<10)
	enc := jsontext.NewEncoder(buf, jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false), jsontext.WithIndent(indent))
	err := enc.WriteToken(jsontext.BeginArray)
	for v := range values {
		if err != nil {
			break
		}
		err = jsonv2.MarshalEncode(enc, &v)
	}
	if err == nil {
		err = enc.WriteToken(jsontext.EndArray)
	}
	if err == nil {
		err = buf.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
