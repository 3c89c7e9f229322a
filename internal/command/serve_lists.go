package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/crl"
	"github.com/ftsca/ftsca/internal/durable"
	"github.com/ftsca/ftsca/internal/reload"
)

// furtherListsFile is the file, in the endpoint room, that names the further lists which serve was last given: a JSON array
// of absolute paths. There is none where that was none.
const furtherListsFile = ".serve.crl"

// furtherLists are the files that --crl names.
func (o *serveOptions) furtherLists() (paths []string, err error) {
	if o.staleList != staleRefuse && o.staleList != staleWarn {
		return nil, usagef("--stale-crl %q is neither %s nor %s", o.staleList, staleRefuse, staleWarn)
	}
	for _, name := range o.lists {
		if name == "" {
			return nil, usagef("--crl: give a file")
		}
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, fmt.Errorf("finding the revocation list %s: %w", name, err)
		}
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// noteFurther leaves word in the endpoint room of the lists that serve goes by beside the store's own, for the commands
// that say who is revoked.
func noteFurther(s *store.Store, paths []string) error {
	name := filepath.Join(s.Endpoint(), furtherListsFile)
	if len(paths) == 0 {
		if err := durable.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	data, err := json.Marshal(paths)
	if err != nil {
		return err
	}
	return durable.WriteFile(name, append(data, '\n'), 0o644)
}

// inForce is what an endpoint of this store goes by: the store's own revocations, and those of the further lists that
// serve was last given. What of these cannot be read is told, and may leave somebody good here whom serve refuses.
func (g *global) inForce(s *store.Store, standing store.Standing) []crl.Entry {
	name := filepath.Join(s.Endpoint(), furtherListsFile)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return standing.InForce
	}
	var paths []string
	if err == nil {
		err = json.Unmarshal(data, &paths)
	}
	if err != nil {
		g.talk("warning: %s cannot be read, which names the further lists that ftsca serve goes by: %v", name, err)
		g.talk("hint: ftsca serve writes it anew when it starts")
		return standing.InForce
	}
	entries, faults := reload.Further(paths, s.CAFile(), g.env.Now())
	for _, fault := range faults {
		g.talk("warning: %v", fault)
	}
	if len(faults) > 0 {
		g.talk("hint: ftsca serve was last started with --crl, and may refuse more than is revoked here")
	}
	return slices.Concat(standing.InForce, entries)
}
