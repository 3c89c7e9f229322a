package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes v as one JSON value, indented by two spaces, with '<', '>' and '&' left as they are and a newline at the
// end. Nothing is written when v cannot be encoded; the error then names the type.
func JSON(w io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encoding %T as JSON: %w", v, err)
	}
	if _, err := w.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
