package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Bytes returns the one text that a manifest has: JSON, indented, with the names in the order of the fields. The error
// is a *[FormError] where the manifest is not [Complete].
func (m Manifest) Bytes() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, &FormError{err.Error()}
	}
	if b.Len() > MaxManifest {
		return nil, &FormError{fmt.Sprintf("it has more than %d MiB", MaxManifest>>20)}
	}
	return b.Bytes(), nil
}

// Parse reads a manifest. The error is a *[NewerError] where it has a format that this program does not know, else a
// *[FormError]. What it returns has the very text that it was given as its [Manifest.Bytes]: a name that comes twice,
// one in another case, or one that this format does not have, is refused with everything else that is not written so.
func Parse(data []byte) (Manifest, error) {
	if len(data) > MaxManifest {
		return Manifest{}, &FormError{fmt.Sprintf("it has more than %d MiB", MaxManifest>>20)}
	}
	var of struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &of); err != nil {
		return Manifest{}, &FormError{spoken(err)}
	}
	if of.Format > Format {
		return Manifest{}, &NewerError{Format: of.Format}
	}
	m, err := decode(data)
	if err != nil {
		return Manifest{}, &FormError{spoken(err)}
	}
	again, err := m.Bytes()
	if err != nil {
		return Manifest{}, err
	}
	if line := firstDifference(data, again); line > 0 {
		return Manifest{}, &FormError{fmt.Sprintf("line %d is not as ftsca writes it: the manifest has been changed", line)}
	}
	return m, nil
}

// decode reads at most MaxItems items: an empty one takes three octets of text, and many times that in memory.
func decode(data []byte) (Manifest, error) {
	var m Manifest
	outer := struct {
		*Manifest
		Items json.RawMessage `json:"items"`
	}{Manifest: &m}
	if err := strict(bytes.NewReader(data)).Decode(&outer); err != nil {
		return Manifest{}, err
	}
	items := strict(bytes.NewReader(outer.Items))
	if open, err := items.Token(); err != nil || open != json.Delim('[') {
		return Manifest{}, errors.New("it has no array of items")
	}
	for items.More() {
		if len(m.Items) == MaxItems {
			return Manifest{}, fmt.Errorf("it has more than %d items", MaxItems)
		}
		var it Item
		if err := items.Decode(&it); err != nil {
			return Manifest{}, err
		}
		m.Items = append(m.Items, it)
	}
	return m, nil
}

func strict(r io.Reader) *json.Decoder {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	return d
}

// spoken puts an error of the JSON reader into words for those who do not know Go.
func spoken(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Sprintf("it holds a JSON %s where an object should be", e.Value)
		}
		return fmt.Sprintf("its %q may not be the JSON %s", e.Field, short(e.Value))
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "it is no JSON: " + e.Error()
	}
	if e, ok := errors.AsType[*time.ParseError](err); ok {
		return fmt.Sprintf("it has the time %s, which is not one of RFC 3339", quote(strings.Trim(e.Value, `"`)))
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	if name, ok := strings.CutPrefix(text, "unknown field "); ok {
		return fmt.Sprintf("it has the name %s, which this format does not know", short(name))
	}
	return short(text)
}

// firstDifference returns the number of the first line that two texts do not share, 0 where they are the same.
func firstDifference(one, other []byte) int {
	if bytes.Equal(one, other) {
		return 0
	}
	line := 1
	for i := 0; i < len(one) && i < len(other) && one[i] == other[i]; i++ {
		if one[i] == '\n' {
			line++
		}
	}
	return line
}
