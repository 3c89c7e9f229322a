package export

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/ftsca/ftsca/internal/durable"
)

// Publishing is how a folder is brought up to date.
type Publishing struct {
	Now time.Time
	// Replace takes the place of what others have put into the folder, which is kept beside. Without it, a name that was
	// never ours is an [*OccupiedError].
	Replace bool
	Save    func() error // keeps the registry, which is to know what is written before it is seen
	DryRun  bool         // only find out what would be done
}

// Report is what was done to a folder, by names within it.
type Report struct {
	Written []string
	Removed []string
	Kept    []string // what another hand had written under a name of ours, under its new name
}

// Changes tells whether anything was done.
func (r Report) Changes() bool { return len(r.Written)+len(r.Removed)+len(r.Kept) > 0 }

// OccupiedError says that a folder has files of others under names that the export would take.
type OccupiedError struct {
	Folder string
	Names  []string
}

func (e *OccupiedError) Error() string {
	return fmt.Sprintf("%s has files that ftsca did not write: %s", e.Folder, strings.Join(e.Names, ", "))
}

// stagedSuffix ends the hidden names under which a folder's new files wait.
const stagedSuffix = ".ftsca-staged"

func stagedName(name string) string { return "." + name + stagedSuffix }

// plan is what has to be done to a folder.
type plan struct {
	write []File
	keep  []string // names of ours with what another hand wrote
	drop  []string // names that were ours and are no part of the export any more
}

// Publish brings the folder to what the files and packages say. All that is new is on disk before the first name changes,
// so that a full disk changes nothing. The caller has seen to it that nobody else publishes meanwhile.
func (e *Export) Publish(files []File, packages []Package, p Publishing) (Report, error) {
	f, err := openFolder(e.Folder)
	if err != nil {
		return Report{}, err
	}
	defer f.close()
	planned, err := e.plan(f, files, p.Replace)
	if err != nil {
		return Report{}, err
	}
	boxes, err := e.planPackages(f, packages)
	if err != nil {
		return Report{}, err
	}
	var r Report
	for _, file := range planned.write {
		r.Written = append(r.Written, file.Name)
	}
	r.Written = append(r.Written, boxes.names()...)
	r.Removed = slices.Concat(planned.drop, boxes.drop)
	if p.DryRun {
		r.Kept = planned.keep
		return r, nil
	}
	if err := f.sweep(); err != nil {
		return Report{}, err
	}
	moves, err := e.stage(f, planned.write)
	if err != nil {
		return Report{}, err
	}
	if err := boxes.stage(f); err != nil {
		return Report{}, err
	}
	for _, name := range planned.keep {
		as, err := f.keep(name, p.Now)
		if err != nil {
			return Report{}, err
		}
		r.Kept = append(r.Kept, as)
	}
	// A kill must not leave a package behind that nobody knows of: each holds a client's key.
	e.Packages = boxes.known(e.Packages)
	if err := p.Save(); err != nil {
		return Report{}, err
	}
	if err := durable.RenameAll(append(moves, boxes.moves...)); err != nil {
		return Report{}, err
	}
	for _, name := range slices.Concat(planned.drop, boxes.drop) {
		if err := durable.Remove(f.join(name)); err != nil {
			return Report{}, err
		}
	}
	for _, name := range planned.drop {
		delete(e.Files, name)
	}
	e.Packages = boxes.all
	e.Published, e.FailedAt, e.Failure = p.Now.UTC(), time.Time{}, ""
	return r, p.Save()
}

// plan compares the folder with what it has to hold.
func (e *Export) plan(f *folder, files []File, replace bool) (plan, error) {
	var planned plan
	var foreign []string
	wanted := map[string]bool{}
	for _, file := range files {
		wanted[file.Name] = true
		now, err := f.state(file.Name)
		if err != nil {
			return plan{}, err
		}
		last, known := e.Files[file.Name]
		ours := now.regular && known && (now.sum == last.Sum || now.sum == last.Was)
		if now.regular && (now.sum == file.Version || ours && now.sum == last.Sum && last.Version == file.Version) &&
			(now.mode == file.Mode || !durable.HasModes(f.path)) {
			if e.Files == nil {
				e.Files = map[string]Written{}
			}
			e.Files[file.Name] = Written{Version: file.Version, Sum: now.sum}
			continue
		}
		planned.write = append(planned.write, file)
		if !now.there || ours || now.regular && now.sum == file.Version {
			continue
		}
		if !known {
			foreign = append(foreign, file.Name)
		}
		planned.keep = append(planned.keep, file.Name)
	}
	if len(foreign) > 0 && !replace {
		return plan{}, &OccupiedError{Folder: e.Folder, Names: foreign}
	}
	for name, last := range e.Files {
		if wanted[name] {
			continue
		}
		now, err := f.state(name)
		if err != nil {
			return plan{}, err
		}
		// What another hand has made of it since is theirs.
		if now.regular && now.sum == last.Sum {
			planned.drop = append(planned.drop, name)
		} else {
			delete(e.Files, name)
		}
	}
	slices.Sort(planned.drop)
	return planned, nil
}

// stage writes new files under their hidden names, and notes what they will be.
func (e *Export) stage(f *folder, files []File) ([]durable.Move, error) {
	var staged []durable.File
	var moves []durable.Move
	notes := map[string]Written{}
	for _, file := range files {
		data, err := file.Data()
		if err != nil {
			return nil, err
		}
		name := f.join(stagedName(file.Name))
		staged = append(staged, durable.File{Name: name, Data: data, Mode: file.Mode})
		moves = append(moves, durable.Move{From: name, To: f.join(file.Name)})
		now, err := f.state(file.Name)
		if err != nil {
			return nil, err
		}
		notes[file.Name] = Written{Version: file.Version, Sum: sumOf(data), Was: now.sum}
	}
	if err := durable.Stage(staged); err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	if e.Files == nil {
		e.Files = map[string]Written{}
	}
	for name, w := range notes {
		e.Files[name] = w
	}
	return moves, nil
}

// keep gives what another hand wrote under a name of ours a name of its own, which it returns. A link is not followed,
// and so not kept: what it leads to stays where it is.
func (f *folder) keep(name string, now time.Time) (string, error) {
	at, err := f.state(name)
	if err != nil {
		return "", err
	}
	if !at.regular {
		return name + " (which was no regular file, and is gone)", nil
	}
	data, err := f.read(name)
	if err != nil {
		return "", err
	}
	base := name + ".changed-" + now.UTC().Format("20060102T150405Z")
	for n := 1; ; n++ {
		as := base
		if n > 1 {
			as = fmt.Sprintf("%s-%d", base, n)
		}
		// It may be a key, whatever its mode was.
		err := durable.Create(f.join(as), data, secretMode)
		if err == nil {
			return as, nil
		}
		if !errors.Is(err, fs.ErrExist) || n > 1000 {
			return "", fmt.Errorf("keeping what was in %s: %w", name, err)
		}
	}
}
