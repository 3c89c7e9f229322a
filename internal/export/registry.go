package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/ftsca/ftsca/internal/durable"
)

// Export is one folder that the store's material was put into.
type Export struct {
	Folder string `json:"folder"` // absolute
	Form   string `json:"form"`   // "fts"
	Follow bool   `json:"follow"` // every act that changes what it holds publishes it anew

	AsDocumented    bool   `json:"as_documented,omitempty"`
	KeyInTrustStore bool   `json:"server_p12_with_key,omitempty"`
	TrustPassword   string `json:"server_p12_password"` // guards nothing that does not lie in clear beside it

	Files     map[string]Written `json:"files"`    // by name
	Packages  []string           `json:"packages"` // names of the client packages
	Published time.Time          `json:"published,omitzero"`

	// FailedAt is when the folder could not be brought up to date for the first time since it last was, and Failure why not
	// the last time; zero where it was.
	FailedAt time.Time `json:"failed_at,omitzero"`
	Failure  string    `json:"failure,omitempty"`
}

// FormFTS is the form of [FTS].
const FormFTS = "fts"

// Written is what was last put under a name.
type Written struct {
	Version string `json:"version"` // of the [File]
	Sum     string `json:"sha256"`  // of its bytes
	// Was is the sum of what it replaced, which a kill may have left in place.
	Was string `json:"was,omitempty"`
}

// Registry is the list of exports in a file of the store: it holds paths of this machine and does not travel.
type Registry struct {
	path    string
	Exports []*Export
}

// registryFormat is the number of the file's format.
const registryFormat = 1

type registryFile struct {
	Format  int       `json:"format"`
	Exports []*Export `json:"exports"`
}

// Load reads the registry; one that is not there is empty.
func Load(path string) (*Registry, error) {
	r := &Registry{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list of exports: %w", err)
	}
	var f registryFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("reading the list of exports %s: %w", path, err)
	}
	if f.Format != registryFormat {
		return nil, fmt.Errorf("the list of exports %s has format %d, and this ftsca reads format %d", path, f.Format, registryFormat)
	}
	r.Exports = f.Exports
	return r, nil
}

// Save writes the registry durably.
func (r *Registry) Save() error {
	data, err := json.MarshalIndent(registryFile{Format: registryFormat, Exports: r.Exports}, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.WriteFile(r.path, append(data, '\n'), secretMode); err != nil {
		return fmt.Errorf("writing the list of exports: %w", err)
	}
	return nil
}

// Find returns the export of a folder; nil where there is none.
func (r *Registry) Find(folder string) *Export {
	for _, e := range r.Exports {
		if e.Folder == folder {
			return e
		}
	}
	return nil
}

// Forget takes a folder off the list, and tells whether it was on it. The folder itself stays as it is.
func (r *Registry) Forget(folder string) bool {
	n := len(r.Exports)
	r.Exports = slices.DeleteFunc(r.Exports, func(e *Export) bool { return e.Folder == folder })
	return len(r.Exports) < n
}
