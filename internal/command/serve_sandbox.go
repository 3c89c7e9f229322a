package command

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ftsca/ftsca/ca/store"
	"github.com/ftsca/ftsca/internal/reload"
	"github.com/ftsca/ftsca/internal/sandbox"
)

// What --sandbox says.
const (
	sandboxOn  = "on"
	sandboxOff = "off"
)

func (o *serveOptions) checkSandbox() error {
	if o.sandbox != sandboxOn && o.sandbox != sandboxOff {
		return usagef("--sandbox %q is neither %s nor %s", o.sandbox, sandboxOn, sandboxOff)
	}
	return nil
}

// confine leaves this process nothing but the endpoint room, and the folders of the further lists, which others put anew
// by renaming. It logs what came of it, and tells whether the process is confined.
func (o *serveOptions) confine(s *store.Store, files reload.Files, log *slog.Logger) (confined bool, err error) {
	if o.sandbox == sandboxOff {
		log.Warn("not confined: --sandbox=off leaves this process every file that its account may read")
		return false, nil
	}
	folders := foldersOf(files.Lists, s.Endpoint())
	c, err := sandbox.Confine(sandbox.Reach{Room: s.Endpoint(), Files: folders, Itself: o.metrics != ""})
	switch {
	case err != nil:
		return false, hinted(err, "--sandbox=off serves without")
	case !sandbox.Exists:
		log.Info("not confined", slog.String("reason", c.Why))
		return false, nil
	case !c.Confined():
		log.Warn("not confined: this process can open every file that its account may read", slog.String("reason", c.Why))
		return false, nil
	}
	if err := checkReach(s, files, folders); err != nil {
		return false, err
	}
	about := []any{slog.Int("landlock", c.Landlock)}
	if len(folders) > 0 {
		about = append(about, slog.String("further_files", strings.Join(folders, ", ")))
	}
	if len(c.Open) > 0 {
		about = append(about, slog.String("not_held_by_this_kernel", strings.Join(c.Open, ", ")))
	}
	log.Info("confined to the endpoint room", about...)
	return true, nil
}

// checkReach tells whether a confined serve reaches too little, and would learn so when a file changes, or too much.
func checkReach(s *store.Store, files reload.Files, folders []string) error {
	if err := files.Reopen(); err != nil {
		return hinted(fmt.Errorf("serve is confined to the endpoint room, and could not read this file again: %w", err), "%s", confinedHint(s))
	}
	authority := ""
	if s.HasAuthority() {
		authority = filepath.Join(s.Dir(), store.AuthorityRoom)
	}
	for _, folder := range folders {
		if what := opens(folder, authority); what != "" {
			return hinted(fmt.Errorf("serve would reach %s: by %s, the folder of a list that --crl names", what, folder),
				"put the list into a folder of its own; --sandbox=off serves all the same")
		}
	}
	return nil
}

// opens says what a folder within reach brings with it that has to be out of reach; "" where that is nothing. authority is
// the authority's room, "" where there is none.
func opens(folder, authority string) string {
	switch {
	case folder == filepath.Dir(folder):
		return "every file"
	case authority != "" && (within(authority, folder) || within(folder, authority)):
		return "the authority's room"
	}
	return ""
}

// foldersOf are the folders that lists are in, and those that they are links into, the room excepted.
func foldersOf(lists []string, room string) (folders []string) {
	for _, path := range lists {
		ways := []string{path}
		if behind, err := filepath.EvalSymlinks(path); err == nil {
			ways = append(ways, behind)
		}
		for _, way := range ways {
			if folder := filepath.Dir(way); !within(folder, room) && !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	return folders
}

// within tells whether a path is, or lies below, a folder.
func within(path, folder string) bool {
	for _, p := range []*string{&path, &folder} {
		if behind, err := filepath.EvalSymlinks(*p); err == nil {
			*p = behind
		}
	}
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// confinedHint says what to do where a confined serve may not open a file.
func confinedHint(s *store.Store) string {
	return fmt.Sprintf("serve reads what lies in the folder that %s was when it started, and its account may read: copy the file there where it "+
		"is a link to another place, and start serve again where the folder is another one now; --sandbox=off does not confine it", s.Endpoint())
}

// explainFault says what to do about a file that a running serve cannot read.
func explainFault(err error, s *store.Store, confined bool) error {
	if confined && errors.Is(err, fs.ErrPermission) {
		return hinted(err, "%s", confinedHint(s))
	}
	return explainLoad(err, s.Endpoint())
}
