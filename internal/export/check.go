package export

import "path"

// Check names what of a folder is not as it has to be, within it; nothing where it is up to date. Nothing is changed.
func (e *Export) Check(files []File, packages []Package) ([]string, error) {
	f, err := openFolder(e.Folder)
	if err != nil {
		return nil, err
	}
	defer f.close()
	known := map[string]Written{}
	for name, w := range e.Files {
		known[name] = w
	}
	look := Export{Folder: e.Folder, Files: known, Packages: e.Packages}
	planned, err := look.plan(f, files, true)
	if err != nil {
		return nil, err
	}
	boxes, err := look.planPackages(f, packages)
	if err != nil {
		return nil, err
	}
	var off []string
	for _, file := range planned.write {
		off = append(off, file.Name)
	}
	for _, p := range boxes.copy {
		off = append(off, path.Join(packagesFolder, p.Name))
	}
	return append(append(off, planned.drop...), boxes.drop...), nil
}

// ChangedAuthorities returns the content of the folder's ca.pem where another hand has changed it since it was published:
// a server that has the authority's key may have signed revocations into it. It is nil else, also where it cannot be read,
// of which [Export.Publish] tells.
func (e *Export) ChangedAuthorities() []byte {
	last, known := e.Files["ca.pem"]
	f, err := openFolder(e.Folder)
	if !known || err != nil {
		return nil
	}
	defer f.close()
	now, err := f.state("ca.pem")
	if err != nil || !now.regular || now.sum == last.Sum || now.sum == last.Was {
		return nil
	}
	data, _ := f.read("ca.pem")
	return data
}
