package templates

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is the type of a preference: the last part of the Java class that the file names for it.
type Kind string

// The kinds that every known client reads. ATAK saves others too, such as Float and Long.
const (
	String  Kind = "String"  // any text, not empty
	Boolean Kind = "Boolean" // true or false
	Integer Kind = "Integer" // 32 bits with a sign, in decimal
)

// Entry is one preference of the application.
type Entry struct {
	// Key is the application's name for it, at most 100 bytes of any text. Keys of certificates, passwords and the like are
	// refused: see [RenderATAKPreferences].
	Key string
	// Kind is String, Boolean or Integer.
	Kind Kind
	// Value is of that kind, written as the Kind says.
	Value string
}

type xmlEntry struct{ Key, Kind, Value xmlText }

// The keys that stand for the certificates of all connections, and one that a form writes itself.
const (
	caLocation          = "caLocation"
	caPassword          = "caPassword"
	certificateLocation = "certificateLocation"
	clientPassword      = "clientPassword"

	// widget makes ATAK show whether it is connected.
	widget = "displayServerConnectionWidget"
)

// vetEntries checks entries for a form. No key may be there twice.
func vetEntries(entries []Entry) ([]xmlEntry, error) {
	vetted, seen := make([]xmlEntry, 0, len(entries)), map[string]bool{}
	for _, e := range entries {
		v, err := vetEntry(e)
		if err != nil {
			return nil, err
		}
		if seen[e.Key] {
			return nil, fmt.Errorf("the preference %q is there twice", e.Key)
		}
		seen[e.Key] = true
		vetted = append(vetted, v)
	}
	return vetted, nil
}

// vetEntry repeats no value: what a key that was never heard of stands for cannot be known.
func vetEntry(e Entry) (v xmlEntry, err error) {
	if v.Key, err = vetText("the key of a preference", e.Key, false); err != nil {
		return v, err
	}
	if len(e.Key) > 100 {
		return v, fmt.Errorf("the key of a preference, %.100q, is longer than 100 bytes", e.Key)
	}
	if err := vetKey(e.Key); err != nil {
		return v, fmt.Errorf("the preference %q %w", e.Key, err)
	}
	what := fmt.Sprintf("the value of the preference %q", e.Key)
	switch e.Kind {
	case String:
	case Boolean:
		if e.Value != "true" && e.Value != "false" {
			return v, fmt.Errorf("%s is neither true nor false", what)
		}
	case Integer:
		if n, err := strconv.ParseInt(e.Value, 10, 32); err != nil || strconv.FormatInt(n, 10) != e.Value {
			return v, fmt.Errorf("%s is no whole number of 32 bits", what)
		}
	default:
		return v, fmt.Errorf("the preference %q is of the kind %.50q: String, Boolean and Integer are known", e.Key, e.Kind)
	}
	v.Kind = xmlText(e.Kind)
	v.Value, err = vetText(what, e.Value, true)
	return v, err
}

// vetKey holds apart what a unit may set and what a package alone does.
func vetKey(key string) error {
	lower := strings.ToLower(key)
	for _, word := range []string{"password", "passphrase", "passwd", "secret", "token", "credential", "calocation", "certificate", "truststore",
		"connectstring"} {
		if strings.Contains(lower, word) {
			return fmt.Errorf("is about connections, certificates or passwords (%s), which the package itself sets, or nobody", word)
		}
	}
	// ATAK's own source says to leave it out of what is copied from one device to the next.
	if lower == "bestdeviceuid" {
		return fmt.Errorf("is what tells a device from all others: two that share it are one on the map")
	}
	return nil
}
